"""Why a server's certificate is not trusted: libpq says no more than `certificate verify failed`."""

import contextlib
import socket
import ssl
import struct
from pathlib import Path

from kinetria_cli.domain.doctor import SymptomKind
from kinetria_cli.domain.stack import ConnectionParams

SSL_REQUEST = struct.pack("!II", 8, 80877103)
"""What a client sends before it begins TLS (PostgreSQL 16 manual, section 55.7)."""
HAS_EXPIRED = 10
"""X509_V_ERR_CERT_HAS_EXPIRED (OpenSSL, x509_vfy.h)."""


def distrust(params: ConnectionParams, *, timeout: float) -> SymptomKind:
    """Shake hands once more, against the root certificate that libpq takes, and return what is wrong.

    Args:
        params: The server; its first host is asked.
        timeout: Seconds for each step.
    """
    try:
        context = ssl.create_default_context(cafile=str(Path("~/.postgresql/root.crt").expanduser()))
        context.check_hostname = False  # libpq says so itself where the host is the trouble
        with socket.create_connection((params.host, params.port), timeout) as opened:
            opened.sendall(SSL_REQUEST)
            if opened.recv(1) == b"S":
                with contextlib.closing(context.wrap_socket(opened)):
                    return SymptomKind.CERTIFICATE_UNTRUSTED
    except ssl.SSLCertVerificationError as error:
        if error.verify_code == HAS_EXPIRED:
            return SymptomKind.CERTIFICATE_EXPIRED
    except OSError:
        return SymptomKind.CERTIFICATE_UNTRUSTED  # what libpq said is all that is known
    return SymptomKind.CERTIFICATE_UNTRUSTED

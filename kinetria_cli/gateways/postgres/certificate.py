"""How long the certificate of a server is good, whoever signed it, and why it is not trusted; both without a login."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from kinetria_cli.domain.doctor import SymptomKind
from kinetria_cli.domain.errors import TlsRefused
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.postgres.tls import shaken_hands

HAS_EXPIRED = 10
"""X509_V_ERR_CERT_HAS_EXPIRED (OpenSSL, x509_vfy.h)."""
_UTC_TIME, _EXPLICIT_VERSION = 0x17, 0xA0


def certificate_end(params: ConnectionParams, *, timeout: float) -> datetime | None:
    """Return when the certificate of the first server ends; None where it offers no TLS.

    Args:
        params: Where to.
        timeout: Seconds for each step.

    Raises:
        TlsRefused: There was no answer that could be read.
    """
    if params.host.startswith("/"):
        return None  # the folder of a socket, over which there is no TLS
    import ssl  # 10 ms, which only a connection with TLS pays

    # Looked at, not trusted: nothing is sent behind the handshake, and the login itself verifies what was asked for.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with shaken_hands(params, context, timeout=timeout) as wrapped:
            if wrapped is None:
                return None
            der = wrapped.getpeercert(binary_form=True)
    except OSError as error:
        raise TlsRefused(
            f"the certificate of {params.address} cannot be read: {error.strerror or error}",
            hint="look at the server's log and at its ssl_cert_file",
        ) from error
    return not_after(der or b"")


def distrust(params: ConnectionParams, *, timeout: float) -> SymptomKind:
    """Return why the certificate is not trusted: libpq says no more than `certificate verify failed`.

    Args:
        params: The server; its first host is asked, against the root certificate that libpq takes.
        timeout: Seconds for each step.
    """
    import ssl

    # Not the default context: it asks more of a certificate than libpq does.
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if params.sslrootcert == "system":
            context.set_default_verify_paths()
        else:
            context.load_verify_locations(params.sslrootcert or Path("~/.postgresql/root.crt").expanduser())
        with shaken_hands(params, context, timeout=timeout):
            pass
    except (OSError, RuntimeError) as error:  # without an answer, a file or a home, what libpq said is all there is
        if getattr(error, "verify_code", None) == HAS_EXPIRED:
            return SymptomKind.CERTIFICATE_EXPIRED
    return SymptomKind.CERTIFICATE_UNTRUSTED


def not_after(der: bytes) -> datetime:
    """Return the end of a certificate's validity (RFC 5280, section 4.1): the standard library decodes only one that
    it has verified, which an expired one never is."""
    certificate = next(_elements(der))[1]
    fields = [field for field in _elements(next(_elements(certificate))[1]) if field[0] != _EXPLICIT_VERSION]
    validity = fields[3][1]  # behind serial number, signature algorithm, issuer
    kind, text = list(_elements(validity))[1]
    written = text.decode("ascii")
    if kind == _UTC_TIME:  # two digits of the year: 50 to 99 are of the last century
        written = ("20" if written < "50" else "19") + written
    return datetime.strptime(written, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _elements(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield tag and content of the elements that lie one behind the other (X.690, section 8.1)."""
    position = 0
    while position < len(der):
        tag, length = der[position], der[position + 1]
        position += 2
        if length & 0x80:
            size = length & 0x7F
            length = int.from_bytes(der[position : position + size])
            position += size
        yield tag, der[position : position + length]
        position += length

"""The link of TLS: why a session's encryption could not be agreed on."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from kinetria_cli.domain.doctor import Cause, Finding, Symptom, SymptomKind, broken

if TYPE_CHECKING:
    from kinetria_cli.domain.stack import ConnectionParams
    from kinetria_cli.usecases.doctor.ways import Origins

TLS = frozenset(
    {
        SymptomKind.NO_TLS,
        SymptomKind.TLS_FAILED,
        SymptomKind.NO_ROOT_CERTIFICATE,
        SymptomKind.CERTIFICATE_EXPIRED,
        SymptomKind.CERTIFICATE_HOST,
        SymptomKind.CERTIFICATE_UNTRUSTED,
    }
)


def tls_broken(found: Symptom, params: ConnectionParams, origins: Origins) -> Finding:
    """Return the finding for a session whose encryption could not be agreed on: `found` is one of TLS."""
    fetch = f"openssl s_client -starttls postgres -connect {params.servers[0].address} -showcerts </dev/null"
    root = 'read -r file && mkdir -p ~/.postgresql && cat "$file" >>~/.postgresql/root.crt'
    trust = "it asks for the file with the authority's certificate, which the server's owner has"
    if params.sslrootcert == "system":
        root, trust = fetch, "with sslrootcert=system in DATABASE_URL the system's own certificates decide"
    elif params.sslrootcert:
        root = f'read -r file && cat "$file" >>{shlex.quote(params.sslrootcert)}'
    why, command, other = {
        SymptomKind.NO_TLS: (
            f"DB_SSL_MODE is {params.sslmode}, and the server offers no TLS",
            *_mode(origins, "disable", "only on a network that you trust; else turn TLS on at the server"),
        ),
        SymptomKind.TLS_FAILED: (found.text, fetch, "what both sides say of it is in the server's log too"),
        SymptomKind.NO_ROOT_CERTIFICATE: (
            f"DB_SSL_MODE is {params.sslmode}, and there is no root certificate to check the server's with",
            root,
            trust,
        ),
        SymptomKind.CERTIFICATE_EXPIRED: (
            "the server's certificate has expired",
            f"{fetch} | openssl x509 -noout -subject -dates",
            "its owner renews it at the server",
        ),
        SymptomKind.CERTIFICATE_HOST: (
            f"the server's certificate is not for {params.host}",
            *_mode(origins, "verify-ca", "or name the host in DB_HOST as the certificate does"),
        ),
        SymptomKind.CERTIFICATE_UNTRUSTED: ("the server's certificate is not signed by one you trust", root, trust),
    }[found.kind]
    detail = why if why == found.text else f"{why}: {found.text}"
    return broken(detail, Cause(f"No TLS connection to {params.address}: {why}.", command, other=other))


def _mode(origins: Origins, mode: str, other: str) -> tuple[str, str]:
    command, value = origins.put("DB_SSL_MODE", mode)
    return command, value + other

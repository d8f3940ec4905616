"""Secrets that we know, taken out of what is printed; `redaction.py` also finds those that we do not know."""

import re
from collections.abc import Iterable
from urllib.parse import quote

HIDDEN = "***"

_USERINFO = re.compile(r"(?<!\w)(\w+://[^\s:/@]*):\S*@")


def redact(text: str, secrets: Iterable[str]) -> str:
    """Return the text without any of the secrets, as they are or percent-encoded, and without a URL's password."""
    forms = {form for secret in secrets for form in (secret, quote(secret, safe=""))}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, HIDDEN)
    return _USERINFO.sub(rf"\1:{HIDDEN}@", text)


def worth_hiding(secret: str) -> bool:
    """Whether hiding a secret helps: one like our own name would blot out half of every sentence, and hide nothing."""
    return len(secret) > 2 and secret != "kinetria"  # noqa: S105

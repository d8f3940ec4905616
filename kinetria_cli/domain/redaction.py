"""What must not leave the machine taken out of texts: secrets that we know, and what looks like one."""

import base64
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import quote, quote_plus

from kinetria_cli.domain.hiding import HIDDEN, worth_hiding

SHORTEST_ENCODED = 6
"""Characters of a secret from which on it is looked for in base64: of a shorter one too little would be left."""

Replacement = str | Callable[[re.Match[str]], str]

_QUOTED = r"'(?:[^'\\\n]|''|\\.)*'?"
"""A text of SQL; one that was cut off ends with its line."""
_LITERAL = re.compile(rf"{_QUOTED}|\$(\w*)\$.*?(?:\$\1\$|\Z)", re.DOTALL)
_MORE = r"(?:\n\t.*)*"
"""The lines of a message behind its first: the server begins each with a tabulator."""
_STATEMENT = re.compile(rf"(?:^|\s)(?:STATEMENT|QUERY|CONTEXT|LOG): .*{_MORE}")


def _without_literals(match: re.Match[str]) -> str:
    # Of what the server logs on its own only statements have values; its sentences quote names in double quotes.
    return _LITERAL.sub(f"'{HIDDEN}'", match[0])


_PATTERNS: tuple[tuple[str, re.Pattern[str], Replacement], ...] = (
    (
        "private keys",
        re.compile(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?(?:-----END \1-----|\Z)", re.DOTALL),
        f"(private key {HIDDEN})",
    ),
    (
        "password verifiers and hashes",
        re.compile(
            r"SCRAM-SHA-256\$[^\s'\"]+|\bmd5[0-9a-f]{32}\b|\$2[abxy]\$\d\d\$[./A-Za-z0-9]{20,}|\$argon2[a-z]+\$[^\s'\"]+"
        ),
        HIDDEN,
    ),
    (
        "passwords in addresses",
        # Limited: a line of nothing but beginnings would be looked through once for each of them.
        re.compile(r"(?<!\w)(\w+://[^\s:/@\"']*):[^\s\"']{0,1000}@"),
        rf"\1:{HIDDEN}@",
    ),
    (
        "tokens",
        re.compile(
            r"(\b(?:set-)?cookie: |\bauthorization[\"']?\s*[:=]\s*[\"']?)"
            r"(?:(?:basic|bearer|digest|token)\s+)?[^\s\"',;]+"
            r"|(\bbearer\s+)[^\s\"',;]+"
            r"|()\beyJ[\w-]+\.[\w-]+\.[\w-]*",
            re.IGNORECASE,
        ),
        lambda match: f"{match[1] or match[2] or ''}{HIDDEN}",
    ),
    (
        "passwords in SQL",
        re.compile(rf"(\bPASSWORD\s+)(?:(?:E|N|U&)?{_QUOTED}|\$(\w*)\$.*?(?:\$\2\$|\Z))", re.IGNORECASE | re.DOTALL),
        rf"\1'{HIDDEN}'",
    ),
    (
        "passwords in settings and connection texts",
        re.compile(
            # From the beginning of the name: else a long run of letters is looked through once for each of them.
            r"((?<![\w.-])[\w.-]*(?:password|passwd|pwd|passphrase|secret|token|(?:api|secret|access)[_-]?key|credentials?)[\"']?"
            r"\s*(?:=>?|:(?!//)(?=[\s\"']*\S))\s*)"
            rf"(?:\"(?:[^\"\\\n]|\\.)*\"?|{_QUOTED}|[^\s&\"',;]+)",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
    (
        "values of rows",
        # Limited as above; the columns of a key may be expressions.
        re.compile(
            r"(Failing row contains |Key \([^\n]{0,300}?\)=(?=\()|[Pp]arameters: |COPY [^\n]{1,99}?, line \d+[^:\n]*: )"
            rf".*{_MORE}"
        ),
        rf"\1({HIDDEN})",
    ),
    ("values in statements", _STATEMENT, _without_literals),
    (
        "e-mail addresses",
        # `user@host:5432/name`, `//user@host` and `user:***@host` are where a database is, which the reader needs.
        re.compile(r"(?<![\w.+-])(?<!//)[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}(?![\w-]|\.\w|:\d)"),
        f"{HIDDEN}@{HIDDEN}",
    ),
)

_SECRET_KEY = re.compile(r"(?:password|passwd|secret|token|_hash|verifier)$", re.IGNORECASE)


class Scrubber:
    """Takes secrets and personal data out of texts and documents, and counts what it took.

    Args:
        secrets: Those that are known.
        folders: Path -> what stands for it: the home folder has the user's name in it.
    """

    def __init__(self, secrets: Iterable[str], *, folders: Mapping[str, str] | None = None) -> None:
        self._secrets = {secret for secret in secrets if worth_hiding(secret)}
        self._folders = dict(folders or {})
        self.taken: Counter[str] = Counter()

    def text(self, text: str) -> str:
        """Return a text without what must not leave the machine."""
        text = self._known(text)
        for what, pattern, replacement in _PATTERNS:
            text = self._replace(what, pattern, replacement, text)
        for folder, shown in self._folders.items():
            pattern = re.compile(rf"{re.escape(folder)}(?![\w.-])")
            text = self._replace("the home folder's name", pattern, shown, text)
        return text

    def document(self, value: Any) -> Any:
        """Return a document of json's types with every text of it scrubbed, and secret fields hidden whole."""
        if isinstance(value, Mapping):
            return {key: self._field(key, item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.document(item) for item in value]
        return self.text(value) if isinstance(value, str) else value

    def _field(self, key: str, value: Any) -> Any:
        if isinstance(value, str) and _SECRET_KEY.search(key):
            self.taken["secret fields"] += 1
            return HIDDEN
        return self.document(value)

    def _known(self, text: str) -> str:
        if self._known_forms is None:
            return text
        return self._replace("known secrets", self._known_forms, HIDDEN, text)

    @cached_property
    def _known_forms(self) -> re.Pattern[str] | None:
        forms = sorted({form for secret in self._secrets for form in _forms(secret)}, key=len, reverse=True)
        return re.compile("|".join(map(re.escape, forms))) if forms else None

    def _replace(self, what: str, pattern: re.Pattern[str], replacement: Replacement, text: str) -> str:
        def replaced(match: re.Match[str]) -> str:
            new = replacement(match) if callable(replacement) else match.expand(replacement)
            self.taken[what] += new != match[0]
            return new

        return pattern.sub(replaced, text)


def _forms(secret: str) -> set[str]:
    """A secret as programs write it: in URLs, JSON, SQL, password files, base64."""
    forms = {
        secret,
        quote(secret, safe=""),
        quote(secret),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        secret.replace("'", "''"),
        secret.replace("\\", "\\\\").replace("'", "\\'"),
        secret.replace("\\", "\\\\").replace(":", "\\:"),
    }
    return forms | _in_base64(secret.encode("utf-8", "surrogateescape"))


def _in_base64(secret: bytes) -> set[str]:
    """Those characters of base64 that the secret alone decides, whatever stands before and behind it: `user:secret`."""
    if len(secret) < SHORTEST_ENCODED:
        return set()
    found = set()
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + secret).decode().rstrip("=")
        first = (before * 8 + 5) // 6
        core = encoded[first : (before + len(secret)) * 8 // 6]
        found |= {core, core.replace("+", "-").replace("/", "_")}
    return found

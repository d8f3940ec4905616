"""Who may see the details: whoever has the token (RFC 6750)."""

import hmac

from starlette.types import ASGIApp, Receive, Scope, Send

from kinetria_cli.gateways.http.answers import problem

CHALLENGE = 'Bearer realm="health"'


class Guarded:
    """An ASGI application for those alone who have the token. An address would prove nothing behind a proxy.

    Args:
        app: What they may see.
        token: The token; None lets everybody in.
    """

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        self._app = app
        self._token = None if token is None else token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or say that a token is needed."""
        app = self._app
        if self._token is not None:
            given = [value for name, value in scope["headers"] if name == b"authorization"]
            if not given:
                app = problem("a bearer token is needed", 401, {"WWW-Authenticate": CHALLENGE})
            elif not _is_token(given, self._token):
                wrong = {"WWW-Authenticate": f'{CHALLENGE}, error="invalid_token"'}
                app = problem("the bearer token is wrong", 401, wrong)
        await app(scope, receive, send)


def _is_token(given: list[bytes], token: bytes) -> bool:
    """Whether the one header that was sent holds the token; how long that takes does not tell how much of it fits."""
    scheme, _, credentials = given[0].partition(b" ")
    fits = hmac.compare_digest(credentials.strip(b" "), token)
    return len(given) == 1 and scheme.lower() == b"bearer" and fits

"""Who may talk to the page: the browser on this machine that was given the token.

Any page of the web can make a browser send requests to 127.0.0.1, and can point a name of its own
there (DNS rebinding). So every request must carry the token, name this server as its host, and come
from this page.
"""

import secrets
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ADDRESS = "127.0.0.1"
"""Where the page listens: this machine only."""

_READING = {"GET", "HEAD"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
    "connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Guard:
    """Passes on what the page itself asks for, and refuses everything else."""

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self._app = app
        self._token = token
        self._hosts = {f"{ADDRESS}:{port}", f"localhost:{port}"}
        # Cookies do not know ports: two servers on one machine need two names
        self._cookie = f"demosaic-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            return
        with_headers = self._with_headers(send, sets_cookie=self._has_token_in_url(scope))
        refusal = self._refusal(scope)
        answer = self._app if refusal is None else PlainTextResponse(refusal[1], refusal[0])
        await answer(scope, receive, with_headers)

    def _with_headers(self, send: Send, *, sets_cookie: bool) -> Send:
        async def add_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if sets_cookie:
                    kept = f"{self._cookie}={self._token}; Path=/; HttpOnly; SameSite=Strict"
                    headers.append("Set-Cookie", kept)
            await send(message)

        return add_headers

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        """Status and reason why a request is refused; None where it is not."""
        headers = Headers(scope=scope)
        entering = self._has_token_in_url(scope)
        if headers.getlist("host") not in [[host] for host in self._hosts]:
            return 421, "This server has another name."
        if not self._is_from_page(scope["method"], headers, entering):
            return 403, "Only the page itself may ask for this."
        if not (entering or self._has_cookie(headers)):
            return 403, "Open the address that demosaic printed in the terminal."
        return None

    def _is_from_page(self, method: str, headers: Headers, entering: bool) -> bool:
        """Whether this page sent the request, as far as the browser says. A link with the token may
        stand anywhere.
        """
        origin = headers.get("origin")
        if origin is None and method not in _READING:
            return False
        if origin is not None and origin != f"http://{headers['host']}":
            return False
        return entering or headers.get("sec-fetch-site", "none") in ("same-origin", "none")

    def _has_token_in_url(self, scope: Scope) -> bool:
        """Whether the page is asked for by the address that was printed."""
        if scope["path"] != "/" or scope["method"] not in _READING:
            return False
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        return self._is_token(given)

    def _has_cookie(self, headers: Headers) -> bool:
        try:
            kept = SimpleCookie(headers.get("cookie", "")).get(self._cookie)
        except CookieError:
            return False
        return kept is not None and self._is_token(kept.value)

    def _is_token(self, given: str) -> bool:
        return secrets.compare_digest(given.encode(), self._token.encode())

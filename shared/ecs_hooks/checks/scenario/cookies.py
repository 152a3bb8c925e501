"""The cookies of a scenario, kept from one request to the next as a browser does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from email.message import Message
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING
from urllib.request import Request as Addressed

if TYPE_CHECKING:
    from ecs_hooks.http.limits import Budget, Limits
    from ecs_hooks.http.request import Request
    from ecs_hooks.http.response import Response
    from ecs_hooks.http.retry import Exchange


class Cookies:
    """Sends requests, with the cookies that earlier responses have set, redirects included.

    Parameters
    ----------
    ask
        What sends each of them.
    learned
        Called with the value of each cookie: a secret, as far as anybody knows.
    """

    def __init__(self, ask: Exchange, learned: Callable[[str], object]) -> None:
        self._ask = ask
        self._learned = learned
        self._jar = CookieJar(DefaultCookiePolicy())

    def ask(self, request: Request, limits: Limits, budget: Budget) -> Response:
        """Send a request and keep the cookies of its response; see `ecs_hooks.http.retry`."""
        addressed = _addressed(request)
        self._jar.add_cookie_header(addressed)
        cookies = addressed.get_header("Cookie")
        if cookies:
            request = request._replace(headers=_with_cookies(request.headers, cookies))
        response = self._ask(request, limits, budget)
        self._jar.extract_cookies(_Told(response), addressed)  # type: ignore[arg-type] # it asks for info() alone
        for cookie in self._jar:
            self._learned(cookie.value or "")
        return response


class _Told:
    """A response as the cookie jar of the standard library wants it."""

    def __init__(self, response: Response) -> None:
        self._message = Message()
        for value in response.headers.getlist("set-cookie"):
            self._message["Set-Cookie"] = value

    def info(self) -> Message:
        return self._message


def _addressed(request: Request) -> Addressed:
    # Cookies belong to the name that green answers to, which the Host header has where the address is the load balancer's.
    url = request.url._replace(host=request.server_name)
    return Addressed(f"{url.scheme}://{url.authority}{url.target}")  # noqa: S310 - nothing is opened with it


def _with_cookies(headers: Mapping[str, str], cookies: str) -> dict[str, str]:
    """Return headers with cookies beside those that a plan names, which a redirect to the same place keeps."""
    name = next((name for name in headers if name.lower() == "cookie"), "Cookie")
    fresh = {each.partition("=")[0].strip(): each for each in cookies.split(";")}
    kept = [each for each in headers.get(name, "").split(";") if each and each.partition("=")[0].strip() not in fresh]
    return {**headers, name: "; ".join(each.strip() for each in (*kept, *fresh.values()))}

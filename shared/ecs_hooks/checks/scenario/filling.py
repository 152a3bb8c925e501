"""Fills the values of its variables into a request, and resolves a link to green."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from pydantic import ValidationError

from ecs_hooks.checks.scenario.rendering import Renderer, UnfitValueError
from ecs_hooks.checks.scenario.value_texts import as_text, jsonpath_text, pattern_text
from ecs_hooks.checks.scenario.variables import VariableRequest
from ecs_hooks.core.validation_errors import error_lines
from ecs_hooks.http.errors import RequestError
from ecs_hooks.http.url import Url, as_http

if TYPE_CHECKING:
    from ecs_hooks.checks.request.session import Session
    from ecs_hooks.checks.scenario.run_values import RunValues
    from ecs_hooks.core.redaction import Redactor

R = TypeVar("R", bound=VariableRequest)

_WHERE = "with its variables"


class FillError(ValueError):
    """The value of a variable cannot be used. The message may be shown."""


def fill(request: R, values: RunValues, session: Session) -> tuple[R, Session]:
    """Return a request with the values of its variables, and the session that builds it.

    A `path` that begins with the value of a variable is a link: an absolute URL, or one relative to the response from
    which it was captured. The session's base URL then is the origin of green.

    Raises
    ------
    FillError
        If a value cannot be used in its field, or if a link is not one to green.
    """
    template = request.template
    if template is None:
        return request, session
    _redact_escaped(values, session.redactor)
    links: list[tuple[str, Url]] = []

    def path_of(reference: str, expression: str) -> str:
        if expression not in values.sources and reference.startswith("/") and not reference.startswith("//"):
            return reference  # a path of the plan, below the base URL
        base = values.sources.get(expression) or Url.join(session.green.base_url, "/")
        if not reference.strip():
            raise RequestError("is empty, and not an address")
        links.append((expression, base.linked(as_http(reference) if "websocket" in template else reference)))
        return links[-1][1].target

    try:
        ready = request.rendered(Renderer(values, path_of).request(template))
        if links:
            session = _at_origin(session, *links[-1], _host_of(ready, session))
    except UnfitValueError as error:
        raise FillError(session.redactor.mask(f"{_WHERE}.{error}")) from None
    except ValidationError as error:
        raise FillError(session.redactor.mask("; ".join(error_lines(error, _WHERE, type(request))))) from None
    return ready, session


def _host_of(request: VariableRequest, session: Session) -> str:
    """Return the `Host` of a request to green; empty if it has none of its own."""
    own = (str(value) for name, value in request.headers.items() if name.lower() == "host")
    return next(own, "") or session.green.all_headers.get("Host", "")


def _at_origin(session: Session, expression: str, link: Url, host: str) -> Session:
    """Return the session for a link to green.

    An application makes links with the name in `Host`, without a port or with that of green's address, so these are links
    to green, too.
    """
    green = Url.parse(session.green.base_url)
    name = urlsplit(f"//{host}")
    ports = {green.port, green.default_port if name.port is None else name.port}
    is_named = bool(host) and link.host == (name.hostname or "") and link.port in ports
    if link.scheme != green.scheme or not (link.origin == green.origin or is_named):
        origin = f"{link.scheme}://{link.authority}"
        own = f"{green.scheme}://{green.authority}"
        also = f" or {green.scheme}://{host}" if host else ""
        raise UnfitValueError("path", expression, f"is an address at {origin}, but the origin of green is {own}{also}")
    return session._replace(green=session.green._replace(base_url=f"{green.scheme}://{green.authority}"))


def _redact_escaped(values: RunValues, redactor: Redactor) -> None:
    """Add the forms of secrets that expectations contain: those in a regular expression and in a JSONPath."""
    for value in values.values():
        text = as_text(value) if isinstance(value, str | int | float) else ""
        if text and redactor.knows(text):
            redactor.add(pattern_text(text))
            redactor.add(jsonpath_text(text, "'"))

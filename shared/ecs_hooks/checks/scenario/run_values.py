"""The values of variables in one run of a check: given, captured, or generated."""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ecs_hooks.core import clock

if TYPE_CHECKING:
    from ecs_hooks.http.url import Url

_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
_RANDOM_LENGTH = 12
_NOW = re.compile(r"now(?:\s*([+-])\s*([0-9]{1,5})\s*([smhd]))?(?:\s*:\s*(.+))?")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DIRECTIVE = re.compile(r"%(.?)")
_DIRECTIVES = frozenset("YmdHMSfjyabABzZ%")
_FORMS = {"date": "%Y-%m-%d", "": "%Y-%m-%dT%H:%M:%SZ"}


def generated_problem(expression: str) -> str | None:
    """Return why an expression is not that of a generated value; empty if it is; None if it has another form."""
    if expression in {"uuid", "random"}:
        return ""
    found = _NOW.fullmatch(expression)
    if found is None:
        return None
    form = found[4] or ""
    unknown = [each for each in _DIRECTIVE.findall(form) if each not in _DIRECTIVES]
    if unknown or (form not in {*_FORMS, "epoch", "epoch_ms"} and "%" not in form):
        return "has an unknown format; allowed are date, epoch, epoch_ms, or codes such as %Y-%m-%d %H:%M:%S"
    return ""


class RunValues(dict[str, Any]):
    """The value of each variable. Values that are not there are generated: once for each run of a check.

    `uuid` is a random UUID and `random` a text of 12 letters and digits. `now` is the start of the run in UTC, with an
    offset such as `now+1d` or `now-30m`, and a format such as `now:date`, `now:epoch` or `now+1d:%d.%m.%Y`.
    """

    def __init__(self, given: Mapping[str, Any] | None = None) -> None:
        super().__init__(given or {})
        self.sources: dict[str, Url] = {}
        """The URL of the response from which a variable was captured."""
        self._started = datetime.fromtimestamp(clock.now(), UTC)
        self._once: dict[str, str] = {}
        self._forgotten: set[str] = set()

    def __missing__(self, expression: str) -> Any:
        """Return a generated value.

        Raises
        ------
        KeyError
            If there is none of this name.
        """
        if generated_problem(expression) != "":
            raise KeyError(expression)
        if expression not in self._once and not expression.startswith("now"):
            text = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_LENGTH))
            self._once[expression] = str(uuid.uuid4()) if expression == "uuid" else text
        return self._once[expression] if expression in self._once else self._time(expression)

    def __contains__(self, expression: object) -> bool:
        """Return whether a variable has a value, given or generated."""
        if super().__contains__(expression):
            return True
        return isinstance(expression, str) and expression not in self._forgotten and generated_problem(expression) == ""

    def forget(self, names: Iterable[str]) -> None:
        """Remove values, generated ones included."""
        self._forgotten.update(names)
        for name in names:
            self.pop(name, None)

    def copy(self) -> RunValues:
        """Return a copy that generates the same values."""
        other = RunValues(self)
        other._started, other._once, other.sources = self._started, self._once, dict(self.sources)
        return other

    def _time(self, expression: str) -> str | int:
        found = _NOW.fullmatch(expression)
        assert found is not None
        sign, amount, unit, form = found.groups(default="")
        offset = timedelta(**{_UNITS[unit]: int(f"{sign}{amount}")}) if unit else timedelta()
        time = self._started + offset
        if form in {"epoch", "epoch_ms"}:
            return int(time.timestamp() * (1 if form == "epoch" else 1000))
        return time.strftime(_FORMS.get(form, form))

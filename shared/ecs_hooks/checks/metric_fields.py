"""Fields of CloudWatch metrics, with the rules that CloudWatch documents for them."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from ecs_hooks.core.formatting import nearest
from ecs_hooks.core.validation_errors import Form
from ecs_hooks.deployment.placeholders import literal_text

_STATISTICS = ("SampleCount", "Sum", "Average", "Minimum", "Maximum", "IQM")
_SHORT = re.compile(r"(?:p|tm|wm|tc|ts)(\d{1,3}(?:\.\d{1,10})?)", re.ASCII)
_BOUND = r"(\d+(?:\.\d{1,10})?%?)?"
_LONG = re.compile(rf"(TM|WM|TC|TS|PR)\({_BOUND}:{_BOUND}\)", re.ASCII)
_LOWER, _UPPER = (
    re.compile(r"(p|tm|wm|tc|ts)[\d.]+", re.IGNORECASE),
    re.compile(r"(tm|wm|tc|ts|pr)\(.*\)", re.IGNORECASE),
)
_FORMS = f"{', '.join(_STATISTICS)}, p99, tm90, wm90, tc90, ts90, TM(2%:98%), WM(10%:90%), TC(:0.5), TS(80%:), PR(:300)"
_MAX_PERCENT = 100

HIGH_RESOLUTION = (1, 5, 10, 20, 30)
"""Periods below a minute in seconds; CloudWatch has them for metrics of high resolution, and for three hours."""
HIGH_RESOLUTION_MINUTES = 180
REGULAR_RESOLUTION = frozenset({"AWS/ApplicationELB", "AWS/NetworkELB", "AWS/GatewayELB"})
"""Namespaces whose metrics have one datapoint per minute."""


def _check_statistic(stat: str) -> str:
    """Return a statistic of CloudWatch; raise ValueError for any other text."""
    short, long = _SHORT.fullmatch(stat), _LONG.fullmatch(stat)
    if stat in _STATISTICS:
        return stat
    if short:
        if float(short[1]) > _MAX_PERCENT:
            raise ValueError(f"must have a percentage of at most {_MAX_PERCENT}, not {short[1]}")
        return stat
    if long:
        _check_bounds(*long.groups())
        return stat
    for form, right in ((_LOWER, str.lower), (_UPPER, str.upper)):
        if form.fullmatch(stat) and right(stat) != stat:
            raise ValueError(f"is not a statistic of CloudWatch; did you mean {right(stat)!r}?")
    by_lower = {each.lower(): each for each in _STATISTICS}
    hint = nearest(by_lower.get(stat.lower(), stat), _STATISTICS)
    raise ValueError(f"is not a statistic of CloudWatch ({_FORMS}){hint if 'did you mean' in hint else ''}")


def _check_bounds(kind: str, low: str | None, high: str | None) -> None:
    bounds = [each for each in (low, high) if each]
    percent = [each.endswith("%") for each in bounds]
    if not bounds:
        raise ValueError(f"requires a bound, such as {kind}(:300)")
    if kind == "PR" and any(percent):
        raise ValueError("must have values as the bounds of PR, such as PR(:300), not percentages")
    if len(set(percent)) > 1:
        raise ValueError("must have two percentages or two values as bounds, not one of each")
    numbers = [float(each.rstrip("%")) for each in bounds]
    if percent[0] and max(numbers) > _MAX_PERCENT:
        raise ValueError(f"must have percentages of at most {_MAX_PERCENT}, not {max(numbers):g}")
    if numbers != sorted(set(numbers)):
        raise ValueError("must have a lower bound that is less than the upper bound")


def _check_text(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    if any(character < " " or character == "\x7f" for character in text):
        raise ValueError("must not contain control characters")
    return text


def _check_ascii(text: str) -> str:
    if not text.isascii():
        raise ValueError("must have ASCII characters only")
    return _check_text(text)


def _check_dimensions(dimensions: dict[str, str]) -> dict[str, str]:
    for name, value in dimensions.items():
        if not name or len(name) > 255 or name.startswith(":"):  # noqa: PLR2004 - CloudWatch's limit
            raise ValueError("names must have 1 to 255 characters, and not begin with a colon")
        size = len(literal_text(value))
        if not value or size > 1024:  # noqa: PLR2004 - CloudWatch's limit
            raise ValueError(f"values must have 1 to 1024 characters, not {size}")
        for kind, text in (("names", name), ("values", value)):
            try:
                _check_ascii(text)
            except ValueError as error:
                raise ValueError(f"{kind} {error}") from None
    return dimensions


def _check_period(seconds: int) -> int:
    if seconds not in HIGH_RESOLUTION and (seconds < 60 or seconds % 60):  # noqa: PLR2004 - a minute
        periods = ", ".join(map(str, HIGH_RESOLUTION))
        raise ValueError(f"must be {periods} or a multiple of 60, not {seconds}")
    return seconds


Namespace = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9._/#-][A-Za-z0-9._/#: -]*$", min_length=1, max_length=255),
    Form("AWS/ApplicationELB: letters, digits, spaces and . - _ / # :, without a space or colon at the start"),
]
MetricName = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_check_text)]
Statistic = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_check_statistic)]
Dimensions = Annotated[dict[str, str], Field(max_length=30), AfterValidator(_check_dimensions)]
Period = Annotated[
    int,
    Field(ge=1, le=3600, json_schema_extra={"anyOf": [{"enum": [*HIGH_RESOLUTION]}, {"multipleOf": 60}]}),
    AfterValidator(_check_period),
]

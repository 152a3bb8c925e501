r"""The formats of JSON Schema. RE2 matches them in linear time; `\d` and `$` of Python's library accept more than a format does.

Not checked, and refused, are `iri`, `iri-reference` and `idn-hostname`, which require Unicode's tables, and all names that are
unknown.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from datetime import date
from functools import cache
from typing import Any

from jsonschema import FormatChecker

from ecs_hooks.assertions.formats import is_ipv4, is_ipv6, is_uuid
from ecs_hooks.assertions.patterns import matches

_LONGEST_NAME = 253
_LONGEST_LOCAL_PART = 64
_LONGEST_PATTERN = 1000
_LAST_MINUTE = 24 * 60 - 1

_TIME = re.compile(
    r"([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9]|60)(?:\.[0-9]+)?(?:[Zz]|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))"
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_NAME = rf"{_LABEL}(?:\.{_LABEL})*"
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_QUOTED = r'"(?:[ !#-\[\]-~]|\\[ -~])*"'
_CLOCK = r"T(?:[0-9]+H(?:[0-9]+M(?:[0-9]+S)?)?|[0-9]+M(?:[0-9]+S)?|[0-9]+S)"
_CALENDAR = r"(?:[0-9]+Y(?:[0-9]+M(?:[0-9]+D)?)?|[0-9]+M(?:[0-9]+D)?|[0-9]+D)"
_ENCODED = "%[0-9A-Fa-f]{2}"
_UNRESERVED = "A-Za-z0-9._~!$&'()*+,;="
_PCHAR = f"(?:[{_UNRESERVED}:@-]|{_ENCODED})"
_TAIL = rf"(?:\?(?:{_PCHAR}|[/?])*)?(?:#(?:{_PCHAR}|[/?])*)?"
_HOST = rf"(?:\[[0-9A-Fa-f:.]+\]|\[[vV][0-9A-Fa-f]+\.[{_UNRESERVED}:-]+\]|(?:[{_UNRESERVED}-]|{_ENCODED})*)"
_AUTHORITY = rf"//(?:(?:[{_UNRESERVED}:-]|{_ENCODED})*@)?{_HOST}(?::[0-9]*)?(?:/{_PCHAR}*)*"
_ABSOLUTE = f"/(?:{_PCHAR}+(?:/{_PCHAR}*)*)?"
_URI = f"[A-Za-z][A-Za-z0-9+.-]*:(?:{_AUTHORITY}|{_ABSOLUTE}|{_PCHAR}+(?:/{_PCHAR}*)*)?{_TAIL}"
_FIRST = f"(?:[{_UNRESERVED}@-]|{_ENCODED})+"
_RELATIVE = f"(?:{_AUTHORITY}|{_ABSOLUTE}|{_FIRST}(?:/{_PCHAR}*)*)?{_TAIL}"
_POINTER = "(?:/(?:[^~/]|~[01])*)*"
_VARIABLE = f"(?:[A-Za-z0-9_]|{_ENCODED})(?:\\.?(?:[A-Za-z0-9_]|{_ENCODED}))*(?::[1-9][0-9]{{0,3}}|\\*)?"
_TEMPLATE = (
    rf"(?:[!#$&(-;=?-\[\]_a-z~\x{{a0}}-\x{{10ffff}}]|{_ENCODED}|\{{[+#./;?&=,!@|]?{_VARIABLE}(?:,{_VARIABLE})*\}})*"
)
_BASE64 = "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"


def _whole(pattern: str) -> Callable[[str], bool]:
    return lambda text: matches(rf"(?s)\A(?:{pattern})\z", text)


def _is_date(text: str) -> bool:
    try:
        return _DATE.fullmatch(text) is not None and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _is_time(text: str) -> bool:
    found = _TIME.fullmatch(text)
    if found is None:
        return False
    hour, minute, second, sign, *offset = found.groups()
    behind = 0 if sign is None else (int(offset[0]) * 60 + int(offset[1])) * (1 if sign == "+" else -1)
    # A leap second is the last one of a day in UTC.
    return second != "60" or (int(hour) * 60 + int(minute) - behind) % (24 * 60) == _LAST_MINUTE


def _is_date_time(text: str) -> bool:
    return text[10:11] in {"T", "t"} and _is_date(text[:10]) and _is_time(text[11:])


def _is_hostname(text: str) -> bool:
    return len(text) <= _LONGEST_NAME and _whole(_NAME)(text)


def _is_email(text: str, more: str = "") -> bool:
    local, _, domain = text.rpartition("@")
    atom = _ATOM.replace("[A-Z", f"[{more}A-Z")
    if not _whole(rf"{atom}(?:\.{atom})*|{_QUOTED}")(local) or len(local) > _LONGEST_LOCAL_PART:
        return False
    if domain.startswith("[") and domain.endswith("]"):
        literal = domain[1:-1]
        return is_ipv6(literal[5:]) if literal[:5].lower() == "ipv6:" else is_ipv4(literal)
    return _is_hostname(domain) or (bool(more) and _whole(_NAME.replace("[A-Z", f"[{more}A-Z"))(domain))


def _is_idn_email(text: str) -> bool:
    return _is_email(text, r"\x{a0}-\x{10ffff}")


def _has_valid_host(text: str) -> bool:
    """Return whether the IPv6 address in a URI is one."""
    found = re.match(r"[^/?#]*//(?:[^/?#@]*@)?\[([0-9A-Fa-f:.]+)\]", text)
    try:
        return found is None or bool(ipaddress.IPv6Address(found[1]))
    except ValueError:
        return False


def _is_regex(text: str) -> bool:
    try:
        return len(text) <= _LONGEST_PATTERN and bool(re.compile(text))
    except (re.error, OverflowError, RecursionError):
        return False


CHECKED: dict[str, Callable[[Any], bool]] = {
    "byte": _whole(_BASE64),
    "date": _is_date,
    "date-time": _is_date_time,
    "duration": _whole(rf"P(?:[0-9]+W|{_CALENDAR}(?:{_CLOCK})?|{_CLOCK})"),
    "email": _is_email,
    "hostname": _is_hostname,
    "idn-email": _is_idn_email,
    "ipv4": is_ipv4,
    "ipv6": is_ipv6,
    "json-pointer": _whole(_POINTER),
    "regex": _is_regex,
    "relative-json-pointer": _whole(f"(?:0|[1-9][0-9]*)(?:#|{_POINTER})"),
    "time": _is_time,
    "uri": lambda text: _whole(_URI)(text) and _has_valid_host(text),
    "uri-reference": lambda text: _whole(f"{_URI}|{_RELATIVE}")(text) and _has_valid_host(text),
    "uri-template": _whole(_TEMPLATE),
    "uuid": is_uuid,
    # Formats of OpenAPI for numbers.
    "int32": lambda number: _is_whole(number, 31),
    "int64": lambda number: _is_whole(number, 63),
    "float": lambda number: abs(number) < 2**128,
    "double": lambda number: abs(number) < 2**1024,
}
"""The formats that are checked, each with its function."""

_OF_NUMBERS = {"int32", "int64", "float", "double"}


def _is_whole(number: float, bits: int) -> bool:
    return number % 1 == 0 and -(2**bits) <= number < 2**bits


@cache
def format_checker() -> FormatChecker:
    """Return the checker of all formats for jsonschema. A value of another type has every format."""
    checker = FormatChecker(formats=())
    for name, is_valid in CHECKED.items():
        checker.checks(name)(_for_numbers(is_valid) if name in _OF_NUMBERS else _for_strings(is_valid))
    return checker


def _for_strings(is_valid: Callable[[Any], bool]) -> Callable[[object], bool]:
    return lambda value: not isinstance(value, str) or is_valid(value)


def _for_numbers(is_valid: Callable[[Any], bool]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, bool) or not isinstance(value, int | float) or is_valid(value)

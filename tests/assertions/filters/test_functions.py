from __future__ import annotations

import contextlib
import json
import string
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ecs_hooks.assertions.filters import WITHOUT_ARGUMENT, Filter, FilterError, NothingFoundError, apply
from ecs_hooks.assertions.filters.functions import MAX_PARTS, MAX_SIZE
from ecs_hooks.assertions.filters.registry import FILTERS
from ecs_hooks.assertions.query import Query
from ecs_hooks.core.validation_errors import error_lines


def chain(*filters: Any) -> Any:
    """Return the filters of a plan."""
    return [each if isinstance(each, str) else Filter.model_validate(each) for each in filters]


def made(value: Any, *filters: Any) -> Any:
    return apply(chain(*filters), value)


TOKEN = "eyJ1c2VyIjoiYW5uIn0"


@pytest.mark.parametrize(
    ("value", "filters", "expected"),
    [
        ("aGVsbG8=", ["base64_decode", "utf8_decode"], "hello"),
        ("/+8=", ["base64_decode", "to_hex"], "ffef"),
        ("_-8", ["base64_url_safe_decode", "to_hex"], "ffef"),
        (TOKEN, ["base64_url_safe_decode", "utf8_decode", {"jsonpath": "$.user"}], "ann"),
        ("é", ["base64_encode"], "w6k="),
        ("é?>", ["base64_url_safe_encode"], "w6k_Pg"),
        ("6Q==", ["base64_decode", {"charset_decode": "latin-1"}], "é"),
        ("é", ["utf8_encode", "to_hex"], "c3a9"),
        ("é", ["to_hex"], "c3a9"),
        ("é", ["utf8_encode", "count"], 2),
        ([1, 2, 3], ["count"], 3),
        ({"a": 1}, ["count"], 1),
        ([], ["count"], 0),
        ([1, 2, 3], ["first"], 1),
        ([1, 2, 3], ["last"], 3),
        ([1, 2, 3], [{"nth": 1}], 2),
        ([1, 2, 3], [{"nth": -3}], 1),
        ('<a href="x">&</a>', ["html_escape"], "&lt;a href=&quot;x&quot;&gt;&amp;&lt;/a&gt;"),
        ("&lt;&#233;&amp;", ["html_unescape"], "<é&"),
        ({"a": [{"b": 1}, {"b": 2}]}, [{"jsonpath": "$.a[*].b"}], [1, 2]),
        ({"a": [{"b": 1}, {"b": 2}]}, [{"jsonpath": "$.a[1].b"}], 2),
        ('{"a": []}', [{"jsonpath": "$.a[*]"}, "count"], 0),
        ("id=42;", [{"regex": "id=([0-9]+)"}, "to_int"], 42),
        ("id=42;", [{"regex": "[0-9]+"}], "42"),
        ("a.b.c", [{"replace": {"old": ".", "new": ""}}], "abc"),
        ("2026-11-21", [{"replace_regex": {"pattern": r"(\d+)-(\d+)", "new": r"\2/\1"}}], "11/2026-21"),
        ("a, b,c", [{"split": ","}, {"nth": 1}], " b"),
        (" 1.50 ", ["to_float"], 1.5),
        ("1e3", ["to_float"], 1000.0),
        (3, ["to_float"], 3.0),
        ("-7", ["to_int"], -7),
        (7.9, ["to_int"], 7),
        (10**400, ["to_int"], 10**400),
        (True, ["to_string"], "true"),
        (False, ["to_string"], "false"),
        (1.5, ["to_string"], "1.5"),
        ("a", ["to_string"], "a"),
        ("a b/ü", ["url_encode"], "a%20b%2F%C3%BC"),
        ("a%20b%2F%C3%BC%FF", ["url_decode"], "a b/ü�"),
        ("https://a/b?x=1&y=a%20b&y=c", [{"url_query_param": "y"}], "a b"),
        ("/b?x=", [{"url_query_param": "x"}], ""),
        ("2026-11-21T10:00:00+02:00", ["to_date", "to_string"], "2026-11-21T10:00:00+02:00"),
        ("2026-11-21T10:00:00Z", ["to_date", {"date_format": "%d.%m.%Y %H:%M"}], "21.11.2026 10:00"),
        ("Sat, 21 Nov 2026 10:00:00 GMT", ["to_date", {"date_format": "%H:%M"}], "10:00"),
        ("21.11.2026", [{"to_date": "%d.%m.%Y"}, "to_string"], "2026-11-21T00:00:00+00:00"),
        (86_400, [{"date_format": "%Y-%m-%d"}], "1970-01-02"),
        ("x", [], "x"),
    ],
)
def test_the_result_of_each_filter(value: Any, filters: list[Any], expected: Any) -> None:
    found = made(value, *filters)

    assert found == expected
    assert type(found) is type(expected)


def test_every_filter_is_tested_and_has_a_form_in_a_plan() -> None:
    (cases,) = (each.args[1] for each in test_the_result_of_each_filter.pytestmark)
    tried = {each if isinstance(each, str) else next(iter(each)) for _, filters, _ in cases for each in filters}

    assert tried | {"days_after_now", "days_before_now"} == set(FILTERS)
    assert set(WITHOUT_ARGUMENT) | set(Filter.model_fields) == set(FILTERS)


def test_days_from_now() -> None:
    soon = datetime.now(UTC) + timedelta(days=3)
    assert made(soon.isoformat(), "to_date", "days_after_now") == pytest.approx(3, abs=0.01)
    assert made(soon.isoformat(), "to_date", "days_before_now") == pytest.approx(-3, abs=0.01)
    assert made(time.time() - 86_400, "days_before_now") == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(
    ("value", "filters"),
    [
        ([], ["first"]),
        ([], ["last"]),
        ([1], [{"nth": 1}]),
        ([1], [{"nth": -2}]),
        ("a", [{"regex": "b"}]),
        ({}, [{"jsonpath": "$.a"}]),
        ("/?a=1", [{"url_query_param": "b"}]),
    ],
)
def test_a_filter_can_find_nothing(value: Any, filters: list[Any]) -> None:
    with pytest.raises(NothingFoundError):
        made(value, *filters)


@pytest.mark.parametrize(
    ("value", "filters", "message"),
    [
        (5, ["count"], "filter count: requires an array, an object or bytes, not a number"),
        ("hunter2", ["count"], "filter count: requires an array, an object or bytes, not a string"),
        (None, ["first"], "filter first: requires an array, not null"),
        ({}, [{"nth": 0}], "filter nth: requires an array, not an object"),
        (
            True,
            ["to_int"],
            "filter to_int: requires a finite number, or a string that contains an integer, not a boolean",
        ),
        (float("inf"), ["to_int"], "requires a finite number"),
        ("hunter2", ["to_int"], "filter to_int: the string is not an integer"),
        ("1_000", ["to_int"], "the string is not an integer"),
        ("nan", ["to_float"], "filter to_float: the string is not a number"),
        ("1e999", ["to_float"], "filter to_float: the number is too large"),
        (10**400, ["to_float"], "the number is too large"),
        ([], ["to_float"], "filter to_float: requires a number, or a string that contains one, not an array"),
        ([], ["to_string"], "filter to_string: requires a string, a number, a boolean or a date, not an array"),
        ("a", ["base64_decode"], "filter base64_decode: the string is not Base64"),
        ("-_==", ["base64_decode"], "the string is not Base64"),
        ("+/", ["base64_url_safe_decode"], "the string is not URL-safe Base64"),
        ("ü", ["base64_url_safe_decode"], "the string is not URL-safe Base64"),
        (5, ["to_hex"], "filter to_hex: requires a string or bytes, not a number"),
        ("a", ["utf8_decode"], "filter utf8_decode: requires bytes, such as those of base64_decode, not a string"),
        ("/w==", ["base64_decode", "utf8_decode"], "filter utf8_decode: the bytes are not utf-8"),
        (
            "YQ==",
            ["base64_decode", {"jsonpath": "$"}],
            "filter jsonpath: requires JSON, or a string that contains JSON, not bytes",
        ),
        ("{", [{"jsonpath": "$"}], "filter jsonpath: the string is not valid JSON"),
        ("[" * 100_000, [{"jsonpath": "$"}], "the string is not valid JSON"),
        ([0] * 10_001, [{"jsonpath": "$[*]"}], "filter jsonpath: finds more than 10000 values"),
        (5, ["html_escape"], "filter html_escape: requires a string, not a number"),
        (b"a", ["url_encode"], "requires a string, not bytes"),
        ("2026-11-21", ["to_date", {"split": "-"}], "filter split: requires a string, not a date"),
        ("http://[", [{"url_query_param": "a"}], "filter url_query_param: the string is not a URL"),
        ("/?" + "a&" * 20_000, [{"url_query_param": "b"}], "the string is not a URL"),
        ("hunter2", ["to_date"], "filter to_date: the string is not a date"),
        ("9" * 101, ["to_date"], "the string is not a date"),
        ("hunter2", [{"to_date": "%Y"}], "filter to_date: the string is not a date of this format"),
        ("2026", ["days_after_now"], "requires a date (see to_date) or seconds since the epoch, not a string"),
        (10**400, ["days_after_now"], "the number is not a date"),
        (1e300, [{"date_format": "%Y"}], "filter date_format: the number is not a date"),
        (
            "a" * 100_000,
            [{"replace": {"old": "a", "new": "b" * 1000}}],
            f"would return more than {MAX_SIZE} characters",
        ),
        (
            "a" * 100_000,
            [{"replace_regex": {"pattern": "a", "new": "b" * 1000}}],
            f"filter replace_regex: would return more than {MAX_SIZE} characters",
        ),
        ("&" * (MAX_SIZE // 4), ["html_escape"], f"filter html_escape: would return more than {MAX_SIZE} characters"),
        ("a," * MAX_PARTS, [{"split": ","}], f"filter split: finds more than {MAX_PARTS} parts"),
    ],
)
def test_an_error_names_the_filter_but_not_the_value(value: Any, filters: list[Any], message: str) -> None:
    with pytest.raises(FilterError) as caught:
        made(value, *filters)
    assert message in str(caught.value)
    assert "hunter2" not in str(caught.value)


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
ANY_FILTER = st.sampled_from(WITHOUT_ARGUMENT) | st.sampled_from(
    [
        {"charset_decode": "utf-16"},
        {"date_format": "%Y"},
        {"jsonpath": "$..a"},
        {"nth": 1},
        {"regex": "a|(b)"},
        {"replace": {"old": "a", "new": "b"}},
        {"replace_regex": {"pattern": "(a)|b", "new": r"\1\1"}},
        {"split": "a"},
        {"to_date": "%Y-%m-%d"},
        {"url_query_param": "a"},
    ]
)


@given(ANY_JSON, st.lists(ANY_FILTER, max_size=6))
def test_every_value_can_be_filtered(value: Any, filters: list[Any]) -> None:
    with contextlib.suppress(FilterError, NothingFoundError):
        made(value, *filters)


@given(st.text(max_size=60))
def test_decoding_reverses_encoding(value: str) -> None:
    for encode, decode in [
        (["base64_encode"], ["base64_decode", "utf8_decode"]),
        (["base64_url_safe_encode"], ["base64_url_safe_decode", "utf8_decode"]),
        (["url_encode"], ["url_decode"]),
        (["html_escape"], ["html_unescape"]),
        (["utf8_encode"], ["utf8_decode"]),
    ]:
        assert made(value, *encode, *decode) == value


@given(st.lists(st.text(alphabet=string.ascii_letters, min_size=1), min_size=1))
def test_parts_of_a_split_string_are_found_by_index(parts: list[str]) -> None:
    text = ",".join(parts)
    for index in range(-len(parts), len(parts)):
        assert made(text, {"split": ","}, {"nth": index}) == parts[index]
    assert made(json.dumps(parts), {"jsonpath": "$[*]"}, "count") == len(parts)


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        (["cuont"], "did you mean 'count'?"),
        (["nth"], 'requires an argument; write {"nth": ...}'),
        ([5], 'must be a string, or an object such as {"nth": 0}, not number'),
        ([{"nth": "0"}], "filters[0].nth: must be a whole number, not string"),
        ([{"nth": 0, "split": ","}], "requires exactly one of charset_decode, date_format"),
        ([{}], "requires exactly one of"),
        ([{"nth": None}], "requires exactly one of"),
        ([{"count": True}], "filters[0].count: unknown field"),
        ([{"regex": "("}], "is not a valid regular expression"),
        ([{"replace_regex": {"pattern": "a", "new": r"\1"}}], "new: names a group that the pattern does not have"),
        ([{"replace_regex": {"pattern": "a", "new": "\\"}}], "new: is not a valid replacement"),
        ([{"replace": {"old": "", "new": ""}}], "must have at least 1 character"),
        ([{"jsonpath": "$["}], "is not a valid JSONPath"),
        ([{"charset_decode": "klingon"}], "is not a known charset"),
        ([{"charset_decode": "zip"}], "is not a known charset"),
        ([{"to_date": "%d%d"}], "is not a date format"),
        ([{"date_format": "%Q%%%"}], "is not a date format"),
        (["base64_decode"], "the last filter, base64_decode, returns bytes; add utf8_decode or to_hex"),
        (["to_date"], "the last filter, to_date, returns a date; add date_format"),
        ([{"to_date": "%Y"}], "the last filter, to_date, returns a date"),
        (["count"] * 21, "at most 20 items"),
    ],
)
def test_mistakes(filters: list[Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Query.model_validate({"query": "body", "filters": filters})
    assert message in "".join(error_lines(caught.value, "body", Query))

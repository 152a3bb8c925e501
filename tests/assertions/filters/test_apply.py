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

from ecs_hooks.assertions.filters.apply import ALONE, TOLD, filtered
from ecs_hooks.assertions.filters.errors import MOST, NothingFoundError, UnfitError
from ecs_hooks.assertions.filters.fields import Filter
from ecs_hooks.assertions.filters.texts import MOST_PARTS
from ecs_hooks.assertions.query import FILTERS, Query


def chain(*filters: Any) -> Any:
    """Return filters as a plan has them."""
    return [each if isinstance(each, str) else Filter.model_validate(each) for each in filters]


def made(value: Any, *filters: Any) -> Any:
    return filtered(chain(*filters), value)


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
def test_what_filters_make_of_a_value(value: Any, filters: list[Any], expected: Any) -> None:
    found = made(value, *filters)

    assert found == expected
    assert type(found) is type(expected)


def test_every_filter_is_tried_and_a_plan_can_name_it() -> None:
    (cases,) = (each.args[1] for each in test_what_filters_make_of_a_value.pytestmark)
    tried = {each if isinstance(each, str) else next(iter(each)) for _, filters, _ in cases for each in filters}

    assert tried | {"days_after_now", "days_before_now"} == set(ALONE) | set(TOLD)
    assert set(FILTERS) == set(ALONE)
    assert set(Filter.model_fields) == set(TOLD)


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
def test_a_filter_that_fits_may_find_nothing(value: Any, filters: list[Any]) -> None:
    with pytest.raises(NothingFoundError):
        made(value, *filters)


@pytest.mark.parametrize(
    ("value", "filters", "says"),
    [
        (5, ["count"], "filter count takes an array, an object or bytes, and gets a number"),
        ("hunter2", ["count"], "filter count takes an array, an object or bytes, and gets a text"),
        (None, ["first"], "filter first takes an array, and gets null"),
        ({}, [{"nth": 0}], "filter nth takes an array, and gets an object"),
        (True, ["to_int"], "filter to_int takes a finite number, or a text with a whole one, and gets a boolean"),
        (float("inf"), ["to_int"], "takes a finite number"),
        ("hunter2", ["to_int"], "filter to_int takes a whole number, and gets another text"),
        ("1_000", ["to_int"], "gets another text"),
        ("nan", ["to_float"], "filter to_float takes a number, and gets another text"),
        ("1e999", ["to_float"], "filter to_float takes a number, and gets one that is too large"),
        (10**400, ["to_float"], "gets one that is too large"),
        ([], ["to_float"], "filter to_float takes a number, or a text with one, and gets an array"),
        ([], ["to_string"], "filter to_string takes a text, a number, a boolean or a date, and gets an array"),
        ("a", ["base64_decode"], "filter base64_decode takes Base64, and gets another text"),
        ("-_==", ["base64_decode"], "takes Base64"),
        ("+/", ["base64_url_safe_decode"], "takes URL safe Base64"),
        ("ü", ["base64_url_safe_decode"], "takes URL safe Base64"),
        (5, ["to_hex"], "filter to_hex takes a text or bytes, and gets a number"),
        ("a", ["utf8_decode"], "filter utf8_decode takes bytes, such as base64_decode makes, and gets a text"),
        ("/w==", ["base64_decode", "utf8_decode"], "filter utf8_decode takes bytes that are utf-8, and gets others"),
        ("YQ==", ["base64_decode", {"jsonpath": "$"}], "filter jsonpath takes JSON, or a text with it, and gets bytes"),
        ("{", [{"jsonpath": "$"}], "filter jsonpath takes JSON, and gets another text"),
        ("[" * 100_000, [{"jsonpath": "$"}], "takes JSON, and gets another text"),
        ([0] * 10_001, [{"jsonpath": "$[*]"}], "filter jsonpath finds more than 10000 values"),
        (5, ["html_escape"], "filter html_escape takes a text, and gets a number"),
        (b"a", ["url_encode"], "and gets bytes"),
        ("2026-11-21", ["to_date", {"split": "-"}], "filter split takes a text, and gets a date"),
        ("http://[", [{"url_query_param": "a"}], "filter url_query_param takes an address, and gets another text"),
        ("/?" + "a&" * 20_000, [{"url_query_param": "b"}], "takes an address"),
        ("hunter2", ["to_date"], "filter to_date takes a date, and gets another text"),
        ("9" * 101, ["to_date"], "takes a date"),
        ("hunter2", [{"to_date": "%Y"}], "filter to_date takes a date of that format, and gets another text"),
        ("2026", ["days_after_now"], "takes a date (see to_date) or seconds since the epoch, and gets a text"),
        (10**400, ["days_after_now"], "takes a date, and gets a number that is none"),
        (1e300, [{"date_format": "%Y"}], "filter date_format takes a date, and gets a number that is none"),
        ("a" * 100_000, [{"replace": {"old": "a", "new": "b" * 1000}}], f"would make more than {MOST} characters"),
        (
            "a" * 100_000,
            [{"replace_regex": {"pattern": "a", "new": "b" * 1000}}],
            f"filter replace_regex would make more than {MOST} characters",
        ),
        ("&" * (MOST // 4), ["html_escape"], f"filter html_escape would make more than {MOST} characters"),
        ("a," * MOST_PARTS, [{"split": ","}], f"filter split finds more than {MOST_PARTS} parts"),
    ],
)
def test_a_filter_that_does_not_fit_says_so_and_no_value(value: Any, filters: list[Any], says: str) -> None:
    with pytest.raises(UnfitError) as caught:
        made(value, *filters)
    assert says in str(caught.value)
    assert "hunter2" not in str(caught.value)


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
ANY_FILTER = st.sampled_from(FILTERS) | st.sampled_from(
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
def test_no_value_is_too_strange_for_any_filters(value: Any, filters: list[Any]) -> None:
    with contextlib.suppress(UnfitError, NothingFoundError):
        made(value, *filters)


@given(st.text(max_size=60))
def test_what_is_encoded_can_be_decoded(value: str) -> None:
    for encode, decode in [
        (["base64_encode"], ["base64_decode", "utf8_decode"]),
        (["base64_url_safe_encode"], ["base64_url_safe_decode", "utf8_decode"]),
        (["url_encode"], ["url_decode"]),
        (["html_escape"], ["html_unescape"]),
        (["utf8_encode"], ["utf8_decode"]),
    ]:
        assert made(value, *encode, *decode) == value


@given(st.lists(st.text(alphabet=string.ascii_letters, min_size=1), min_size=1))
def test_what_is_split_is_found_by_its_place(parts: list[str]) -> None:
    text = ",".join(parts)
    for index in range(-len(parts), len(parts)):
        assert made(text, {"split": ","}, {"nth": index}) == parts[index]
    assert made(json.dumps(parts), {"jsonpath": "$[*]"}, "count") == len(parts)


@pytest.mark.parametrize(
    ("filters", "says"),
    [
        (["cuont"], "did you mean 'count'?"),
        (["nth"], 'requires an argument, for example an object such as {"nth": 0}'),
        ([5], 'must be a string, or an object such as {"nth": 0}, not number'),
        ([{"nth": "0"}], "must be a whole number, not"),
        ([{"nth": 0, "split": ","}], "give exactly one of charset_decode, date_format"),
        ([{}], "give exactly one of"),
        ([{"nth": None}], "give exactly one of"),
        ([{"count": True}], "Extra inputs"),
        ([{"regex": "("}], "is not a valid regular expression"),
        ([{"replace_regex": {"pattern": "a", "new": r"\1"}}], "new: names a group that the pattern does not have"),
        ([{"replace_regex": {"pattern": "a", "new": "\\"}}], "new: is not a valid replacement"),
        ([{"replace": {"old": "", "new": ""}}], "at least 1 character"),
        ([{"jsonpath": "$["}], "is no valid JSONPath"),
        ([{"charset_decode": "klingon"}], "is no known charset"),
        ([{"charset_decode": "zip"}], "is no known charset"),
        ([{"to_date": "%d%d"}], "is no format of dates"),
        ([{"date_format": "%Q%%%"}], "is no format of dates"),
        (["base64_decode"], "the last one, base64_decode, makes bytes: add utf8_decode or to_hex"),
        (["to_date"], "the last one, to_date, makes a date: add date_format"),
        ([{"to_date": "%Y"}], "the last one, to_date, makes a date"),
        (["count"] * 21, "at most 20 items"),
    ],
)
def test_mistakes(filters: list[Any], says: str) -> None:
    with pytest.raises(ValueError, match="filters") as caught:
        Query.model_validate({"query": "body", "filters": filters})
    assert says in str(caught.value)

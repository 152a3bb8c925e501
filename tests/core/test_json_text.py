from __future__ import annotations

import copy
import json
import math
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_hooks.core.json_text import MAX_DEPTH, HugeNumber, JsonError, has_bom, read_json, refuse_unportable, write_json

LONG = "9" * 5000


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is not JSON: Expecting value, line 1 column 1"),
        (b"<html>", "is not JSON: Expecting value, line 1 column 1"),
        (b'{"a": 1,}', "is not JSON: Expecting property name enclosed in double quotes, line 1 column 9"),
        (b"[1]\n[2]", "is not JSON: Extra data, line 2 column 1"),
        (b"NaN", "is not JSON: NaN is not a number of JSON"),
        (b'{"a": [Infinity]}', "is not JSON: Infinity is not a number of JSON"),
        (b"[-Infinity]", "is not JSON: -Infinity is not a number of JSON"),
        (b"\xff", "is not JSON: its text is not UTF-8"),
        (b'"\xed\xa0\x80"', "is not JSON: its text is not UTF-8"),
        ("[1]".encode("utf-16"), "is not JSON: it is UTF-16 or UTF-32, without a charset that says so"),
        ("[1]".encode("utf-16-le"), "is not JSON: it is UTF-16 or UTF-32, without a charset that says so"),
        ("[1]".encode("utf-16-be"), "is not JSON: it is UTF-16 or UTF-32, without a charset that says so"),
        ("[1]".encode("utf-32"), "is not JSON: it is UTF-16 or UTF-32, without a charset that says so"),
        ("[1]".encode("utf-32-be"), "is not JSON: it is UTF-16 or UTF-32, without a charset that says so"),
        ("\ufeff[1]".encode("utf-32-be"), "is not JSON: it is UTF-16 or UTF-32, without a charset that says so"),
        (b"\x1f\x8b\x08\0\0\0\0\0", "is not JSON: its text is not UTF-8"),  # gzip
        (b"\xef\xbb\xbf\xef\xbb\xbf[1]", "is not JSON: Expecting value, line 1 column 1"),
        (b"01", "is not JSON: Extra data, line 1 column 2"),
        (b"+1", "is not JSON: Expecting value, line 1 column 1"),
        (b"1e99999999999999999999", "has a number whose exponent is too large"),
    ],
)
def test_texts_that_are_no_json(content: bytes, problem: str) -> None:
    with pytest.raises(JsonError) as caught:
        read_json(content)
    assert str(caught.value) == problem


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ("\ufeff[1]", [1]),
        (b"\xef\xbb\xbf[1]", [1]),
        (b' {"a": "\xc3\xa4"} ', {"a": "\xe4"}),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b'"\\ud800"', "\ud800"),
        (b'{"a": 1, "b": 2, "a": 3}', {"a": 3, "b": 2}),
        (b"1E3", 1000.0),
        (b"-0", 0),
        (b"9007199254740993", 9_007_199_254_740_993),
        (b"1e-400", 0.0),
        (b"0.1", 0.1),
        (b"1e308", 1e308),
        (b"9" * 308, int("9" * 308)),
        (LONG.encode(), HugeNumber(LONG)),
    ],
)
def test_json(content: bytes | str, value: object) -> None:
    found = read_json(content)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("charset", ["iso-8859-1", "utf-16", "utf-16-le", "utf-32", "cp1252"])
def test_the_charset_counts(charset: str) -> None:
    assert read_json('{"a": "\xe9"}'.encode(charset), charset) == {"a": "\xe9"}


def test_bytes_that_are_not_of_the_charset() -> None:
    with pytest.raises(JsonError, match=r"^is not JSON: its text is not UTF-16-LE$"):
        read_json(b'"a"', "utf-16-le")
    # The mark is certain, the charset is only declared.
    assert read_json('\ufeff"\xe9"'.encode(), "iso-8859-1") == "\xe9"
    assert read_json('\ufeff"\xe9"'.encode("utf-16-le"), "utf-16-le") == "\xe9"


@pytest.mark.parametrize(("begin", "end"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
def test_the_depth_is_limited(begin: str, end: str) -> None:
    levels = MAX_DEPTH // (begin.count("[") + begin.count("{"))
    assert write_json(read_json(begin * levels + "1" + end * levels)) == begin * levels + "1" + end * levels
    for deeper in (levels + 1, 100_000):
        with pytest.raises(JsonError, match=r"^is nested too deeply$"):
            read_json(begin * deeper + "1" + end * deeper)
    wide = "[" + ",".join(["[]"] * 2 * MAX_DEPTH) + "]"
    assert len(read_json(wide)) == 2 * MAX_DEPTH
    assert read_json(json.dumps("[" * 5000)) == "[" * 5000


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"checks": [], "checks": [1]}', "has the key 'checks' twice in one object"),
        ('[{"a": {"b": 1, "c": 2, "b": 1}}]', "has the key 'b' twice in one object"),
        (f'{{"a": [{LONG}]}}', "has a number that is too large (5000 characters)"),
        ("-1e400", "has a number that is too large (6 characters)"),
        ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "is nested too deeply"),
    ],
)
def test_a_plan_is_read_strictly(text: str, problem: str) -> None:
    with pytest.raises(JsonError) as caught:
        read_json(text, strict=True)
    assert str(caught.value) == problem


def test_a_plan_may_use_a_name_in_several_objects() -> None:
    assert read_json('{"a": {"a": 1}, "b": [{"a": 2}, {"a": 3}]}', strict=True)["b"] == [{"a": 2}, {"a": 3}]
    assert read_json("1", strict=True) == 1


def test_a_byte_order_mark() -> None:
    assert has_bom("\ufeff[]".encode())
    assert not has_bom(b"[]")


# Numbers beyond the range of a double


def huge(text: str) -> HugeNumber:
    number = read_json(text)
    assert isinstance(number, HugeNumber)
    return number


def test_huge_numbers_are_compared_by_their_digits() -> None:
    assert huge("1e400") == huge("10e399") == 10**400
    assert hash(huge("1e400")) == hash(huge("10e399"))
    assert huge("1e400") != huge("1e401")
    assert huge("1e400") != math.inf
    assert huge("1e400") != "1e400"
    assert huge("1e400") < huge("1e401") <= 10**401
    assert huge("-1e401") < huge("-1e400") < 1
    assert huge("1e400") > 1e308
    assert huge("1e400") >= 10**400
    assert huge("1e400") >= 10**400
    assert huge("1e400") not in {1, 2}


def test_huge_numbers_are_floats_and_integers_of_json() -> None:
    assert float(huge("-1e400")) == -math.inf
    assert huge(LONG).is_integer()
    assert not huge("1" * 400 + ".5").is_integer()
    assert huge("1e999999999").is_integer()
    assert huge("-1200e400").parts == ("-12", 402)
    assert huge("1" * 400 + ".5").parts == ("1" * 400 + "5", -1)


def test_huge_numbers_keep_their_text() -> None:
    number = huge(LONG)
    assert str(number) == LONG
    assert repr(number) == f"{number:g}" == f"{'9' * 80}..."
    assert repr(huge("1e400")) == "1e400"
    for same in (copy.deepcopy(number), pickle.loads(pickle.dumps(number))):
        assert (type(same), str(same)) == (HugeNumber, LONG)


def test_a_number_of_ten_million_digits_takes_no_time() -> None:
    number = huge("7" * 10_000_000)
    assert number == huge("7" * 10_000_000)
    assert number != huge("7" * 9_999_999)


def test_values_are_written_as_they_were_read() -> None:
    text = f'{{"a":[1e400,-{LONG},"1e400",{{"b":null}}],"c":"\\ud800\\u00e4"}}'
    assert write_json(read_json(text)) == text
    assert write_json([1, {"a": 2}], (", ", ": ")) == '[1, {"a": 2}]'
    assert write_json((huge("1e400"), True)) == "[1e400,true]"
    for wrong in (math.nan, [math.inf, huge("1e400")]):
        with pytest.raises(ValueError, match="not JSON compliant"):
            write_json(wrong)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_what_is_written_is_read_as_the_same(value: Any) -> None:
    for strict in (False, True):
        assert read_json(write_json(value), strict=strict) == value


@pytest.mark.parametrize("number", [math.nan, -math.inf])
def test_numbers_that_json_does_not_have_are_refused(number: float) -> None:
    with pytest.raises(JsonError, match="has a number that JSON does not have, NaN or an infinite one"):
        refuse_unportable({"a": [number]})

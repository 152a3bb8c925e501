from __future__ import annotations

import base64
import json
import random
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecs_hooks.core.redaction import MASK, Redactor, is_secret_name
from tests.support.encoders import ENCODERS, Encoder, in_base64, wrapped

SECRETS = st.text(min_size=4, max_size=40).filter(lambda text: len(text.strip()) >= 4 and "*" not in text)


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "proxy-authorization",
        "Cookie",
        "Set-Cookie",
        "X-Api-Key",
        "apiKey",
        "password",
        "passwd",
        "pwd",
        "client_secret",
        "access_token",
        "csrf",
        "sessionid",
        "X-Amz-Signature",
        "X-Auth",
        "key",
        "private_key",
        "sid",
    ],
)
def test_names_that_tell_of_a_secret(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name", ["author", "Content-Type", "keyboard", "status", "compass", "monkey", "inside", "Accept"]
)
def test_names_that_do_not(name: str) -> None:
    assert not is_secret_name(name)


@given(SECRETS, st.text(), st.text())
def test_a_secret_is_masked_in_every_form(secret: str, before: str, after: str) -> None:
    redactor = Redactor(secret)
    for form in (secret, json.dumps(secret)[1:-1]):
        assert form not in redactor.mask(before + form + after).replace(MASK, "")
    if all(not 0xD800 <= ord(each) <= 0xDFFF for each in secret):
        raw = secret.strip()
        in_scripts = quote(raw, safe="!'()*~")
        for form in (
            quote(raw),
            quote(raw, safe=""),
            in_scripts,
            quote_plus(raw),
            base64.b64encode(secret.encode()).decode(),
        ):
            assert form not in redactor.mask(before + form + after).replace(MASK, "")


@given(SECRETS, st.text(max_size=100))
def test_a_value_is_masked_before_it_is_cut(secret: str, before: str) -> None:
    shown = Redactor(secret).show(before + secret)
    assert secret not in shown
    assert len(secret) < 8 or not any(
        json.dumps(secret[:size])[1:-1] in shown for size in range(8, len(secret)) if (secret[:size] not in before)
    )


def test_headers() -> None:
    redactor = Redactor()
    basic = base64.b64encode(b"user:passw0rd").decode()
    redactor.add_header("Authorization", f"Basic {basic}")
    redactor.add_header("authorization", "Bearer abcdef")
    redactor.add_header("Authorization", "Basic nonsense!")
    redactor.add_header("Cookie", "session=s3cr3t; theme=darkness")
    redactor.add_header("Accept", "text/plain")
    assert redactor.mask(f"{basic} user:passw0rd passw0rd abcdef s3cr3t darkness text/plain") == (
        "*** *** *** *** *** *** text/plain"
    )


def test_fields_at_any_depth() -> None:
    redactor = Redactor()
    redactor.add_fields(
        {"user": "alice", "password": "passw0rd", "auth": {"ids": [12345, True, None]}, "list": [{"token": "t0ken"}]}
    )
    assert redactor.mask("alice passw0rd 12345 true t0ken") == "alice *** *** true ***"


def test_what_is_too_short_is_no_secret() -> None:
    assert Redactor("a", "").mask("a status") == "a status"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ('a"b\n', '"a\\"b "'),
        ({"a": 1}, "an object with 1 key"),
        ([], "an array with 0 items"),
        (None, "null"),
        (1.5, "1.5"),
        (True, "true"),
        ("x" * 81, '"' + "x" * 80 + '..."'),
        (10**100, "1" + "0" * 79 + "..."),
        (b"bytes", "\"b'bytes'\""),
    ],
)
def test_values_are_shown_short_and_on_one_line(value: object, shown: str) -> None:
    assert Redactor().show(value) == shown


def test_whether_a_secret_stands_in_a_value() -> None:
    redactor = Redactor("hunter2", "12345")

    known: list[object] = ["a hunter2", ["a", {"b": "hunter2"}], {"hunter2": 1}, 12345, [{"a": [None, 12345]}]]
    unknown: list[object] = ["hunter", [], {"a": {"b": [1, None, True]}}, 1234, None]
    assert [redactor.knows(each) for each in known] == [True] * 5
    assert [redactor.knows(each) for each in unknown] == [False] * 5


SOME = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp", "Cf", "Co", "Cn"]), min_size=8, max_size=40
)
SOME = SOME.filter(lambda text: len(text.strip("+").replace("+", "")) >= 8 and text.strip("+") == text)
"""Secrets of at least eight characters."""


@pytest.mark.parametrize("outer", [*ENCODERS, wrapped])
@pytest.mark.parametrize("inner", ENCODERS)
@settings(max_examples=15)
@given(secret=SOME, before=st.text("ab :/=", max_size=5), after=st.text("ab :/=&", max_size=5), seed=st.integers())
def test_a_secret_is_masked_in_two_nested_encodings(
    inner: Encoder, outer: Encoder, secret: str, before: str, after: str, seed: int
) -> None:
    chance = random.Random(seed)
    encoded = outer(inner(secret, chance), chance)

    masked = Redactor(secret).mask(f"{before}{encoded}{after}")

    # A digit of Base64 or of hex beside the secret has bits of its neighbours too.
    left = masked.replace(MASK, "", 1)
    assert MASK in masked
    assert encoded not in masked
    assert len(left) <= len(before) + len(after) + (100 if in_base64 in {inner, outer} else 3)

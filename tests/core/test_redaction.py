from __future__ import annotations

import base64
import html
import json
import random
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecs_hooks.core.redaction import MASK, Redactor, is_secret_name

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


Encoder = Callable[[str, random.Random], str]
SOME = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp", "Cf", "Co", "Cn"]), min_size=8, max_size=40
)
SOME = SOME.filter(lambda text: len(text.strip("+").replace("+", "")) >= 8 and text.strip("+") == text)
"""Secrets of at least eight characters."""


def percent(text: str, chance: random.Random) -> str:
    return "".join(
        f"%{byte:02x}" if chance.random() < 0.5 else f"%{byte:02X}" if byte > 0x7E or chr(byte) in "% " else chr(byte)
        for byte in text.encode()
    )


def form(text: str, chance: random.Random) -> str:
    return "".join(
        "+" if each == " " else quote(each, safe="") if chance.random() < 0.5 or each in "%+" else each for each in text
    )


def in_json(text: str, chance: random.Random) -> str:
    def escaped(each: str) -> str:
        if each == "/" and chance.random() < 0.5:
            return "\\/"
        if chance.random() < 0.5:
            units = each.encode("utf-16-be")
            found = "".join(f"\\u{units[place : place + 2].hex()}" for place in range(0, len(units), 2))
            return found if chance.random() < 0.5 else found.upper().replace("U", "u")
        return json.dumps(each, ensure_ascii=False)[1:-1]

    return "".join(map(escaped, text))


def in_html(text: str, chance: random.Random) -> str:
    forms: list[Callable[[str], str]] = [
        html.escape,
        html.escape,
        lambda each: f"&#{ord(each)};",
        lambda each: f"&#{ord(each):06};",
        lambda each: f"&#x{ord(each):x};",
        lambda each: f"&#X{ord(each):06X};",
        lambda each: each.encode("ascii", "xmlcharrefreplace").decode() if each != "&" else "&amp;",
    ]
    # HTML reads references to C1 control characters as those of Windows-1252, and to some as none.
    return "".join(chance.choice(forms)(each) for each in text)


def in_base64(text: str, chance: random.Random) -> str:
    around = ["".join(chance.choices("abc:/", k=chance.randrange(4))) for _ in range(2)]
    encode = base64.b64encode if chance.random() < 0.5 else base64.urlsafe_b64encode
    found = encode(f"{around[0]}{text}{around[1]}".encode()).decode()
    return found if chance.random() < 0.5 else found.rstrip("=")


def as_latin1(text: str, chance: random.Random) -> str:
    raw = text.encode()
    return (
        raw.decode("latin-1")
        if chance.random() < 0.5
        else "".join(
            bytes([byte]).decode("cp1252") if byte not in {0x81, 0x8D, 0x8F, 0x90, 0x9D} else chr(byte) for byte in raw
        )
    )


def in_python(text: str, chance: random.Random) -> str:
    return repr(text)[1:-1] if chance.random() < 0.5 else repr(text.encode())[2:-1]


def in_hex(text: str, chance: random.Random) -> str:
    return text.encode().hex() if chance.random() < 0.5 else text.encode().hex().upper()


def wrapped(text: str, chance: random.Random) -> str:
    return "".join(each + chance.choice(["", "", "", "", "\n", " ", "\r\n "]) for each in text)


def same(text: str, _: random.Random) -> str:
    return text


ENCODERS: list[Encoder] = [same, percent, form, in_json, in_html, in_base64, as_latin1, in_python, in_hex]


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

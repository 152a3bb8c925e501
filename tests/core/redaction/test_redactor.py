from __future__ import annotations

import base64
import json
import random
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecs_hooks.core.redaction import MASK, Redactor, is_secret_name, mask_every_secret
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
        "X-Functions-Key",
        "Ocp-Apim-Subscription-Key",
        "X-Hub-Signature-256",
        "functionsKey",
        "x_key2",
        "sig",
        "authentication",
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


@pytest.mark.parametrize("limit", [10, 40, 200])
def test_a_text_is_masked_before_it_is_cut(limit: int) -> None:
    secret = "k3y/+=9sd8f7"
    for before in range(limit - 13, limit + 2):
        for text in (f"{'-' * before}{secret}{'-' * 9}", f"{'-' * before}{secret}{'-' * 9_999}"):
            shown = Redactor(secret).cut(text, limit)
            assert shown.startswith(f"{'-' * before}***"[:limit])
            assert not set(shown) & set("k3y/+=9sd8f7")


def test_a_fragment_is_masked() -> None:
    redactor = Redactor("abcdefghijkl-mnopqrstuvwx")
    assert redactor.mask("abcdefghij... mnopqrst, stuvwx") == "***... ***, stuvwx"


def test_a_long_secret_is_masked_where_15_bytes_of_it_are_shown() -> None:
    chance = random.Random(1)
    secret = "".join(chance.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=200_001))
    redactor = Redactor(secret)

    assert redactor.mask(f"({secret[:100_000]})") == "(***)"
    assert redactor.mask(f"({secret})"[-100_000:]).endswith("***)")
    for begin in (0, 7, 1_234, 199_986):
        assert MASK in redactor.mask(secret[begin : begin + 15])


def test_the_number_of_received_secrets_is_bounded() -> None:
    redactor = Redactor("g1ven-g1ven")
    chance = random.Random(1)
    cookies = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=2_000)) for _ in range(200)]
    for cookie in (*cookies, "g1ven-g1ven", cookies[-1]):
        redactor.add_received(cookie)

    assert sum(index.size for index in redactor._received.indexes) < 110_000
    assert redactor.mask(f"({cookies[-1]}) ({cookies[-20]}) (g1ven-g1ven)") == "(***) (***) (***)"
    assert redactor.mask(cookies[0]) == cookies[0]


def test_short_secrets_are_masked_as_a_whole() -> None:
    redactor = Redactor("a+b c", " pa ss ", "\x00\x01\x02\x03")
    assert redactor.mask("a b c, a+b+c; pa ss; pa+ss; passion; a+b") == "***, ***; ***; ***; passion; a+b"
    assert redactor.mask("\\u0000\\u0001\\u0002\\u0003!") == "***!"


def test_the_members_of_a_json_secret_are_secrets_by_name() -> None:
    redactor = Redactor('{"user": "me", "password": "pa55", "port": 5432}', "{broken")
    assert redactor.mask("me pa55 5432") == "me *** 5432"


def test_escapes_that_are_none() -> None:
    redactor = Redactor("abcdefgh")
    assert redactor.mask("\\u{ffffff}abcdefgh \\U0001f600 \\377 \\101") == "\\u{ffffff}*** \\U0001f600 \\377 \\101"
    assert Redactor("€uro-€uro").mask("\\u{20ac}uro-\\u{20AC}uro") == "***"
    assert Redactor("\U0001f600-\U0001f600").mask("\\ud83d\\ude00-\\U0001F600") == "***"
    assert Redactor("pässwörter").mask("p\\303\\244ssw\\xc3\\xb6rter") == "***"


def test_captured_values_are_bound_to_their_origin_but_shown() -> None:
    redactor = Redactor("g1ven-g1ven")
    redactor.add_received("c00kie-c00kie")
    redactor.bind({"id": 51234, "names": ["alice"]})

    assert redactor.mask("51234 alice") == "51234 alice"
    values = ["x g1ven-g1ven", b"c00kie-c00kie", {"a": ["51234"]}, "alice", "bob"]
    assert [redactor.binds(each) for each in values] == [True, True, True, True, False]
    assert [redactor.knows(each) for each in values] == [True, True, False, False, False]
    assert [redactor.was_given(each) for each in values] == [True, False, False, False, False]
    assert redactor.knows("x" * 200_000)
    assert not Redactor().knows("x" * 200_000)


def test_a_text_without_a_redactor_of_its_own() -> None:
    Redactor("an0ther-an0ther")
    assert mask_every_secret("Traceback: an0ther-an0ther") == "Traceback: ***"


def test_long_texts_are_cut_and_non_ascii_characters_stay_whole() -> None:
    assert Redactor("abcdefgh").mask("x" * 200_000) == f"{'x' * 131_072}..."
    assert Redactor("пароль-пароль").mask("мой пароль-пароль и ключ") == "мой *** и ключ"
    assert Redactor("яабвгд").mask("ёабвгд").count("�") == 0


def test_secrets_are_added_once_and_from_values_at_any_depth() -> None:
    redactor = Redactor("hunter2", "hunter2")
    redactor.add_secrets([{"a": [12345, True, None]}, "t0ken"])
    assert redactor.mask("hunter2 12345 t0ken") == "*** *** ***"


def test_what_follows_a_cut_is_not_shown() -> None:
    text = f"{'-' * 5_000}hunter2{'-' * 5_000}"
    assert Redactor("hunter2").cut(text, 1_000) == f"{'-' * 1_000}..."


@pytest.mark.parametrize("name", ["X-Api-Key", "Authorization", "X-Auth-Token"])
def test_a_header_with_a_space_is_masked(name: str) -> None:
    redactor = Redactor()
    redactor.add_header(name, "\\\\ +")
    assert redactor.mask("a \\\\ + b") == "a *** b"
    redactor.add_header(name, "Token abcd")
    assert "abcd" not in redactor.mask("is abcd")

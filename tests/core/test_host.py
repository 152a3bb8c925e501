from __future__ import annotations

import pytest

from ecs_hooks.core.host import ascii_authority, ascii_host


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Example.com", "Example.com"),
        ("my_service.internal.", "my_service.internal."),
        ("B\xdcCHER.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("stra\xdfe.de", "xn--strae-oqa.de"),
        ("\u2615.example", "xn--53h.example"),
        ("exam\xadple.com", "example.com"),
        ("\uff11\uff16\uff19\uff0e254\u3002169\uff61254", "169.254.169.254"),
        ("\u2460.\u2461.3.4", "1.2.3.4"),
        ("a_\xfc.example", "xn--a_-yka.example"),
    ],
)
def test_names_are_ascii_as_in_browsers(name: str, expected: str) -> None:
    assert ascii_host(name) == expected


@pytest.mark.parametrize(
    "name", ["", ".", "a b", "a/b", "a:80", "a@b", "a%b", "\x00", "\ufffd.com", "\u3000", "a\uff0fb", "\ud800", "\xad"]
)
def test_other_texts_are_no_host_names(name: str) -> None:
    with pytest.raises(ValueError, match="is not a valid host name"):
        ascii_host(name)


def test_a_name_has_a_limit() -> None:
    with pytest.raises(ValueError, match="must have at most 1000 characters"):
        ascii_host("\xfc" * 1001)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("b\xfccher.example:8443", "xn--bcher-kva.example:8443"),
        ("Example.com", "Example.com"),
        ("[::1]:80", "[::1]:80"),
        ("[::1]", "[::1]"),
        ("a:", "a:"),
    ],
)
def test_a_port_stays(text: str, expected: str) -> None:
    assert ascii_authority(text) == expected


@pytest.mark.parametrize("text", ["a:b", "a:80:90", "[::1]x", "[[", ":80", ""])
def test_what_is_neither_host_nor_port(text: str) -> None:
    with pytest.raises(ValueError, match=r"must have the form HOST or HOST:PORT|is not a valid host name"):
        ascii_authority(text)

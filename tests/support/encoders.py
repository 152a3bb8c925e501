"""The forms in which a server can send a text back."""

from __future__ import annotations

import base64
import html
import json
import random
from collections.abc import Callable
from urllib.parse import quote

Encoder = Callable[[str, random.Random], str]


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

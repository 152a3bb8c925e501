from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_hooks.http.decoding import decoded
from ecs_hooks.http.errors import ProtocolError


def bare(body: bytes) -> bytes:
    compress = zlib.compressobj(wbits=-15)
    return compress.compress(body) + compress.flush()


def twice(body: bytes) -> bytes:
    return zlib.compress(gzip.compress(body))


def members(body: bytes) -> bytes:
    return gzip.compress(body[:3]) + gzip.compress(body[3:])


ENCODERS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzip.compress),
    ("X-Gzip", gzip.compress),
    ("gzip", members),
    ("deflate", zlib.compress),
    ("deflate", bare),
    ("gzip, deflate", twice),
]
PIECES = st.integers(1, 200)


def unpack(body: bytes, encodings: str, size: int = 65_536) -> bytes:
    pieces = list(decoded([body[at : at + size] for at in range(0, len(body), size)], encodings))
    assert all(len(each) <= 65_536 for each in pieces)
    return b"".join(pieces)


@given(st.sampled_from(ENCODERS), st.binary(max_size=300) | st.integers(1, 300_000).map(bytes), PIECES)
def test_whole_bodies_are_unpacked(encoder: tuple[str, Callable[[bytes], bytes]], body: bytes, size: int) -> None:
    encodings, encode = encoder

    assert unpack(encode(body), encodings, size) == body


@given(
    st.sampled_from([each for each in ENCODERS if each[1] is not members]), st.binary(max_size=300), PIECES, st.data()
)
def test_cut_bodies_are_none(
    encoder: tuple[str, Callable[[bytes], bytes]], body: bytes, size: int, data: st.DataObject
) -> None:
    encodings, encode = encoder
    whole = encode(body)
    cut = whole[: data.draw(st.integers(1, len(whole) - 1))]

    with pytest.raises(ProtocolError, match=r"response body is truncated|does not match its Content-Encoding"):
        unpack(cut, encodings, size)


@pytest.mark.parametrize("size", [65_536, 65_537, 65_540, 200_000])
def test_what_waits_in_the_decoder_when_the_pieces_are_over(size: int) -> None:
    assert unpack(bare(bytes(size)), "deflate") == bytes(size)


def test_a_cut_within_a_further_gzip() -> None:
    with pytest.raises(ProtocolError, match="truncated"):
        unpack(members(b"hello world")[:-3], "gzip")


@given(st.binary(max_size=100), st.binary(min_size=10, max_size=100), PIECES)
def test_what_is_none_is_a_protocol_error_or_bytes(begin: bytes, end: bytes, size: int) -> None:
    for encodings in ("gzip", "deflate"):
        try:
            unpack(begin + end, encodings, size)
        except ProtocolError as error:
            assert "response body" in str(error)


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_what_stands_behind_the_end_is_left_out(encoding: str, size: int) -> None:
    compress = gzip.compress if encoding == "gzip" else zlib.compress

    assert unpack(compress(b"hello") + bytes(100) + b"more", encoding, size) == b"hello"


@pytest.mark.parametrize("encodings", ["", "br", "identity", "gzip, br", "gzip,unknown"])
def test_what_is_not_known_stays(encodings: str) -> None:
    assert unpack(b"hello", encodings) == b"hello"


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_nothing_at_all(encoding: str) -> None:
    assert unpack(b"", encoding) == b""

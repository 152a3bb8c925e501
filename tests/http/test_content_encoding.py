"""Bodies in each encoding: whole, cut, mixed up, without end, and in encodings that are not supported."""

from __future__ import annotations

import gzip
import sys
import time
import zlib
from collections.abc import Callable
from functools import partial
from itertools import pairwise

import brotli
import pytest
from backports import zstd
from hypothesis import assume, given
from hypothesis import strategies as st

from ecs_hooks.core.deadline import Deadline
from ecs_hooks.http import HttpClient, Limits
from ecs_hooks.http.content_encoding import decoded
from ecs_hooks.http.errors import DeadlineError, ProtocolError, ResponseTimeoutError, TooLargeError
from tests.http.behaviours import slow_to_decode
from tests.http.fixtures import Serve
from tests.http.servers import replying


def bare(body: bytes) -> bytes:
    compress = zlib.compressobj(wbits=-15)
    return compress.compress(body) + compress.flush()


def twice(body: bytes) -> bytes:
    return zlib.compress(gzip.compress(body))


def members(body: bytes) -> bytes:
    return gzip.compress(body[:3]) + gzip.compress(body[3:])


def frames(body: bytes) -> bytes:
    return SKIPPED + zstd.compress(body[:3]) + SKIPPED + zstd.compress(body[3:])


def five(body: bytes) -> bytes:
    for compress in (brotli.compress, gzip.compress, zstd.compress, bare, gzip.compress):
        body = compress(body)
    return body


SKIPPED = b"\x50\x2a\x4d\x18\x03\0\0\0abc"
"""A frame of zstd without data."""
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": partial(gzip.compress, mtime=0),
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstd.compress,
}
CHECKSUM: dict[int, int] = {zstd.CompressionParameter.checksum_flag: 1}


ENCODERS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzip.compress),
    ("X-Gzip", gzip.compress),
    ("gzip", members),
    ("deflate", zlib.compress),
    ("deflate", bare),
    ("gzip, deflate", twice),
    ("identity", bytes),
    ("gzip,, identity ,", gzip.compress),
    ("br", brotli.compress),
    ("zstd", zstd.compress),
    ("zstd", frames),
    ("br, gzip, zstd, deflate, gzip", five),
]
PIECES = st.integers(1, 200)


def unpack(body: bytes, encodings: str, size: int = 65_536) -> bytes:
    pieces = list(decoded([body[at : at + size] for at in range(0, len(body), size)], encodings, lambda: None))
    assert all(len(each) <= 65_536 for each in pieces)
    return b"".join(pieces)


@given(st.sampled_from(ENCODERS), st.binary(max_size=300) | st.integers(1, 300_000).map(bytes), PIECES)
def test_whole_bodies_are_unpacked(encoder: tuple[str, Callable[[bytes], bytes]], body: bytes, size: int) -> None:
    encodings, encode = encoder

    assert unpack(encode(body), encodings, size) == body


@given(
    st.sampled_from([each for each in ENCODERS if each[1] not in {bytes, members, frames}]),
    st.binary(max_size=300),
    PIECES,
    st.data(),
)
def test_cut_bodies_are_none(
    encoder: tuple[str, Callable[[bytes], bytes]], body: bytes, size: int, data: st.DataObject
) -> None:
    encodings, encode = encoder
    whole = encode(body)
    assume(len(whole) > 1)
    cut = whole[: data.draw(st.integers(min(1, len(whole) - 1), len(whole) - 1))]

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
    assert unpack(COMPRESS[encoding](b"hello") + bytes(100) + b"more", encoding, size) == b"hello"


@pytest.mark.parametrize("encodings", ["", "identity", " , ", "Identity, identity"])
def test_without_compression_a_body_stays(encodings: str) -> None:
    assert unpack(b"hello", encodings) == b"hello"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "compress", "gzip, dcz", "gzip," * 900])
def test_nothing_at_all(encoding: str) -> None:
    assert unpack(b"", encoding) == b""
    assert b"".join(decoded([b"", b""], encoding, lambda: None)) == b""


@pytest.mark.parametrize(
    ("encodings", "problem"),
    [
        ("compress", "Content-Encoding compress, which is not one of gzip, deflate, br, zstd"),
        ("gzip;q=1", "Content-Encoding gzip;q=1, which"),
        ("unknown, gzip", "Content-Encoding unknown, which"),
        ("aws-chunked", "Content-Encoding aws-chunked, which"),
        ("\x00\xe9" + "x" * 100, f"Content-Encoding {'?' * 2}{'x' * 38}, which"),
        ("gzip," * 6, "6 content encodings; at most 5 are decoded"),
        ("gzip, " * 900, "900 content encodings; at most 5 are decoded"),
    ],
)
def test_other_encodings_are_named(encodings: str, problem: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        unpack(gzip.compress(b"hello"), encodings)
    assert f"response body has {problem}" in str(caught.value) or f"response body has the {problem}" in str(
        caught.value
    )


@pytest.mark.parametrize(
    ("encoding", "modules"), [("br", ["brotli"]), ("zstd", ["compression.zstd", "backports.zstd"])]
)
def test_an_encoding_whose_library_is_missing_is_named(
    encoding: str, modules: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in modules:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ProtocolError, match=rf"Content-Encoding {encoding}, whose library is not installed; install "):
        unpack(b"hello", encoding)


def test_a_brotli_library_without_limits_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    class Old:
        def process(self, data: bytes) -> bytes:
            raise AssertionError(data)

    monkeypatch.setattr(brotli, "Decompressor", Old)
    with pytest.raises(ProtocolError, match="whose library is not installed"):
        unpack(b"hello", "br")


@pytest.mark.parametrize(
    ("encoding", "more"),
    [
        ("gzip", gzip.compress(b"more")[:-9] + bytes(9)),
        ("gzip", b"\x1f\x8b\xff"),
        ("zstd", zstd.compress(b"more", options=CHECKSUM)[:-4] + bytes(4)),
        ("zstd", b"\x28\xb5\x2f\xfd\xff" + bytes(20)),
    ],
    ids=["wrong checksum", "no gzip", "wrong checksum of zstd", "no zstd"],
)
def test_a_further_stream_that_is_not_valid(encoding: str, more: bytes) -> None:
    first = COMPRESS[encoding](b"hello")
    with pytest.raises(ProtocolError, match=r"does not match its Content-Encoding|truncated"):
        unpack(first + more, encoding, 7)


@pytest.mark.parametrize(("encoding", "begin"), [("gzip", b"\x1f"), ("zstd", b"\x28\xb5"), ("zstd", b"\x5f\x2a\x4d")])
def test_a_further_stream_that_is_cut_in_its_first_bytes(encoding: str, begin: bytes) -> None:
    first = COMPRESS[encoding](b"hello")
    with pytest.raises(ProtocolError, match="truncated"):
        unpack(first + begin, encoding)
    assert unpack(first + b"x", encoding) == b"hello"


def test_what_stands_behind_brotli_is_an_error() -> None:
    with pytest.raises(ProtocolError, match="does not match its Content-Encoding"):
        unpack(brotli.compress(b"hello") + b"more", "br")


def test_a_window_of_zstd_is_limited() -> None:
    body = zstd.compress(bytes(20_000_000), options={zstd.CompressionParameter.window_log: 26})
    with pytest.raises(ProtocolError, match="does not match its Content-Encoding"):
        unpack(body, "zstd")


def test_pieces_are_small() -> None:
    """Those of a bomb, too: `unpack` checks the size of each."""
    for encoding, compress in COMPRESS.items():
        assert len(unpack(compress(bytes(3_000_000)), encoding)) == 3_000_000


class TestTime:
    """Decoding counts in the time of a request."""

    def test_it_is_held_to_the_timeout(self, serve: Serve) -> None:
        server = serve(replying(slow_to_decode(), "Content-Encoding: gzip, gzip, gzip"))
        client = HttpClient(server.url, Deadline.after(60), Limits(timeout_seconds=0.5, connect_retries=0))
        began = time.monotonic()
        with pytest.raises(ResponseTimeoutError, match=r"response body not decoded within 0\.5 s \(timeout_seconds\)"):
            client.get("/")
        assert time.monotonic() - began < 5

    def test_it_is_held_to_the_invocation(self, serve: Serve) -> None:
        server = serve(replying(slow_to_decode(), "Content-Encoding: gzip, gzip, gzip"))
        with pytest.raises(DeadlineError, match="response body not decoded when the time of this invocation was over"):
            HttpClient(server.url, Deadline.after(0.5)).get("/")

    def test_the_steps_are_short(self) -> None:
        times: list[float] = []

        def check() -> None:
            times.append(time.thread_time())
            if len(times) > 300:
                raise TimeoutError

        with pytest.raises(TimeoutError):
            list(decoded([slow_to_decode()], "gzip, gzip, gzip", check))
        assert max(after - before for before, after in pairwise(times)) < 0.2


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, br"])
def test_a_bomb_is_larger_than_allowed(serve: Serve, encoding: str) -> None:
    body = bytes(20_000_000)
    for each in encoding.split(", "):
        body = COMPRESS[each](body)
    server = serve(replying(body, f"Content-Encoding: {encoding}"))
    with pytest.raises(TooLargeError):
        HttpClient(server.url, Deadline.after(60), Limits(max_body_bytes=50_000)).get("/")

from __future__ import annotations

import time
from typing import Any

import pytest

from ecs_hooks.assertions.json_schema import check_schema, violation
from ecs_hooks.assertions.schema_formats import CHECKED

CASES: dict[str, tuple[list[Any], list[Any]]] = {
    "byte": (["", "YQ==", "YWI=", "YWJj"], ["Y", "YQ=", "YQ==\n", "Y-_="]),
    "date": (["2026-12-01", "2024-02-29"], ["2026-02-29", "2026-13-01", "20261201", "2026-12-1", "2026-W49-2", "2026-12-01\n"]),
    "date-time": (
        ["2026-12-01T03:00:00Z", "2026-12-01t03:00:00.5z", "2026-12-01T03:00:00+14:00", "1998-12-31T23:59:60Z", "1998-12-31T15:59:60.123-08:00"],
        ["2026-12-01", "2026-12-01T03:00:00", "2026-12-01 03:00:00Z", "2026-12-01T24:00:00Z", "2026-02-29T00:00:00Z", "1998-12-31T22:59:60Z",
         "1998-12-31T23:58:60Z", "2026-12-01T03:00:00+24:00", "2026-12-01T03:00Z", "\u0662026-12-01T03:00:00Z", "2026-12-01T03:00:00Z\n"],
    ),
    "time": (["03:00:00Z", "03:00:00.123+05:30", "23:59:60Z", "01:29:60+01:30"], ["03:00:00", "3:00:00Z", "24:00:00Z", "22:59:60Z", "03:00:00+1:00"]),
    "duration": (["P1D", "PT1H", "P1Y2M3DT4H5M6S", "P4W", "PT36H"], ["P", "PT", "P1", "1D", "P1YT", "P2D1Y", "P1Y2W", "P1Y1D", "P1D\n"]),
    "email": (
        ["joe@example.com", "joe.bloggs+x@example.co.uk", '"joe bloggs"@example.com', "joe@[127.0.0.1]", "joe@[IPv6:::1]", "te~st@x"],
        ["joe", "@example.com", "joe@", ".joe@example.com", "joe.@example.com", "a..b@example.com", "joe@-x.com", "joe@[127.0.0.300]",
         "joe@[IPv6:1::2::3]", f"{'a' * 65}@example.com", "joe bloggs@example.com", "j\u00f6e@example.com"],
    ),
    "hostname": (["example.com", "a", "xn--4gbwdl.xn--wgbh1c", f"{'a' * 63}.b"], ["", "-a.com", "a-.com", "a_b.com", "a..b", f"{'a' * 64}.b", "a.b." * 90, "\u00e9.com", "a.com\n"]),
    "idn-email": (["j\u00f6e@\u00e9xample.com", "joe@example.com"], ["joe", "@\u00e9.com", "j\u00f6e@"]),
    "ipv4": (["127.0.0.1"], ["127.0.0", "127.0.0.256", "0127.0.0.1", "2130706433", "127.0.0.1/8"]),
    "ipv6": (["::1", "::ffff:1.2.3.4"], ["12345::", "::1%lo", "1:2:3:4:5:6:7", "127.0.0.1"]),
    "json-pointer": (["", "/", "/a/0", "/a~1b~0", "/a b"], ["a", "/a~2", "/~", "#/a"]),
    "relative-json-pointer": (["0", "1/a", "0#"], ["", "-1", "01/a", "/a", "0##"]),
    "regex": (["^a+$", "a(?=b)"], ["^(abc]", "(", "a" * 1001]),
    "uri": (
        ["http://example.com:8080/a?b=c#d", "urn:isbn:0451450523", "mailto:joe@example.com", "http://[2001:db8::1]/", "http://u:p@h/", "tel:+1", "ftp://a//b", "http://[v1.a:b]/",
         "a:/", "data:,%20x"],
        ["", "/a", "//a/b", "example.com/a b", "http://a b", "http://a/%zz", "http://a/\u00e9", ":a", "1a:b", "http://[1::2::3]/", "http://a:b/", "http://a/[x]", "http://a/<x>", "a:b\n"],
    ),
    "uri-reference": (["", "/a", "//a/b", "a/b", "#x", "?a=b", "http://example.com", "./a:b"], ["\\a", "a b", "/%", "1a:b", "http://[x]/", "\u00e9"]),
    "uri-template": (["/a/{id}", "http://x/{?a,b*}{#c:3}", "/a", "{+path.x}/\u00e9"], ["/a/{id", "/a/id}", "{}", "{a b}", "{a:0}"]),
    "uuid": (["2eb8aa08-aa98-11ea-b4aa-73b441d16380", "00000000-0000-0000-0000-000000000000"], ["2eb8aa08aa9811eab4aa73b441d16380", "2eb8aa08-aa98-11ea-b4aa-73b441d1638", "urn:uuid:2eb8aa08-aa98-11ea-b4aa-73b441d16380"]),
    "int32": ([0, -(2**31), 2**31 - 1, 5.0], [2**31, -(2**31) - 1, 0.5]),
    "int64": ([2**63 - 1, -(2**63)], [2**63, 1.5]),
    "float": ([1.5, 3e38], [4e38]),
    "double": ([1.5, 1e308], [10**400]),
}  # fmt: skip


def test_every_format_has_cases() -> None:
    assert set(CASES) == set(CHECKED)


@pytest.mark.parametrize("name", CASES)
def test_formats(name: str) -> None:
    valid, invalid = CASES[name]
    schema = check_schema({"format": name})
    assert [each for each in valid if violation(schema, each) is not None] == []
    assert [each for each in invalid if violation(schema, each) is None] == []


@pytest.mark.parametrize("name", CASES)
def test_a_value_of_another_type_has_every_format(name: str) -> None:
    other = "a" if isinstance(CASES[name][0][0], int | float) else 5
    values: list[Any] = [other, None, True, [], {}]
    for value in values:
        assert violation({"format": name}, value) is None


def test_a_format_takes_linear_time() -> None:
    began = time.perf_counter()
    for name in CASES:
        for text in (
            "a" * 200_000,
            "a." * 100_000,
            "%" * 200_000,
            "/a" * 100_000,
            "{a,b" * 50_000,
            "0" * 200_000,
            "~0/" * 70_000,
        ):
            violation({"format": name}, text)
    assert time.perf_counter() - began < 20

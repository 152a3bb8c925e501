from __future__ import annotations

import subprocess
import sys

import pytest

from ecs_hooks.http.cookies.public_suffix import is_public_suffix


@pytest.mark.parametrize(
    "domain",
    [
        "com",
        "co.uk",
        "github.io",
        "us-east-1.elb.amazonaws.com",
        "localhost",
        "internal",
        "xn--p1ai",
        "xn--55qx5d.cn",
        "foo.ck",
    ],
)
def test_public_suffixes(domain: str) -> None:
    assert is_public_suffix(domain)


@pytest.mark.parametrize(
    "domain",
    [
        "example.com",
        "example.co.uk",
        "shop.us-east-1.elb.amazonaws.com",
        "ec2.internal",
        "www.ck",
        "10.0.0.1",
        "a..b",
        "xn--99999999.example",
    ],
)
def test_other_domains(domain: str) -> None:
    assert not is_public_suffix(domain)


def test_the_list_is_loaded_where_a_cookie_has_a_domain() -> None:
    code = """
import sys
from ecs_hooks.http.cookies.jar import Address, CookieJar
here, jar = Address.of("http", "a.example", "/"), CookieJar()
jar.keep(here, ["a=1; Path=/", "b=1; Domain=b.example"])
assert "publicsuffixlist" not in sys.modules
jar.keep(here, ["c=1; Domain=a.example"])
assert "publicsuffixlist" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)

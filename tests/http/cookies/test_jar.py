from __future__ import annotations

import pytest

from ecs_hooks.http.cookies import jar as jar_module
from ecs_hooks.http.cookies.jar import MAX_PER_DOMAIN, Address, CookieJar
from ecs_hooks.http.url import Url

PAST = "expires=Thu, 01 Jan 1970 00:00:00 GMT"


def at(address: str) -> Address:
    url = Url.parse(address)
    return Address.of(url.scheme, url.host, url.target)


def sent(jar: CookieJar, address: str, own: str = "") -> str:
    return jar.header(at(address), own)


def after(*steps: tuple[str, str]) -> CookieJar:
    """Return a jar after responses with one cookie each."""
    jar = CookieJar()
    for address, header in steps:
        jar.keep(at(address), [header])
    return jar


@pytest.mark.parametrize(
    ("origin", "header", "target", "cookies"),
    [
        # Hosts.
        ("http://a.example/", "a=1", "http://a.example/", "a=1"),
        ("http://a.example/", "a=1", "http://A.EXAMPLE:8080/x", "a=1"),
        ("http://a.example/", "a=1", "http://b.a.example/", ""),
        ("http://b.a.example/", "a=1", "http://a.example/", ""),
        ("http://a.example/", "a=1; Domain=a.example", "http://b.a.example/", "a=1"),
        ("http://a.example/", "a=1; Domain=.A.example", "http://c.b.a.example/", "a=1"),
        ("http://a.example/", "a=1; Domain=a.example", "http://ba.example/", ""),
        ("http://b.a.example/", "a=1; Domain=a.example", "http://c.a.example/", "a=1"),
        ("http://x.b.a.example/", "a=1; Domain=a.example", "http://c.a.example/", "a=1"),
        ("http://a.example/", "a=1; Domain=b.example", "http://b.example/", ""),
        ("http://a.example/", "a=1; Domain=b.a.example", "http://b.a.example/", ""),
        ("http://a.example/", "a=1; Domain=\xe4.example", "http://a.example/", ""),
        # Public suffixes.
        ("http://a.co.uk/", "a=1; Domain=co.uk", "http://b.co.uk/", ""),
        ("http://a.example/", "a=1; Domain=example", "http://a.example/", ""),
        ("http://localhost/", "a=1; Domain=localhost", "http://localhost/", "a=1"),
        ("http://localhost/", "a=1; Domain=localhost", "http://a.localhost/", ""),
        ("http://github.io/", "a=1; Domain=github.io", "http://github.io/", "a=1"),
        ("http://github.io/", "a=1; Domain=github.io", "http://a.github.io/", ""),
        (
            "http://lb-1.us-east-1.elb.amazonaws.com/",
            "a=1; Domain=us-east-1.elb.amazonaws.com",
            "http://lb-2.us-east-1.elb.amazonaws.com/",
            "",
        ),
        ("http://lb-1.us-east-1.elb.amazonaws.com/", "a=1; Domain=amazonaws.com", "http://s3.amazonaws.com/", ""),
        # IP addresses.
        ("http://10.0.0.1/", "a=1", "http://10.0.0.1:81/", "a=1"),
        ("http://10.0.0.1/", "a=1; Domain=10.0.0.1", "http://10.0.0.1/", "a=1"),
        ("http://10.0.0.1/", "a=1; Domain=0.0.1", "http://10.0.0.1/", ""),
        ("http://[::1]/", "a=1", "http://[::1]/", "a=1"),
        # Paths.
        ("http://a.example/x/y?z=/w/", "a=1", "http://a.example/x", "a=1"),
        ("http://a.example/x/y", "a=1", "http://a.example/x/z/w", "a=1"),
        ("http://a.example/x/y", "a=1", "http://a.example/xy", ""),
        ("http://a.example/x/", "a=1", "http://a.example/x", "a=1"),
        ("http://a.example/x", "a=1", "http://a.example/", "a=1"),
        ("http://a.example/", "a=1; Path=/x", "http://a.example/x?y", "a=1"),
        ("http://a.example/", "a=1; Path=/x/", "http://a.example/x", ""),
        ("http://a.example/", "a=1; Path=/x/", "http://a.example/x/y", "a=1"),
        ("http://a.example/", "a=1; Path=/X", "http://a.example/x", ""),
        # Secure.
        ("https://a.example/", "a=1; Secure", "https://a.example/", "a=1"),
        ("https://a.example/", "a=1; Secure", "http://a.example/", ""),
        ("http://a.example/", "a=1; Secure", "http://a.example/", ""),
        ("http://a.example/", "a=1; Secure", "https://a.example/", ""),
        ("https://a.example/", "a=1", "http://a.example/", "a=1"),
        ("http://localhost/", "a=1; Secure", "http://localhost/", ""),
        # Prefixes.
        ("https://a.example/", "__Host-a=1; Secure; Path=/", "https://a.example/x", "__Host-a=1"),
        ("https://a.example/", "__Host-a=1; Secure", "https://a.example/", ""),
        ("https://a.example/", "__Host-a=1; Path=/", "https://a.example/", ""),
        ("https://a.example/", "__host-a=1; Secure; Path=/x", "https://a.example/x", ""),
        ("https://a.example/", "__Host-a=1; Secure; Path=/; Domain=a.example", "https://a.example/", ""),
        ("https://a.example/", "__Secure-a=1; Secure; Domain=a.example", "https://a.example/", "__Secure-a=1"),
        ("https://a.example/", "__SECURE-a=1", "https://a.example/", ""),
        ("http://a.example/", "__Secure-a=1", "http://a.example/", ""),
        ("https://a.example/", "__Host-a", "https://a.example/", ""),
        ("https://a.example/", "=__Secure-a=1; Secure", "https://a.example/", ""),
        # Values.
        ("http://a.example/", 'a="b, c"', "http://a.example/", 'a="b, c"'),
        ("http://a.example/", "=b", "http://a.example/", "b"),
        ("http://a.example/", "a=", "http://a.example/", "a="),
        ("http://a.example/", "a=\xc3\xa4", "http://a.example/", "a=\xc3\xa4"),
        ("http://a.example/", "a=\u2713", "http://a.example/", "a=\xe2\x9c\x93"),
        # Time.
        ("http://a.example/", f"a=1; {PAST}", "http://a.example/", ""),
        ("http://a.example/", f"a=1; {PAST}; Max-Age=9", "http://a.example/", "a=1"),
        ("http://a.example/", "a=1; Max-Age=0; expires=Thu, 01 Jan 2222 00:00:00 GMT", "http://a.example/", ""),
        ("http://a.example/", "a=1; expires=never", "http://a.example/", "a=1"),
    ],
)  # fmt: skip
def test_a_cookie_is_sent_where_browsers_send_it(origin: str, header: str, target: str, cookies: str) -> None:
    assert sent(after((origin, header)), target) == cookies


def test_longer_paths_come_first_then_older_cookies() -> None:
    jar = CookieJar()
    jar.keep(at("http://h/"), ["a=1; Path=/", "a=2; Path=/x", "b=3; Path=/x", "c=4; Path=/x/y/", "d=5; Path=/"])
    assert sent(jar, "http://h/x/y/z") == "c=4; a=2; b=3; a=1; d=5"
    jar.keep(at("http://h/"), ["a=9; Path=/"])  # keeps its age
    assert sent(jar, "http://h/") == "a=9; d=5"


def test_a_cookie_is_replaced_by_one_of_its_name_domain_and_path() -> None:
    jar = after(("http://a.example/", "a=1"), ("http://a.example/", "a=2"))
    assert sent(jar, "http://a.example/") == "a=2"
    jar.keep(at("http://a.example/"), ["a=3; Domain=a.example", "A=4"])
    assert sent(jar, "http://a.example/") == "a=2; a=3; A=4"


def test_set_and_deleted_in_one_response_is_deleted() -> None:
    jar = CookieJar()
    jar.keep(at("http://h/"), ["a=1; Path=/", "a=; Path=/; Max-Age=0", f"b=1; {PAST}", "b=2"])
    assert sent(jar, "http://h/") == "b=2"
    jar.keep(at("http://h/"), [f"b=; Path=/x; {PAST}"])
    assert sent(jar, "http://h/") == "b=2"
    jar.keep(at("http://h/"), [f"b=; {PAST}"])
    assert sent(jar, "http://h/") == ""


def test_a_cookie_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_000_000_000.0]
    monkeypatch.setattr(jar_module, "_now", lambda: now[0])
    jar = after(("http://h/", "a=1; Max-Age=10"))
    now[0] += 9
    assert sent(jar, "http://h/") == "a=1"
    now[0] += 1
    assert sent(jar, "http://h/") == ""


def test_over_http_no_cookie_replaces_or_hides_a_secure_one() -> None:
    secure = ("https://a.example/", "a=1; Secure; Path=/x; Domain=a.example")
    for header in ("a=2; Path=/x", "a=2; Path=/x/y", "a=; Path=/x; Max-Age=0; Domain=a.example"):
        assert sent(after(secure, ("http://a.example/", header)), "https://a.example/x/y") == "a=1", header
    assert sent(after(secure, ("http://b.a.example/", "a=2; Path=/x")), "https://b.a.example/x") == "a=1"
    assert sent(after(secure, ("http://a.example/", "a=2; Path=/")), "https://a.example/x") == "a=1; a=2"
    assert sent(after(secure, ("http://a.example/", "b=2; Path=/x")), "https://a.example/x") == "a=1; b=2"


def test_the_oldest_cookies_of_a_domain_are_dropped() -> None:
    jar = CookieJar()
    jar.keep(at("http://h/"), [f"c{number}=1" for number in range(MAX_PER_DOMAIN + 20)])
    jar.keep(at("http://i/"), ["i=1"])
    assert sent(jar, "http://h/").split("; ") == [f"c{number}=1" for number in range(20, MAX_PER_DOMAIN + 20)]
    assert sent(jar, "http://i/") == "i=1"


@pytest.mark.parametrize(
    ("own", "cookies"),
    [
        ("a=own", "a=own; b=3"),
        ("c=own", "c=own; a=2; a=1; b=3"),
        ("a=own; b=own", "a=own; b=own"),
        (" a = own ;; c", "a = own; c; b=3"),
        ("A=own", "A=own; a=2; a=1; b=3"),
        ("a=own;b=own", "a=own;b=own"),
    ],
)
def test_the_own_cookies_of_a_request_win(own: str, cookies: str) -> None:
    jar = CookieJar()
    jar.keep(at("http://h/"), ["a=1; Path=/", "a=2; Path=/x", "b=3; Path=/"])
    assert sent(jar, "http://h/x", own) == cookies


def test_a_secure_cookie_that_was_not_sent_is_noted() -> None:
    jar = after(("http://h/", "sid=1; Secure; Path=/x"))
    assert not jar.note()
    sent(jar, "http://h/")
    assert not jar.note()
    sent(jar, "http://h/x", "sid=own")
    assert not jar.note()
    sent(jar, "http://h/x")
    assert jar.note() == "; a Secure cookie (sid) was not sent over http"
    assert not jar.note()
    sent(jar, "https://h/x")
    assert jar.note() == "; a Secure cookie (sid) was not kept, because it was set over http"

    jar.keep(at("http://h/"), [f"sid=; Secure; Path=/x; {PAST}"])
    jar.keep(at("https://h/"), [f"c{number}=1; Secure" for number in range(5)])
    sent(jar, "http://h/x")
    assert jar.note() == "; Secure cookies (c0, c1, c2 and 2 more) were not sent over http"

    jar = after(("http://h/", "sid=1; Secure"), ("https://h/", "sid=2; Secure"))
    assert sent(jar, "https://h/") == "sid=2"
    assert not jar.note()


def test_refused_cookies_are_bounded() -> None:
    jar = CookieJar()
    jar.keep(at("http://h/"), [f"c{number}=1; Secure" for number in range(MAX_PER_DOMAIN + 20)])
    sent(jar, "http://h/")
    assert len(jar.withheld) == MAX_PER_DOMAIN
    assert len(jar.copy()._refused) == MAX_PER_DOMAIN


def test_a_copy_does_not_change_the_original() -> None:
    jar = after(("http://h/", "a=1"))
    jar.copy().keep(at("http://h/"), ["a=2", "b=3; Secure"])
    assert sent(jar, "http://h/") == "a=1"
    assert not jar.note()


def test_each_value_is_a_secret() -> None:
    secrets: list[str] = []
    jar = CookieJar(secrets.append)
    jar.keep(at("http://a.example/"), ['a="first"', "b=second; Domain=b.example", "c=third; Secure", "d=\x00"])
    assert {"first", "second", "third"} <= set(secrets)


def test_a_host_that_idna_does_not_know_is_compared_as_it_is() -> None:
    name = "a" * 64
    assert Address.of("http", f"{name}.Example", "/").host == f"{name}.example"
    assert Address.of("http", "b\xfccher.example", "/").host == "xn--bcher-kva.example"

from __future__ import annotations

import pytest

from ecs_hooks.http.request import Authorization
from ecs_hooks.http.request import Request
from ecs_hooks.http.url import Url

HERE = Url.parse("https://a.example/x?b=c")
AUTH = Authorization({"x-key": "k3y-k3y"}, {"token": "t 1", "b": "other"})
REQUEST = Request.build("GET", HERE, {"X-Key": "own", "X-Plain": "p"})._replace(auth=AUTH)


def test_credentials_are_added_when_a_request_is_sent() -> None:
    sent = REQUEST.authorized()

    assert sent.headers["x-key"] == "k3y-k3y"
    assert "X-Key" not in sent.headers
    assert sent.url.target == "/x?b=c&token=t+1"
    assert "k3y" not in str(REQUEST.headers)
    assert REQUEST.url.target == "/x?b=c"


def test_a_request_without_stays_as_it_is() -> None:
    bare = REQUEST._replace(auth=None)
    assert bare.authorized() is bare
    assert bare.certificate is None
    assert REQUEST._replace(url=Url.parse("http://a/"), auth=Authorization()).authorized().url.target == "/"


@pytest.mark.parametrize(
    ("location", "kept"),
    [
        ("/y?token=1", True),
        ("https://a.example:443/y", True),
        ("http://a.example/y", False),
        ("https://b.example", False),
        ("https://a.example:8443/", False),
    ],
)
def test_they_do_not_go_along_to_another_origin(location: str, kept: bool) -> None:
    following = REQUEST.redirected(302, location)

    assert following.auth is (AUTH if kept else None)
    sent = following.authorized()
    assert (sent.headers.get("x-key") == "k3y-k3y") is kept
    assert sent.url.target.count("token") == kept
    # The way back from there does not bring them back either.
    assert kept or following.redirected(302, "https://a.example/").auth is None

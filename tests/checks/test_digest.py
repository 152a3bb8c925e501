from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from ecs_hooks.checks import DigestCheck
from ecs_hooks.core.outcome import Status
from tests.checks.asking import context
from tests.http.fixtures import Serve
from tests.http.servers import replying
from tests.support.aws import AwsApi
from tests.support.layouts import load_balancer, revision, several_load_balancers


def images(aws: AwsApi, image: str = "registry/my-app:7", digest: str = "sha256:abc", **fields: Any) -> None:
    load_balancer(aws)
    named = [
        {"containerName": "web", "image": image, "imageDigest": digest},
        {"containerName": "sidecar", "image": "s:1"},
    ]
    aws.answer("DescribeServiceRevisions", {"serviceRevisions": [revision(containerImages=named, **fields)]})


def run(serve: Serve, version: str, **fields: Any) -> Any:
    server = serve(replying(b'{"version": "%s"}' % version.encode(), f"X-Version: {version}"))
    given = {"json": "$.version"} if "header" not in fields else {}
    return DigestCheck.model_validate({**given, **fields}).run(context(server.url))


@pytest.mark.parametrize("version", ["7", "sha256:abc", "abc"])
def test_tag_and_digest_of_the_revision_pass(aws: AwsApi, serve: Serve, version: str) -> None:
    images(aws)

    assert run(serve, version).status is Status.PASS
    assert run(serve, version, header="X-Version").status is Status.PASS


@pytest.mark.parametrize("version", ["6", "77", "sha256", "", "a.c"])
def test_another_version_fails(aws: AwsApi, serve: Serve, version: str) -> None:
    images(aws)

    assert run(serve, version).status is Status.FAIL


def test_an_image_by_digest_passes(aws: AwsApi, serve: Serve) -> None:
    images(aws, image="localhost:5000/my-app@sha256:def", digest="")

    assert run(serve, "sha256:def").status is Status.PASS
    assert run(serve, "5000/my-app").status is Status.FAIL


def test_the_default_container_is_behind_the_load_balancer(aws: AwsApi, serve: Serve) -> None:
    images(aws)
    assert run(serve, "1", container="sidecar").status is Status.PASS
    images(aws, loadBalancers=[])
    assert run(serve, "7").status is Status.PASS


def test_an_unknown_image_does_not_pass(aws: AwsApi, serve: Serve) -> None:
    images(aws, image="", digest="")
    assert run(serve, "7").status is Status.ERROR
    assert (
        run(serve, "7", container="typo").reason == "container 'typo' has no image in green; containers: web, sidecar"
    )


@pytest.mark.parametrize("fields", [{}, {"header": "X", "json": "$.a"}, {"json": "$["}, {"header": "X", "path": "x"}])
def test_a_mistake_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        DigestCheck.model_validate(fields)


def test_the_container_is_that_of_the_load_balancer_with_a_test_listener(aws: AwsApi, serve: Serve) -> None:
    images(aws)
    aws.answer("DescribeServiceRevisions", {"serviceRevisions": [several_load_balancers()]})

    assert run(serve, "7").status is Status.PASS

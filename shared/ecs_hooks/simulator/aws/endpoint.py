"""The endpoint itself."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from moto.server import ThreadedMotoServer

from ecs_hooks.simulator.aws import answers, operations

if TYPE_CHECKING:
    from ecs_hooks.simulator.errors import EcsError
    from ecs_hooks.simulator.protocols import ServiceDeployments


class AwsEndpoint:
    """AWS on loopback, for as long as the block lasts.

    Parameters
    ----------
    deployments
        What the service-deployment operations of ECS tell of.
    host
        The address to listen at.
    others
        Whoever answers other operations in moto's place.
    """

    def __init__(
        self, deployments: ServiceDeployments, host: str = "127.0.0.1", others: Sequence[answers.Answers] = ()
    ) -> None:
        self._deployments = deployments
        self._others = others
        self._host = host
        self._server = ThreadedMotoServer(ip_address=host, port=0, verbose=False)

    def __enter__(self) -> Self:
        """Start to answer."""
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        operations.add_source(self._deployments)
        for each in self._others:
            answers.add(each)
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop answering."""
        self._server.stop()
        inner = self._server._server  # noqa: SLF001 - moto leaves its socket open
        assert inner is not None
        inner.server_close()
        operations.remove_source(self._deployments)
        for each in self._others:
            answers.remove(each)

    @property
    def url(self) -> str:
        """The value of `AWS_ENDPOINT_URL`."""
        _, port = self._server.get_host_and_port()
        return f"http://{self._host}:{port}"

    def fail(self, operation: str, error: EcsError, times: int = 1) -> None:
        """Answer an operation with an error, so many times; such as `EcsError("ThrottlingException", "Rate exceeded")`."""
        operations.inject(operation, error, times)

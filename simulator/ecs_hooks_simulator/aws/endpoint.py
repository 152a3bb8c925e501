"""The AWS endpoint: moto's server with the answers of simulations."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from ecs_hooks_simulator.aws import answers

if TYPE_CHECKING:
    from ecs_hooks_simulator.core.errors import EcsError
    from ecs_hooks_simulator.core.protocols import ServiceDeployments


@contextmanager
def answering(deployments: ServiceDeployments | None, others: Sequence[answers.Answers] = ()) -> Iterator[None]:
    """Let every endpoint of this process answer for one more simulation, as long as the block lasts.

    Parameters
    ----------
    deployments
        For the service-deployment operations of ECS; None for no such deployments.
    others
        For other operations.
    """
    if deployments is not None:
        answers.add_deployments(deployments)
    for each in others:
        answers.add(each)
    try:
        yield
    finally:
        if deployments is not None:
            answers.remove_deployments(deployments)
        for each in others:
            answers.remove(each)


class AwsEndpoint:
    """AWS on loopback; a context manager.

    Parameters
    ----------
    deployments, others
        As of `answering`; none for an endpoint that several simulations share, one after the other.
    host
        The address to listen at.
    """

    def __init__(
        self,
        deployments: ServiceDeployments | None = None,
        host: str = "127.0.0.1",
        others: Sequence[answers.Answers] = (),
    ) -> None:
        self._deployments = deployments
        self._others = others
        self._host = host
        self._open = ExitStack()
        self._port = 0

    def __enter__(self) -> Self:
        """Start the server."""
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        with ExitStack() as opening:
            opening.enter_context(answering(self._deployments, self._others))
            # moto's own server takes half a second to stop.
            application = DomainDispatcherApplication(create_backend_app)
            server = make_server(self._host, 0, application, threaded=True, request_handler=MotoRequestHandler)
            opening.callback(server.server_close)
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
            thread.start()
            opening.callback(thread.join)
            opening.callback(server.shutdown)
            self._port = server.server_port
            self._open = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server."""
        self._open.close()

    @property
    def url(self) -> str:
        """The value of `AWS_ENDPOINT_URL`."""
        assert self._port, "the endpoint is not open"
        return f"http://{self._host}:{self._port}"

    def fail(self, operation: str, error: EcsError, times: int = 1) -> None:
        """Let the next calls of an operation fail, such as with `EcsError("ThrottlingException", "Rate exceeded")`."""
        answers.inject(operation, error, times)

"""The service deployment as ECS describes it."""

from __future__ import annotations

from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

from ecs_hooks.deployment.clients import client
from ecs_hooks.deployment.errors import FactDeniedError, FactError, fact_error

if TYPE_CHECKING:
    from ecs_hooks.arn import EcsArn

_ACTION = "ecs:DescribeServiceDeployments"
_ROLLING_BACK = {"ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"}


class ServiceDeployment:
    """Facts from DescribeServiceDeployments, which is called at most once.

    Parameters
    ----------
    arn
        ARN of the service deployment, `resourceArn` of the event.

    Notes
    -----
    Every property raises `FactError` where AWS does not answer, `FactDeniedError` where asking again is of no use.
    """

    def __init__(self, arn: EcsArn) -> None:
        self._arn = arn
        self._lock = Lock()
        self._answer: dict[str, Any] | None = None

    @property
    def _described(self) -> dict[str, Any]:
        with self._lock:  # checks ask from several threads; one call serves them all
            if self._answer is None:
                self._answer = self._describe()
            return self._answer

    def _describe(self) -> dict[str, Any]:
        try:
            ecs: Any = client("ecs", self._arn.region)
            answer = ecs.describe_service_deployments(serviceDeploymentArns=[str(self._arn)])
        except Exception as error:
            raise fact_error(_ACTION, error) from error
        deployments = answer.get("serviceDeployments")
        if deployments is None:  # botocore takes an answer that is no JSON for an empty one
            message = f"{_ACTION}: the answer can't be read"
            raise FactError(message)
        if not deployments:
            message = f"{_ACTION}: ECS knows no such service deployment"
            raise FactDeniedError(message)
        described: dict[str, Any] = deployments[0]
        return described

    @property
    def rolling_back(self) -> bool:
        """Whether the deployment is being rolled back (status `ROLLBACK_*`, or `rollback` is there)."""
        described = self._described
        return described.get("status") in _ROLLING_BACK or bool(described.get("rollback"))

    @property
    def strategy(self) -> str:
        """`ROLLING`, `BLUE_GREEN`, `LINEAR` or `CANARY`; empty where ECS does not say."""
        configuration = self._described.get("deploymentConfiguration") or {}
        return str(configuration.get("strategy") or "")

    @property
    def first(self) -> bool:
        """Whether this is the first deployment of the service: it has no source service revision.

        Inferred: the event says nothing of it, and AWS's own sample guesses it from the number of deployments.
        """
        described = self._described
        if "sourceServiceRevisions" not in described:
            message = f"{_ACTION}: no sourceServiceRevisions in the answer"
            raise FactError(message)
        return not described["sourceServiceRevisions"]

    def expires_at(self, function_arn: str) -> float | None:
        """Return when ECS gives up on the hook, in seconds since the epoch; None where it does not say.

        Parameters
        ----------
        function_arn
            ARN that the function was invoked by. Where no running hook has it, the first one to expire counts.

        Notes
        -----
        `lifecycleHookDetails[].expiresAt` of DescribeServiceDeployments; the event carries no deadline.
        """
        running = [
            hook
            for hook in self._described.get("lifecycleHookDetails") or []
            if hook.get("targetType") != "PAUSE"
            and hook.get("status") in {"IN_PROGRESS", "AWAITING_ACTION"}
            and isinstance(hook.get("expiresAt"), datetime)
        ]
        own = [hook for hook in running if hook.get("targetArn") == function_arn] or running
        return min((hook["expiresAt"].timestamp() for hook in own), default=None)

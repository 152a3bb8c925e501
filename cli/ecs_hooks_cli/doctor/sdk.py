"""Whether the AWS SDK on this machine knows hooks as this library configures them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ecs_hooks_cli.doctor.finding import Finding, error, ok

_SUBJECT = "SDK"
_KNOWN = {
    "DeploymentConfiguration": ("lifecycleHooks", "strategy"),
    "DeploymentLifecycleHook": ("hookDetails", "hookTargetArn", "lifecycleStages", "roleArn", "timeoutConfiguration"),
}
"""Members that describing and attaching hooks takes. What the SDK does not know, it leaves out without a word."""


def examine(version: str, members: Mapping[str, Any]) -> Iterator[Finding]:
    """Compare the SDK's description of ECS with what is needed.

    Parameters
    ----------
    version
        Version of botocore.
    members
        The members that its description of ECS gives to each shape.
    """
    missing = [
        f"{shape}.{member}"
        for shape, wanted in _KNOWN.items()
        for member in wanted
        if member not in members.get(shape, ())
    ]
    if missing:
        yield error(
            _SUBJECT,
            f"botocore {version} on this machine does not know {', '.join(missing)}, so hooks are not shown as they are",
            "pip install --upgrade boto3",
        )
    else:
        yield ok(_SUBJECT, f"botocore {version} knows lifecycle hooks, hookDetails and timeoutConfiguration")


def installed() -> tuple[str, dict[str, Any]]:
    """Return the version of the SDK here, and the members of the shapes that matter."""
    import botocore.session  # noqa: PLC0415 - it takes a while to load

    model = botocore.session.get_session().get_service_model("ecs")
    return str(botocore.__version__), {
        shape: model.shape_for(shape).members for shape in _KNOWN if shape in model.shape_names
    }

"""ARNs of ECS services, deployments and revisions, and names of parameters."""

from __future__ import annotations

from typing import NamedTuple

PARAMETER = (
    r"(arn:aws[a-z-]*:ssm:[a-z0-9-]+:\d{12}:parameter/[A-Za-z0-9_./-]{1,1011}|/[A-Za-z0-9_./-]{1,1010}|[A-Za-z0-9_.-]{1,1011})"
    r"(:[A-Za-z0-9_.-]{1,100})?"
)
"""A pattern of the names of parameters. A name with a hierarchy begins with a slash."""

_FIELDS = 6
"""An ARN has six parts: arn, partition, service, region, account and resource."""


FUNCTION = "function"
"""The kind of an `EcsArn` in place of that of a Lambda function, which CodeDeploy deploys like a service."""


def region_of(arn: str) -> str:
    """Return the region of an ARN of any service.

    Raises
    ------
    ValueError
        If it is not an ARN with a region.
    """
    parts = arn.split(":", _FIELDS - 1)
    if len(parts) != _FIELDS or parts[0] != "arn" or not parts[3]:
        raise ValueError("not an ARN with a region")
    return parts[3]


class EcsArn(NamedTuple):
    """An ARN of a service, a service deployment or a service revision.

    Parameters
    ----------
    partition, region, account
        As in every ARN: `aws`, `us-west-2`, `123456789012`.
    kind
        `service`, `service-deployment` or `service-revision`.
    cluster
        Name of the cluster; empty in the short ARNs that services had before 2021.
    service
        Name of the service.
    id
        Id of the deployment or revision; empty for a service.
    """

    partition: str
    region: str
    account: str
    kind: str
    cluster: str
    service: str
    id: str = ""

    @classmethod
    def parse(cls, text: str, *kinds: str) -> EcsArn:
        """Parse an ARN.

        Parameters
        ----------
        text
            The ARN.
        *kinds
            The kinds that are allowed; any, where none is given.

        Raises
        ------
        ValueError
            If it is not an ARN of that kind. The message shows the expected form, not the text.
        """
        wanted = " or ".join(kinds) or "service"
        parts = text.split(":", _FIELDS - 1)
        if len(parts) != _FIELDS or parts[0] != "arn" or parts[2] != "ecs":
            raise ValueError(f"not an ECS ARN; expected arn:aws:ecs:REGION:ACCOUNT:{wanted}/CLUSTER/SERVICE...")
        kind, *path = parts[5].split("/")
        if kinds and kind not in kinds:
            raise ValueError(f"an ARN of a {wanted} is expected, not of a {kind[:40]}")
        match path:
            case [service] if kind == "service":
                names = ("", service, "")
            case [cluster, service] if kind == "service":
                names = (cluster, service, "")
            case [cluster, service, identifier] if kind != "service":
                names = (cluster, service, identifier)
            case _:
                raise ValueError(f"an ARN of a {kind[:40]} with CLUSTER/SERVICE and its id is expected")
        if not all([*parts, *path]):
            raise ValueError(f"an ARN of a {kind[:40]} without empty parts is expected")
        return cls(parts[1], parts[3], parts[4], kind, *names)

    def difference(self, other: EcsArn) -> str:
        """Return the first part in which the services of two ARNs differ, such as `account`; empty for the same service.

        An ARN without a cluster, as services had before 2021, matches any cluster.
        """
        parts = ["partition", "region", "account", *(["cluster"] if self.cluster and other.cluster else []), "service"]
        return next((part for part in parts if getattr(self, part) != getattr(other, part)), "")

    def is_named(self, name: str) -> bool:
        """Return whether this is an ARN of the service with a name, a `CLUSTER/NAME`, or a valid ARN."""
        if name.startswith("arn:"):
            return self.kind != FUNCTION and not self.difference(EcsArn.parse(name, "service"))
        cluster, _, service = name.rpartition("/")
        return service == self.service and cluster in {"", self.cluster}

    @property
    def service_arn(self) -> str:
        """The ARN of the service."""
        path = f"{self.cluster}/{self.service}" if self.cluster else self.service
        return f"arn:{self.partition}:ecs:{self.region}:{self.account}:service/{path}"

    def __str__(self) -> str:
        """Return the ARN as text."""
        if self.kind == "service":
            return self.service_arn
        return (
            f"arn:{self.partition}:ecs:{self.region}:{self.account}:{self.kind}/{self.cluster}/{self.service}/{self.id}"
        )

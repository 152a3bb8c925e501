"""Parameters of SSM: where hooks of CodeDeploy find their plans."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

PREFIX = "/ecs-hooks"
"""What the names of plans begin with."""


class Parameters:
    """Answers GetParameter and GetParameters for the parameters that it has; others are moto's.

    Attributes
    ----------
    values : dict of str to str
        Text by name.
    """

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def keep_plan(self, application: str, group: str, event: str, plan: Any) -> None:
        """Have a plan for a lifecycle event of a deployment group; none where None is given."""
        name = f"{PREFIX}/{application}/{group}/{event}"
        if plan is None:
            self.values.pop(name, None)
        else:
            self.values[name] = json.dumps(plan)

    def answer(self, operation: str, asked: Mapping[str, Any]) -> dict[str, Any] | None:
        """Answer what is asked about one of these parameters at least."""
        match operation:
            case "GetParameter" if asked.get("Name") in self.values:
                return {"Parameter": self._described(str(asked["Name"]))}
            case "GetParameters" if set(asked.get("Names") or ()) & set(self.values):
                found = [name for name in asked["Names"] if name in self.values]
                missing = [name for name in asked["Names"] if name not in self.values]
                return {"Parameters": [self._described(name) for name in found], "InvalidParameters": missing}
            case _:
                return None

    def _described(self, name: str) -> dict[str, Any]:
        return {"Name": name, "Type": "String", "Value": self.values[name], "Version": 1, "DataType": "text"}

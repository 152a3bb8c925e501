"""What every check has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from ecs_hooks.deadline import Deadline
from ecs_hooks.outcome import Outcome


class CheckContext(NamedTuple):
    """What a check may know of the invocation it runs in.

    Parameters
    ----------
    base_url
        Where green answers, or None where that is not known.
    base_url_missing
        Why it is not known, and how to mend that.
    deadline
        When the check's answer is of no use any more.
    elapsed
        Seconds since the hook was first invoked at this step of the deployment.
    """

    base_url: str | None
    base_url_missing: str
    deadline: Deadline
    elapsed: float


class Check(BaseModel, ABC):
    """One question about the deployment: its configuration, and how to ask it.

    Subclass it for a check of your own: fields as in any pydantic model, and `run`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, defer_build=True)

    type: str
    """The kind of the check, as a plan names it."""
    name: Annotated[str, Field(max_length=80)] = ""
    """What the check is called in logs and reasons."""

    @property
    def label(self) -> str:
        """The check as reasons name it, such as `http "upload"`."""
        return f'{self.type} "{self.name}"' if self.name else self.type

    @abstractmethod
    def run(self, context: CheckContext) -> Outcome:
        """Ask, and return what came of it.

        Parameters
        ----------
        context
            Deadline, elapsed time and the address of green.
        """

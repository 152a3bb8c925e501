"""What every check has in common."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Annotated, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ecs_hooks.checks.context import CheckContext
from ecs_hooks.checks.requirements import Requirements
from ecs_hooks.core.measurement import Watch
from ecs_hooks.core.outcome import Outcome
from ecs_hooks.core.validation_errors import described


class AtStep(BaseModel):
    """Fields of a check that are different while green's share of the production traffic is small."""

    model_config = ConfigDict(extra="allow", frozen=True, defer_build=True)

    up_to_percent: Annotated[float, Field(ge=0, le=100)]
    """Up to which share of green they hold, in per cent. All other fields are those of the check."""


class Check(BaseModel, ABC):
    """One question about the deployment: its configuration, and how to ask it.

    Subclass it for a check of your own: fields as in any pydantic model, and `run`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, defer_build=True)

    type: str
    """The kind of the check, as a plan names it."""
    name: Annotated[str, Field(max_length=80)] = ""
    """What the check is called in logs and reasons."""
    watch: Watch | None = None
    """To ask again and again for a while: each answer is a measurement, and they are judged together."""

    steps: Annotated[tuple[AtStep, ...], Field(max_length=20)] = ()
    """Other values of fields, by green's share of the production traffic: that with the smallest fitting `up_to_percent`
    holds, and above all of them the check as it is."""

    watchable: ClassVar[bool] = True
    """Whether `watch` makes sense; not where a check watches by itself."""

    @model_validator(mode="after")
    def _is_not_watched_twice(self) -> Self:
        if self.watch is not None and not self.watchable:
            raise ValueError("watch: this check watches by itself, see window_minutes")
        return self

    @model_validator(mode="after")
    def _is_valid_at_every_step(self) -> Self:
        problems: list[str] = []
        for number, step in enumerate(self.steps):
            where = f"steps[{number}]"
            fixed = {"type", "name", "steps"} & set(step.model_extra or ())
            problems += [f"{where}.{name}: is the same at every step" for name in sorted(fixed)]
            try:
                self._with(step)
            except ValidationError as error:
                problems += described(error, where, type(self))
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _with(self, step: AtStep) -> Self:
        fields = self.model_dump(by_alias=True, exclude_unset=True, exclude={"steps"})
        return type(self).model_validate({**fields, **(step.model_extra or {})})

    def at(self, percent: float) -> Self:
        """Return the check as it is while green has this share of the production traffic, in per cent."""
        fitting = [step for step in self.steps if percent <= step.up_to_percent]
        if fitting:
            return self._with(min(fitting, key=lambda step: step.up_to_percent))
        return self.model_copy(update={"steps": ()}) if self.steps else self

    @property
    def variants(self) -> tuple[Self, ...]:
        """The check as it can be, at one step or another."""
        return (self.at(math.inf), *(self._with(step) for step in self.steps))

    @property
    def label(self) -> str:
        """The check as reasons name it, such as `http "upload"`."""
        return f'{self.type} "{self.name}"' if self.name else self.type

    def requirements(self) -> Requirements:
        """Return what the check requires; extend it with `super().requirements()._replace(...)`."""
        return Requirements(watch_seconds=0 if self.watch is None else self.watch.seconds)

    @abstractmethod
    def run(self, context: CheckContext) -> Outcome:
        """Ask, and return what came of it.

        Parameters
        ----------
        context
            Deadline, elapsed time and the address of green.
        """

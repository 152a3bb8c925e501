from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ValidationError

import ecs_hooks
from ecs_hooks.auth.secret_store import Reference
from ecs_hooks.core.plan_model import LazyModel
from ecs_hooks.core.validation_errors import fields_at, models_of

STRINGS = ("a", "b")


class Holder(BaseModel):
    """Has fields with a lazy model."""

    one: Annotated[Any, LazyModel("ecs_hooks.auth.secret_store:Reference")] | None = None
    many: dict[str, Annotated[Any, LazyModel("ecs_hooks.auth.secret_store:Reference", or_string=True)]] = {}
    some: (
        Annotated[
            Any,
            LazyModel("ecs_hooks.auth.secret_store:Reference", or_string=f"{__name__}:STRINGS", example="a key"),
        ]
        | None
    ) = None


def test_a_lazy_model_validates_as_the_model_itself() -> None:
    given = {"one": {"ssm": "/a"}, "many": {"b": "text", "c": {"env": "C"}}}
    holder = Holder.model_validate(given)

    assert holder.one == Reference(ssm="/a")
    assert holder.many == {"b": "text", "c": Reference(env="C")}
    assert holder.model_dump(exclude_unset=True) == given
    assert Holder.model_validate(holder.model_dump()) == holder
    assert Holder.model_validate({"one": Reference(ssm="/a"), "many": {"c": Reference(env="C")}}).one == holder.one


@pytest.mark.parametrize(
    ("given", "path", "message"),
    [
        ({"one": {"smm": 1}}, ("one", "smm"), "Extra inputs"),
        ({"one": "text"}, ("one",), "valid dictionary or instance of Reference"),
        ({"many": {"b": {"ssm": 1}}}, ("many", "b", "ssm"), "Input should be a valid string"),
        ({"many": {"b": 1}}, ("many", "b"), "must be a string, or a reference"),
        ({"some": 1}, ("some",), "must be a string, or a key, not number"),
        ({"some": "c"}, ("some",), "is not one of the allowed values (a, b)"),
        ({"some": "ssm"}, ("some",), 'requires an argument; write {"ssm": ...}'),
    ],
)
def test_a_mistake_has_its_path(given: Any, path: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Holder.model_validate(given)
    (error,) = caught.value.errors()
    assert error["loc"] == path
    assert message in error["msg"]


def test_the_fields_of_a_lazy_model_are_known() -> None:
    assert models_of(Holder.model_fields["one"]) == models_of(Holder.model_fields["many"]) == [Reference]
    assert fields_at(Holder, ("one",)) == fields_at(Holder, ("many", "x")) == list(Reference.model_fields)
    definitions = Holder.model_json_schema()["$defs"]
    assert set(definitions) == {"Reference"}


@pytest.mark.parametrize(
    ("plan", "loaded"),
    [
        ({"checks": [{"type": "http", "path": "/x", "headers": {"X-A": "b"}}]}, []),
        (
            {"checks": [{"type": "http", "expect": {"asserts": [{"query": "body", "min": 1}]}}]},
            ["ecs_hooks.assertions.query"],
        ),
        (
            {"checks": [{"type": "http", "auth": {"bearer": {"token": "t"}}}]},
            ["ecs_hooks.auth.cache", "ecs_hooks.auth.fields", "ecs_hooks.auth.secret_store"],
        ),
    ],
)
def test_a_plan_loads_only_the_models_that_it_uses(plan: Any, loaded: list[str]) -> None:
    program = (
        "import sys; from ecs_hooks.engine.invocation import Plan;"
        f"Plan.parse({plan!r});"
        "light = {'ecs_hooks.auth.secret_resolver'};"
        "names = [m for m in sys.modules if m.startswith(('ecs_hooks.auth.', 'ecs_hooks.assertions.filters', 'ecs_hooks.assertions.query', 'ecs_hooks.assertions.json_schema', 'ecs_hooks.plan_ref', 'botocore.'))];"
        "print(sorted(set(names) - light))"
    )
    source = str(Path(ecs_hooks.__file__).parents[1])
    environment = {"PYTHONPATH": source}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == str(loaded)

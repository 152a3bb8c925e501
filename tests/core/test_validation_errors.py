from __future__ import annotations

import math
import re
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ecs_hooks.checks import CHECKS
from ecs_hooks.core.validation_errors import Form, error_at, error_lines
from ecs_hooks.plan.model import Plan, PlanError

SECRET = "hunter2-hunter2"
PYDANTIC = re.compile(
    r"Input should|Value error|valid (dictionary|tuple|list|string|integer|number|boolean)|instance of"
)
VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-5, 10**6), st.floats(), st.just(SECRET), st.just("\ud800"), st.just("")
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["status", "a", "json"]), inner, max_size=2)
    ),
    max_leaves=5,
)
FIELDS = st.sampled_from(
    ["auth", "expect", "headers", "watch", "steps", "requests", "queries", "fail_if", "path", "method", "metrics", "query",
     "samples", "until", "multipart", "secrets", "captures", "error", "timeout_seconds", "names", "listener", "criteria"]
)  # fmt: skip


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: Literal["one", "two"] = "one"
    share: Annotated[float, Field(gt=0, lt=100, multiple_of=2)] = 50
    count: int = 1
    names: Annotated[tuple[str, ...], Field(min_length=1, max_length=2)] = ("a",)
    path: Annotated[str, Field(pattern="^/")] = "/"
    host: Annotated[str, Field(pattern="^[a-z]+$", max_length=3), Form("letters only")] = "a"
    inner: Model | None = None
    on: bool = False


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"kind": "onee"}, "m.kind: is not one of the allowed values (one, two); did you mean 'one'?"),
        ({"kind": SECRET}, "m.kind: is not one of the allowed values (one, two)"),
        ({"kind": 1}, "m.kind: must be one of the allowed values (one, two), not number"),
        ({"share": 0}, "m.share: must be greater than 0, not 0"),
        ({"share": 100}, "m.share: must be less than 100, not 100"),
        ({"share": 3}, "m.share: must be a multiple of 2, not 3"),
        ({"share": math.nan}, "m.share: must be less than 100, not nan"),
        ({"share": SECRET}, "m.share: must be a number, not string"),
        ({"count": 1.5}, "m.count: must be a whole number, not 1.5"),
        ({"count": math.inf}, "m.count: must be a finite number"),
        ({"names": []}, "m.names: must have at least 1 item, not 0"),
        ({"names": ["a", "b", "c"]}, "m.names: must have at most 2 items, not 3"),
        ({"names": 1}, "m.names: must be an array, not number"),
        ({"names": [1]}, "m.names[0]: must be a string, not number"),
        ({"path": SECRET}, "m.path: must match the pattern ^/"),
        ({"host": "A"}, "m.host: must have the form letters only"),
        ({"host": "abcd"}, "m.host: must have at most 3 characters, not 4"),
        ({"host": "\ud800"}, "m.host: must not contain half of a surrogate pair"),
        ({"inner": {"host": "A"}}, "m.inner.host: must have the form letters only"),
        ({"inner": [SECRET]}, "m.inner: must be an object, not array"),
        ({"inner": {"hots": SECRET}}, "m.inner.hots: unknown field; did you mean 'host'?"),
        ({"on": SECRET}, "m.on: must be true or false, not string"),
        ({"share": True, "on": 3}, "m.on: must be true or false, not number"),
    ],
)
def test_a_mistake_names_the_field_the_value_and_what_is_allowed(fields: dict[str, Any], line: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Model.model_validate(fields)
    lines = error_lines(caught.value, "m", Model)
    assert line in lines
    assert "m.names: must have at least 1 item, not 1" not in lines  # an invalid item is one, too


def test_an_error_without_words_of_its_own_shows_no_text_of_pydantic() -> None:
    class Odd(BaseModel):
        value: complex

    with pytest.raises(ValidationError) as caught:
        Odd.model_validate({"value": "x"})
    assert error_lines(caught.value, "m", Odd) == ["m.value: must not be string of this kind"]


@given(st.sampled_from(sorted(CHECKS)), st.dictionaries(FIELDS, VALUES, max_size=3))
def test_no_text_of_pydantic_and_no_text_of_the_plan_reaches_a_user(kind: str, fields: dict[str, Any]) -> None:
    try:
        Plan.parse({"checks": [{"type": kind, **fields}]})
    except PlanError as error:
        assert not PYDANTIC.search(str(error))
        assert SECRET not in str(error)


def test_a_mistake_is_moved_to_another_place() -> None:
    class Model(BaseModel):
        field: int = Field(ge=5)

    with pytest.raises(ValidationError) as given:
        Model.model_validate({"field": 1})
    (detail,) = given.value.errors()
    moved = ValidationError.from_exception_data("Other", [error_at(detail, ("a", 0, "field"))]).errors()
    assert [(each["loc"], each["msg"]) for each in moved] == [(("a", 0, "field"), detail["msg"])]


def test_a_mistake_of_a_tagged_model_is_moved_to_another_place() -> None:
    detail: Any = {"type": "value_error", "loc": ("b",), "msg": "Value error, no", "input": 1, "ctx": {"message": "no"}}
    moved = ValidationError.from_exception_data("Other", [error_at(detail, ("a", "b"))]).errors()
    assert [(each["loc"], each["msg"]) for each in moved] == [(("a", "b"), "no")]

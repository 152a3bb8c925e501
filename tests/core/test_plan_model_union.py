from __future__ import annotations

from typing import Any, ClassVar, Literal

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from ecs_hooks.core.plan_model import TaggedModel, is_union, members_of
from ecs_hooks.core.validation_errors import error_lines


class Shape(TaggedModel):
    """The union."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)
    tag_field: ClassVar[str] = "kind"

    kind: str


class CircleShape(Shape):
    """A circle."""

    kind: Literal["circle"]
    radius: float


class SquareShape(Shape):
    """A square."""

    kind: Literal["square"]
    side: float = 1


class Colored(BaseModel):
    color: str


class Drawing(Shape, Colored):
    """A union of the same members, with more fields."""

    label: str = ""


class Page(BaseModel):
    drawings: dict[str, Drawing] = {}


CIRCLE = {"kind": "circle", "radius": 2, "color": "red"}


def test_validation_returns_a_member() -> None:
    assert Shape.model_validate({"kind": "square"}) == SquareShape(kind="square")
    circle = Page.model_validate({"drawings": {"square": CIRCLE}}).drawings["square"]

    assert isinstance(circle, Drawing)
    assert isinstance(circle, CircleShape)
    assert (circle.radius, circle.color, circle.label) == (2, "red", "")


def test_a_member_is_valid_and_dumped_as_itself() -> None:
    page = Page.model_validate({"drawings": {"a": CIRCLE}})

    assert page.model_dump(exclude_unset=True) == {"drawings": {"a": CIRCLE}}
    assert Page.model_validate({"drawings": page.drawings}) == page


@pytest.mark.parametrize(
    ("value", "problems"),
    [
        (5, ["p.drawings.circle: must be an object, not number"]),
        ({}, ["p.drawings.circle.kind: is required"]),
        (
            {"knid": "circle", "radius": 1},
            ["p.drawings.circle.kind: is required", "p.drawings.circle.knid: unknown field; did you mean 'kind'?"],
        ),
        ({"kind": "oval"}, ["p.drawings.circle.kind: is not one of the allowed values (circle, square)"]),
        ({"kind": []}, ["p.drawings.circle.kind: must be one of the allowed values (circle, square), not array"]),
        (
            {"kind": "circle", "side": 1, "color": 1},
            [
                "p.drawings.circle.color: must be a string, not number",
                'p.drawings.circle.radius: is required by kind "circle"',
                'p.drawings.circle.side: not supported by kind "circle"',
            ],
        ),
        ({**CIRCLE, "lable": ""}, ["p.drawings.circle.lable: unknown field; did you mean 'label'?"]),
    ],
)
def test_a_mistake_names_the_field_and_the_member(value: Any, problems: list[str]) -> None:
    with pytest.raises(ValidationError) as caught:
        Page.model_validate({"drawings": {"circle": value}})
    assert sorted(error_lines(caught.value, "p", Page)) == problems


def test_members_are_known() -> None:
    assert is_union(Shape)
    assert is_union(Drawing)
    assert not is_union(CircleShape)
    assert [each.__name__ for each in members_of(Shape)] == ["CircleShape", "SquareShape"]
    assert members_of(Colored) == [Colored]
    assert [each.__name__ for each in members_of(Drawing)] == ["CircleDrawing", "SquareDrawing"]
    assert all(issubclass(each, Drawing) for each in members_of(Drawing))


def test_the_json_schema_has_each_member() -> None:
    schema = Page.model_json_schema()

    assert set(schema["$defs"]) == {"CircleDrawing", "SquareDrawing"}
    assert schema["$defs"]["CircleDrawing"]["properties"]["kind"]["const"] == "circle"

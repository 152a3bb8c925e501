from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks_cli.openapi.references import problems_of_references, target


def schemas(**named: Any) -> dict[str, Any]:
    return {"components": {"schemas": named}}


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("#/a~1b/1", 2),
        ("#/~0", 3),
        ("#/%7Bx%7D", 4),
        ("#/a~1b/x", None),
        ("#/a~1b/7", None),
        ("#/x", None),
        ("#/~0/x", None),
    ],
)
def test_targets(reference: str, found: int | None) -> None:
    root = {"a/b": [1, 2], "~": 3, "{x}": 4}
    if found is None:
        with pytest.raises(LookupError):
            target(root, reference)
    else:
        assert target(root, reference) == found


@pytest.mark.parametrize(
    ("root", "problems"),
    [
        (
            schemas(A={"allOf": [{"$ref": "#/components/schemas/None"}]}),
            ["components.schemas.A.allOf[0].$ref: '#/components/schemas/None' leads nowhere"],
        ),
        (
            {"a": [{"$ref": "pets.yaml#/Pet"}], "b": {"$ref": "#/c"}},
            [
                (
                    "a[0].$ref: 'pets.yaml#/Pet' lies outside of this document: bundle it into one document first, as "
                    "`redocly bundle` does"
                ),
                "b.$ref: '#/c' leads nowhere",
            ],
        ),
        (
            schemas(A={"$ref": "#/components/schemas/B"}, B={"anyOf": [{"not": {"$ref": "#/components/schemas/A"}}]}),
            [
                "components.schemas.A.$ref: '#/components/schemas/B' leads back to itself",
                "components.schemas.B.anyOf[0].not.$ref: '#/components/schemas/A' leads back to itself",
            ],
        ),
        # A schema may have itself within, or be named twice; a property may have any name; anchors are no business here.
        (schemas(A={"properties": {"a": {"$ref": "#/components/schemas/A"}}, "items": {"$ref": "#node"}}), []),
        (schemas(A={"properties": {"$ref": {"type": "string"}}, "allOf": True}), []),
        (
            {
                **schemas(A={"allOf": [{"$ref": f"#/components/schemas/{each}"} for each in "BB"]}, B={}),
                "x": {"$ref": "#/components/schemas/A"},
            },
            [],
        ),
    ],
)
def test_each_has_to_lead_somewhere_else(root: Any, problems: list[str]) -> None:
    assert problems_of_references(root) == problems

"""Whether an answer of AWS is made as its API model says.

botocore hands on what it is given: a number where the model has a text, a text where it has a list. Looked at once, where
answers come in, nobody behind has to expect any of it: a member may be missing, but what is there has its type.
"""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any

_TYPES: dict[str, type] = {"string": str, "boolean": bool, "timestamp": datetime}


def fits(value: object, shape: Any) -> bool:
    """Return whether a value has the types of a shape, at every depth.

    Parameters
    ----------
    value
        What botocore has made of an answer. Members may be missing.
    shape
        A shape of botocore's model of the service.
    """
    match shape.type_name:
        case "structure":
            members = shape.members
            return (
                bool(shape.metadata.get("document"))  # any JSON, such as `hookDetails`
                or (
                    isinstance(value, dict) and all(fits(value[name], members[name]) for name in value.keys() & members)
                )
            )
        case "list":
            return isinstance(value, list) and all(fits(each, shape.member) for each in value)
        case "map":
            return isinstance(value, dict) and all(
                fits(name, shape.key) and fits(each, shape.value) for name, each in value.items()
            )
        case "integer" | "long":
            return type(value) is int
        case "double" | "float":
            # Written so that NaN and the infinities do not fit either.
            return type(value) in {int, float} and abs(value) <= sys.float_info.max  # type: ignore[arg-type]
        case other:
            # botocore decodes the JSON in a policy document.
            decoded = shape.name == "policyDocumentType" and isinstance(value, dict)
            return decoded or isinstance(value, _TYPES.get(other, object))

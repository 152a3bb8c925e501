"""One call of an AWS API, with its response checked against the API's model."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from ecs_hooks.aws.clients import client
from ecs_hooks.aws.errors import FactDeniedError, FactError, aws_error, invalid_response
from ecs_hooks.core import clock

_BOTOCORE_NAMES = {"elasticloadbalancing": "elbv2"}
"""Services that IAM and botocore call by different names."""

_TYPES: dict[str, type] = {"string": str, "boolean": bool, "timestamp": datetime}


def call_aws(action: str, region: str, **parameters: Any) -> dict[str, Any]:
    """Call AWS once, and return the response.

    Parameters
    ----------
    action
        The IAM action, such as `ecs:DescribeServiceRevisions`: the name of the service and of the operation. Error
        messages name it.
    region
        Region to call.
    **parameters
        Parameters of the operation.

    Raises
    ------
    FactError
        If the call fails; `FactDeniedError` if a retry cannot help.
    """
    service, _, operation = action.partition(":")
    method = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation).lower()
    try:
        caller = client(_BOTOCORE_NAMES.get(service, service), region)
        response: dict[str, Any] = getattr(caller, method)(**parameters)
    except FactError:
        raise
    except Exception as error:
        _learn_time(getattr(error, "response", None))
        raise aws_error(action, error, parameters) from error
    _learn_time(response)
    if not _matches(response, caller.meta.service_model.operation_model(operation).output_shape):
        raise invalid_response(action)
    return response


def _learn_time(response: Any) -> None:
    """Correct the clock by the `Date` of a response, also of an error."""
    try:
        clock.learn(response["ResponseMetadata"]["HTTPHeaders"]["date"])
    except (KeyError, TypeError):  # no response, or no such header
        return


def call_aws_list(action: str, region: str, member: str, **parameters: Any) -> list[Any]:
    """Call AWS once, and return the list in this member of the response; see `call_aws`."""
    found = call_aws(action, region, **parameters).get(member)
    if not isinstance(found, list):  # botocore returns an empty response for a body that is not JSON
        raise invalid_response(action)
    return found


def call_aws_one(action: str, region: str, member: str, what: str, **parameters: Any) -> dict[str, Any]:
    """Call AWS once, and return the first item of a list; see `call_aws_list`.

    Parameters
    ----------
    what
        The kind of item, for the error if there is none.
    """
    found = call_aws_list(action, region, member, **parameters)
    if not found:
        raise FactDeniedError(f"{action}: {what} not found")
    first: dict[str, Any] = found[0]
    return first


def call_aws_pages(
    action: str, region: str, token: str, too_many: FactError, *, most: int, marker: str = "", **parameters: Any
) -> Iterator[dict[str, Any]]:
    """Call AWS page by page, and yield each response; see `call_aws`.

    Parameters
    ----------
    token
        Name of the pagination token in the response.
    too_many
        Raised if there are more pages than `most`, since the rest is unknown.
    most
        Most pages to read.
    marker
        Name of the pagination token in the request. Default: `token`.
    """
    for _ in range(most):
        response = call_aws(action, region, **parameters)
        yield response
        if not response.get(token):
            return
        parameters[marker or token] = response[token]
    raise too_many


@contextmanager
def parsing(action: str) -> Iterator[None]:
    """Turn the errors of missing members into `FactError`; `call_aws` has validated the types of all others."""
    try:
        yield
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise invalid_response(action) from error


def _matches(value: object, shape: Any) -> bool:
    """Return whether a value has the types of a shape of botocore's model, at every depth.

    botocore returns what it receives: a number where the model has a string, a string where it has a list. Validated
    here once, a member may still be missing, but a member that is there has its type.
    """
    match shape.type_name:
        case "structure":
            members = shape.members
            is_document = bool(shape.metadata.get("document"))  # any JSON, such as `hookDetails`
            return is_document or (
                isinstance(value, dict) and all(_matches(value[name], members[name]) for name in value.keys() & members)
            )
        case "list":
            return isinstance(value, list) and all(_matches(each, shape.member) for each in value)
        case "map":
            return isinstance(value, dict) and all(
                _matches(name, shape.key) and _matches(each, shape.value) for name, each in value.items()
            )
        case "integer" | "long":
            return type(value) is int
        case "double" | "float":
            # This comparison is false for NaN and the infinities, too.
            return type(value) in {int, float} and abs(value) <= sys.float_info.max  # type: ignore[arg-type]
        case other:
            # botocore decodes the JSON in a policy document.
            is_policy = shape.name == "policyDocumentType" and isinstance(value, dict)
            return is_policy or isinstance(value, _TYPES.get(other, object))

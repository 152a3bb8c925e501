"""One AWS call, with what each kind of trouble in it means for a check."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ecs_hooks.aws.clients import client
from ecs_hooks.aws.errors import FactDeniedError, FactError, fact_error, unreadable
from ecs_hooks.aws.shapes import fits

_BOTO3_NAMES = {"elasticloadbalancing": "elbv2"}
"""Services that IAM and boto3 call by different names."""


def ask(action: str, region: str, member: str, **parameters: Any) -> list[Any]:
    """Call AWS once, and return one list of its answer.

    Parameters
    ----------
    action
        The IAM action, such as `ecs:DescribeServiceRevisions`: it names service and operation, and a function whose role
        lacks it is told so.
    region
        Region to ask.
    member
        The list in the answer.
    **parameters
        Parameters of the operation.

    Raises
    ------
    FactError
        If AWS did not answer; `FactDeniedError` where asking again is of no use.
    """
    found = ask_page(action, region, **parameters).get(member)
    if not isinstance(found, list):  # botocore takes an answer that is no JSON for an empty one
        raise unreadable(action)
    return found


def ask_page(action: str, region: str, **parameters: Any) -> dict[str, Any]:
    """Call AWS once, and return the whole answer; see `ask`."""
    service, _, operation = action.partition(":")
    method = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation).lower()
    try:
        caller = client(_BOTO3_NAMES.get(service, service), region)
        answer: dict[str, Any] = getattr(caller, method)(**parameters)
    except FactError:
        raise
    except Exception as error:
        raise fact_error(action, error) from error
    if not fits(answer, caller.meta.service_model.operation_model(operation).output_shape):
        raise unreadable(action)
    return answer


def pages(
    action: str, region: str, token: str, endless: FactError, *, most: int, **parameters: Any
) -> Iterator[dict[str, Any]]:
    """Call AWS page by page, and yield each answer; see `ask`.

    Parameters
    ----------
    token
        What the operation calls the token of the next page.
    endless
        What is raised where there are more pages than `most`: what was not read to its end is not known.
    most
        Pages that are read.
    """
    for _ in range(most):
        answer = ask_page(action, region, **parameters)
        yield answer
        if not answer.get(token):
            return
        parameters[token] = answer[token]
    raise endless


def ask_one(action: str, region: str, member: str, what: str, **parameters: Any) -> dict[str, Any]:
    """Call AWS once for a thing that has to exist; see `ask`.

    Parameters
    ----------
    what
        What the thing is called, for the error where AWS knows none.
    """
    found = ask(action, region, member, **parameters)
    if not found:
        raise FactDeniedError(f"{action}: AWS knows no such {what}")
    first: dict[str, Any] = found[0]
    return first


@contextmanager
def reading(action: str) -> Iterator[None]:
    """Take an answer that lacks what it has to have for one that can't be read.

    Of the types nobody has to be afraid here: `ask_page` has seen to them.
    """
    try:
        yield
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise unreadable(action) from error

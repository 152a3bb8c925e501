"""Identifiers in the forms that CodeDeploy gives them."""

from __future__ import annotations

import re
import secrets
import string

_LETTERS = string.ascii_uppercase + string.digits
_FORM = re.compile(r"d-[A-Z0-9]{9}")


def deployment_id() -> str:
    """Return the id of a deployment, such as `d-A1B2C3111`."""
    return "d-" + "".join(secrets.choice(_LETTERS) for _ in range(9))


def is_deployment_id(text: str) -> bool:
    """Return whether a text has the form of the id of a deployment."""
    return _FORM.fullmatch(text) is not None

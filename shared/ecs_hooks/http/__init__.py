"""HTTP with limits of time and size, and an address guard."""

from ecs_hooks.http.client import HttpClient
from ecs_hooks.http.errors import HttpError
from ecs_hooks.http.limits import Limits
from ecs_hooks.http.request_body import File
from ecs_hooks.http.response import Response

__all__ = ["File", "HttpClient", "HttpError", "Limits", "Response"]

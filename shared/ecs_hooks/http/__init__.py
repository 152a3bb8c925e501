"""HTTP for hooks: bounded in time and size, and kept away from addresses that are none of a deployment's business."""

from ecs_hooks.http.client import HttpClient
from ecs_hooks.http.errors import HttpError
from ecs_hooks.http.request import File
from ecs_hooks.http.response import Response
from ecs_hooks.http.sending import Limits

__all__ = ["File", "HttpClient", "HttpError", "Limits", "Response"]

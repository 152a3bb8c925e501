"""Masks secrets in texts, in every form in which a server can return them."""

from ecs_hooks.core.redaction.redactor import MASK, Redactor, is_secret_name, mask_every_secret, one_line

__all__ = ["MASK", "Redactor", "is_secret_name", "mask_every_secret", "one_line"]

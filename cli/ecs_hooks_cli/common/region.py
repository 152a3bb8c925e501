"""The region that a person means."""

from __future__ import annotations

import os

import click


def region_of(option: str | None) -> str:
    """Return the region: as an option says, or as the AWS configuration does."""
    found = option or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not found:
        import boto3  # noqa: PLC0415 - it takes a while to load

        found = boto3.session.Session().region_name
    if not found:
        raise click.UsageError("give --region")
    return str(found)

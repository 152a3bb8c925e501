"""The AWS region of a command."""

from __future__ import annotations

import os

import click


def region_of(option: str | None) -> str:
    """Return the region: that of an option, or else that of the AWS configuration."""
    found = option or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not found:
        import boto3  # noqa: PLC0415 - slow to load

        found = boto3.session.Session().region_name
    if not found:
        raise click.UsageError("the AWS configuration has no region; give --region")
    return str(found)

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT

pytestmark = pytest.mark.e2e

LAYER = ROOT / ".aws-sam" / "build" / "EcsHooksLayer"
_MOST_BYTES = 20_000_000


def test_the_layer_has_at_most_20_mb_zipped(tmp_path: Path) -> None:
    zipped = Path(shutil.make_archive(str(tmp_path / "layer"), "zip", LAYER))

    assert zipped.stat().st_size <= _MOST_BYTES
    with zipfile.ZipFile(zipped) as archive:
        assert sum(each.file_size for each in archive.infolist()) < 250_000_000 / 2  # Lambda's limit, code and layers


def test_the_layer_holds_the_library_and_not_what_is_for_people() -> None:
    library = LAYER / "python" / "ecs_hooks"

    assert (library / "py.typed").exists()
    assert (library / "plan.schema.json").exists()
    assert not (library / "simulator").exists()
    assert not (library / "cli").exists()


@pytest.mark.parametrize(
    "service",
    ["ecs", "elbv2", "cloudwatch", "logs", "s3", "ssm", "secretsmanager", "sts", "lambda", "codedeploy", "scheduler"],
)
def test_the_layer_holds_the_apis_that_a_deployment_hook_asks(service: str) -> None:
    assert list((LAYER / "python" / "botocore" / "data" / service).glob("*/service-2.json*"))

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest

from tests.browser.browser import Page, browser, open_page


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A tab of a browser; without one the test is skipped, but not where CI could have installed it."""
    program = browser()
    if program is None:
        could = bool(os.environ.get("CI")) and os.geteuid() == 0 and shutil.which("apt-get") is not None
        (pytest.fail if could else pytest.skip)("no Chromium here; on Debian: apt-get install chromium-headless-shell")
    with open_page(program, tmp_path_factory.mktemp("profile")) as page:
        yield page

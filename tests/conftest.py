"""What many tests share: the sample county, published once a session by the pipeline itself.

BULUO_TEST_HOME names a home that is published already (to try pages against another county without running anything).
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from monitoring.access import Scope
from monitoring.warehouse import Warehouse, publication
from tests.browsing import address, browser  # noqa: F401 -- fixtures
from tests.serving import served  # noqa: F401 -- fixtures
from tests.stores import empty_database, empty_sqlite, postgres, sqlite_store, store  # noqa: F401 -- fixtures
from tests.two_months import two_months  # noqa: F401 -- fixtures

SAMPLE = Path(__file__).parents[1] / "data" / "sample"

# Images for containers often forbid it: then every server and command that a test starts would compile the project anew.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first, so that no worker ends with one alone. A module's tests do not stand together then, and workers take
    them from each other: what is costly to make is a fixture of the session."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(scope="session")
def published_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the last two periods of the small sample published; shared by the workers of one test run."""
    ready = os.environ.get("BULUO_TEST_HOME")
    if ready:
        return Path(ready)
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    home, done = shared / "sample-home", shared / "sample-home.done"
    try:
        (shared / "sample-home.lock").touch(exist_ok=False)
    except FileExistsError:
        return _wait_for(done, home)
    from pipelines.cli import main  # the pipeline is needed by these tests only

    try:
        for period in sorted(path.name for path in SAMPLE.iterdir() if path.is_dir())[-2:]:
            status = main(
                ["run", "--period", period, "--inbox", str(SAMPLE / period), "--pack", "demo", "--home", str(home)]
            )
            assert status in (0, 1), f"run of {period} ended with {status}"
    finally:
        done.touch()
    return home


def _wait_for(done: Path, home: Path) -> Path:
    for _ in range(600):
        if done.exists():
            return home
        time.sleep(0.5)
    pytest.fail("the sample was not published in five minutes")


@pytest.fixture(scope="session")
def warehouse(published_home: Path) -> Warehouse:
    """The latest period of the sample."""
    return Warehouse(publication(published_home).run_of(None).path)


@pytest.fixture
def county() -> Scope:
    """Everybody, masked."""
    return Scope()

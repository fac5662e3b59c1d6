"""What tests share: where evidence lies, and the rule that nothing is skipped in the gate."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest
from hypothesis import settings

from rowsync.recording import Recording, read_recording
from rowsync.workers import cores

ROOT = Path(__file__).parents[1]
RECORDED = ROOT / "fixtures" / "recorded_sessions"
SHARED = ROOT.parent / "shared"

settings.register_profile("rowsync", deadline=None)  # how long an example takes is a busy machine's doing
settings.load_profile("rowsync")

_skipped: list[str] = []


@pytest.fixture(autouse=True)
def settings_file(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty settings; no test sees or touches the data and the settings of whoever runs it."""
    path = tmp_path_factory.mktemp("settings") / "config.toml"
    path.touch()
    monkeypatch.setenv("ROWSYNC_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("ROWSYNC_CONFIG", str(path))
    for name in ("ROWSYNC_ATHLETE", "ROWSYNC_MASS"):
        monkeypatch.delenv(name, raising=False)
    return path


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of evidence beside the project; a test that needs it is skipped aloud where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the evidence in ../shared is not here")
    return SHARED


@pytest.fixture(scope="session")
def intervals_recording() -> Recording:
    """The seed workout, recorded from the virtual rower."""
    return read_recording(RECORDED / "intervals-10x45-75.jsonl")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The torture first: its few tests take long, and nobody is to wait for them at the end."""
    items.sort(key=lambda item: "torture" not in item.path.parts)


def pytest_collection_finish() -> None:
    """Thousands of tests and what they import stay until the end: nobody need look through them for garbage."""
    gc.collect()
    gc.freeze()


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: many a test waits for a process, a browser or a clock."""
    return cores() + 1


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note what is skipped, whichever process ran it."""
    if report.skipped and not hasattr(report, "wasxfail"):
        _skipped.append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """In the gate a skipped test is a failed one: everything it needs can be installed there."""
    if os.environ.get("CI") and _skipped and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        print(f"\nSkipped in the gate, which counts as failed: {', '.join(_skipped)}")

"""Work on a real Dask cluster: the same answers, whatever happens to its workers."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from subprocess import DEVNULL

import pytest

from rowsync import cluster
from rowsync.cluster import Cluster
from rowsync.errors import UsageError
from rowsync.recording import Recording
from rowsync.store import Store
from tests.conftest import ROOT

NAMES = [f"s{number:02}" for number in range(24)]


@pytest.fixture(scope="module")
def store(tmp_path_factory, intervals_recording):
    """Two dozen short sessions of which only the bytes are there."""
    store = Store(tmp_path_factory.mktemp("cluster") / "data")
    short = Recording(intervals_recording.header, intervals_recording.items[:120])
    with store.together():
        for name in NAMES:
            store.add(replace(short, header=replace(short.header, session_id=name)))
    return store


@pytest.fixture(scope="module")
def serial(store):
    """What the store's files hold when they are made here, one after another."""
    list(store.rebuild())
    return contents(store)


def contents(store):
    return {path.name: path.read_bytes() for path in store.folder.glob("samples/*/*/*.parquet")}


class Dask:
    """A scheduler and its workers, each a process of its own."""

    def __init__(self, folder):
        self._folder, self._running, self.workers = folder, [], []
        said = folder / "scheduler.json"
        self._start("distributed.cli.dask_scheduler", "--scheduler-file", said, "--port", 0, "--host", "127.0.0.1")
        while not said.exists():
            time.sleep(0.05)
        time.sleep(0.1)
        self._at = json.loads(said.read_text())["address"]
        self.address = self._at.replace("tcp://", "dask://")

    def work(self, paths=()):
        """Start one more worker."""
        options = ("--no-nanny", "--nthreads", 1, "--local-directory", self._folder)
        worker = self._start("distributed.cli.dask_worker", self._at, *options, paths=paths)
        self.workers.append(worker)
        return worker

    def _start(self, module, *arguments, paths=()):
        search = os.pathsep.join(map(str, (*paths, ROOT)))
        command = [sys.executable, "-m", module, "--no-dashboard", *map(str, arguments)]
        environment = os.environ | {"PYTHONPATH": search}
        process = subprocess.Popen(
            command, cwd=self._folder, env=environment, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL
        )
        self._running.append(process)
        return process

    def end(self):
        """Kill all of it."""
        for process in self._running:
            process.kill()
            process.wait()


@pytest.fixture
def dask(tmp_path):
    started = Dask(tmp_path)
    yield started
    started.end()


def without_samples(store):
    for path in store.folder.glob("samples/*/*/*.parquet"):
        path.unlink()


def test_workers_make_the_same_files_to_the_last_bit(store, serial, dask):
    without_samples(store)
    for _ in range(2):
        dask.work()
    rebuilt = list(store.rebuild(pool=Cluster(dask.address)))
    assert [each.session_id for each in rebuilt] == NAMES
    assert all(each.is_new for each in rebuilt)
    assert contents(store) == serial
    assert len(store.rows()) == len(NAMES)


def test_a_worker_that_is_killed_midway_costs_nothing(store, serial, dask):
    without_samples(store)
    first, _ = dask.work(), dask.work()
    done = []
    for each in store.rebuild(pool=Cluster(dask.address)):
        done.append(each.session_id)
        if len(done) == 3:
            first.send_signal(signal.SIGKILL)
    assert done == NAMES
    assert contents(store) == serial


def test_a_worker_with_another_rowsync_is_refused_and_nothing_is_written(store, serial, dask, tmp_path):
    without_samples(store)
    shutil.copytree(ROOT / "rowsync", tmp_path / "other" / "rowsync")
    model = tmp_path / "other" / "rowsync" / "energy.py"
    model.write_text(model.read_text() + "# another model\n")
    dask.work(paths=[tmp_path / "other"])
    with pytest.raises(UsageError, match=r"A worker has rowsync 0\..* install the same on both"):
        list(store.rebuild(pool=Cluster(dask.address)))
    assert contents(store) == {}


def test_a_scheduler_without_workers_says_what_to_start(store, dask, monkeypatch):
    monkeypatch.setattr(cluster, "WORKERS_WITHIN_S", 0.5)
    with pytest.raises(UsageError, match=r"has no workers\. Start `dask worker`"):
        list(store.derived(NAMES, Cluster(dask.address)))


def test_where_nobody_answers_it_is_said(store, monkeypatch):
    monkeypatch.setattr(cluster, "ANSWERS_WITHIN_S", 1)
    with pytest.raises(UsageError, match=r"Nobody answers at dask://127\.0\.0\.1:9"):
        list(store.derived(NAMES, Cluster("dask://127.0.0.1:9")))


@pytest.mark.parametrize("address", ["tcp://x:1", "dask:/x", "dask://host", "dask://host:port", "8786"])
def test_what_is_no_cluster_is_refused(address):
    with pytest.raises(UsageError, match="is no cluster: write dask://"):
        Cluster(address)


def test_a_cluster_of_its_own_does_it_too_and_is_gone_afterwards(store, serial):
    without_samples(store)
    done = subprocess.run(
        [sys.executable, "-m", "rowsync", "rebuild", "--on", "dask://", "--data", store.folder],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "24 sessions" in done.stdout
    assert contents(store) == serial

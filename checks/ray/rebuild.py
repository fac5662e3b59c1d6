"""Derive sessions on Ray: whatever maps a function over items is a pool of rowsync's.

    checks/ray/run

`RayPool` is all that an engine needs to be: `Store.rebuild` gives it the pure function of one session and where each
session's files lie, and writes what comes back.  Here two workers make the sessions of the fixtures, whose files must
be those that one process makes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import ray

from rowsync.recording import Recording, read_recording
from rowsync.store import Store
from rowsync.workers import ahead

RECORDED = Path(__file__).parents[2] / "fixtures" / "recorded_sessions"


class Answer:
    """What Ray is still working on."""

    def __init__(self, reference: Any) -> None:
        self._reference = reference

    def result(self) -> Any:
        """The answer, once it is there."""
        return ray.get(self._reference)


class RayPool:
    """The workers of a Ray cluster, as many as it has."""

    def in_order(self, work: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
        """What `work` answers to each item, in their order."""
        task = ray.remote(work_on)
        yield from ahead(lambda item: Answer(task.remote(work, item)), items, 16)


def work_on(work: Callable[[Any], Any], item: Any) -> Any:
    """What a worker does."""
    return work(item)


def samples(store: Store) -> dict[str, bytes]:
    """The files of samples, by their names."""
    return {part.name: store.shelf.read(part.key) for part in store.parts("samples")}


def main() -> None:
    """Make sessions here and on Ray, and compare."""
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, runtime_env={"env_vars": {"PYTHONPATH": "."}})
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "data")
        for path in sorted(RECORDED.glob("*.jsonl")):
            rowed = read_recording(path)
            store.add(Recording(replace(rowed.header, session_id=path.stem), rowed.items))
        here = samples(store)
        for part in list(store.parts("samples")):
            store.shelf.remove(part.key)
        rebuilt = list(store.rebuild(pool=RayPool()))
        if samples(store) != here:
            raise SystemExit(f"They differ: {[each.problem for each in rebuilt]}")
        print(f"{len(rebuilt)} sessions made on Ray {ray.__version__}: every file is the same to the byte")
    ray.shutdown()


if __name__ == "__main__":
    main()

"""Work on several cores at once: answers come in the order asked, and no worker outlives who asked."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from typing import Protocol, TypeVar

from rowsync.errors import StoreError

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")
Answered = TypeVar("Answered", covariant=True)

WORTH_A_WORKER = 4
"""A worker takes as long to start as a few sessions take to derive."""


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Pool(Protocol):
    """Whoever does work."""

    def in_order(self, work: Callable[[Asked], Answer], items: Sequence[Asked]) -> Iterator[Answer]:
        """What `work` answers to each item, in their order.

        Args:
            work: a function of a module, or a method of what can be pickled, since it may go to other processes.
            items: what it is asked.

        Raises:
            StoreError: a worker was killed.
        """


class Here:
    """This process, one item after another."""

    def in_order(self, work: Callable[[Asked], Answer], items: Sequence[Asked]) -> Iterator[Answer]:
        """What `work` answers to each item, in their order."""
        yield from map(work, items)


HERE = Here()


class Processes:
    """Processes of this computer.

    Args:
        jobs: how many; with one, and for few items, it is done here.
    """

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs

    def in_order(self, work: Callable[[Asked], Answer], items: Sequence[Asked]) -> Iterator[Answer]:
        """What `work` answers to each item, in their order."""
        jobs = min(self.jobs, len(items) // WORTH_A_WORKER)
        if jobs < 2:
            yield from map(work, items)
            return
        # Not forked: a fork copies locks that threads of pyarrow may hold.
        pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _begin)
        try:
            yield from ahead(lambda item: pool.submit(work, item), items, jobs * ASKED_AHEAD)
        except BrokenProcessPool:
            raise StoreError(
                "A worker was killed, perhaps for want of memory. What was done until then is kept; go on with "
                "--jobs 1."
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)


ASKED_AHEAD = 8
"""So many items are asked of each worker before the first is answered: nobody waits, and no answers pile up."""


class Awaited(Protocol[Answered]):
    """An answer that is still to come."""

    def result(self) -> Answered:
        """The answer, once it is there."""


def ahead(ask: Callable[[Asked], Awaited[Answer]], items: Iterable[Asked], most: int) -> Iterator[Answer]:
    """The answers in the order of the items, of which not more than so many are under way."""
    under_way: deque[Awaited[Answer]] = deque()
    for item in items:
        if len(under_way) == most:
            yield under_way.popleft().result()
        under_way.append(ask(item))
    while under_way:
        yield under_way.popleft().result()


def _begin() -> None:
    """In a worker: Ctrl-C is for who asked, and when that one is gone, so is the worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)  # a queue that nobody fills any more would be waited for for ever

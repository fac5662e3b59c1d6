"""Work on several cores at once: answers come in the order asked, and no worker outlives who asked."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from typing import TypeVar

from rowsync.errors import StoreError

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")

WORTH_A_WORKER = 4
"""A worker takes as long to start as a few sessions take to derive."""


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_order(work: Callable[[Asked], Answer], items: Sequence[Asked], jobs: int) -> Iterator[Answer]:
    """What `work` answers to each item, in their order.

    Args:
        work: a function of a module, or a method of what can be pickled, since it goes to other processes.
        items: what it is asked.
        jobs: how many processes; with one, and with few items, it is done here.

    Raises:
        StoreError: a worker was killed.
    """
    jobs = min(jobs, len(items) // WORTH_A_WORKER)
    if jobs < 2:
        yield from map(work, items)
        return
    # Not forked: a fork copies locks that threads of pyarrow may hold.
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _begin)
    try:
        yield from pool.map(work, items)
    except BrokenProcessPool:
        raise StoreError(
            "A worker was killed, perhaps for want of memory. What was done until then is kept; go on with --jobs 1."
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """In a worker: Ctrl-C is for who asked, and when that one is gone, so is the worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)  # a queue that nobody fills any more would be waited for for ever

"""Work on the computers of a Dask cluster, or on one that lasts as long as the work.

Each worker is asked by which rowsync it works: other code would make other sessions of the same bytes.  A worker that
is killed costs what it was working on, which another one does again; nothing is written but by whoever asked.

Dask runs any code for whoever reaches its ports: a cluster belongs into a network that one trusts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rowsync import __version__
from rowsync.errors import RowsyncError, StoreError, UsageError
from rowsync.workers import ASKED_AHEAD, Answer, Asked, ahead, cores

if TYPE_CHECKING:
    from distributed import Client

SCHEME = "dask"
TOGETHER = 8
"""So many items go to a worker at once: a message costs as much as a short session."""

ANSWERS_WITHIN_S = 10
WORKERS_WITHIN_S = 30


class Cluster:
    """A cluster of Dask's.

    Args:
        address: `dask://<host>:<port>` of its scheduler; `dask://` for one of this computer's own, while it is needed.

    Raises:
        UsageError: that is no such address, or Dask isn't installed.
    """

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        try:
            is_known = parts.scheme == SCHEME and parts.path in ("", "/") and (not parts.netloc or parts.port)
        except ValueError:
            is_known = False
        if not is_known:
            raise UsageError(
                f"{address} is no cluster: write dask://<host>:<port>, or dask:// for this computer's own."
            )
        self.address, self._scheduler = address, parts.netloc

    def in_order(self, work: Callable[[Asked], Answer], items: Sequence[Asked]) -> Iterator[Answer]:
        """What `work` answers to each item, in their order.

        Raises:
            UsageError: nobody answers there, or a worker has another rowsync.
            StoreError: the cluster went away.
        """
        batches = [items[first : first + TOGETHER] for first in range(0, len(items), TOGETHER)]
        if not batches:
            return
        with self._reached() as client:
            workers = _with_workers(self.address, client)
            for answers in ahead(
                lambda batch: client.submit(_answers, code_mark(), work, batch, pure=False, retries=0),
                batches,
                workers * ASKED_AHEAD,
            ):
                yield from answers

    @contextmanager
    def _reached(self) -> Iterator[Client]:
        try:
            from distributed import Client, LocalCluster
        except ImportError:
            raise UsageError(f"For {self.address} Dask is missing: pip install 'rowsync[dask]'") from None
        scheduler: Any = self._scheduler or LocalCluster(
            n_workers=cores(), threads_per_worker=1, dashboard_address=None, silence_logs=50
        )
        try:
            client = Client(scheduler, timeout=ANSWERS_WITHIN_S)
        except (OSError, TimeoutError):
            raise UsageError(
                f"Nobody answers at {self.address}. Start `dask scheduler` there and `dask worker {self._scheduler}` "
                "wherever work is to be done, or leave --on away."
            ) from None
        try:
            yield client
        except RowsyncError:
            raise
        except (ImportError, AttributeError) as error:
            raise UsageError(
                f"A worker of {self.address} lacks our code ({error}): install this rowsync there."
            ) from None
        except Exception as error:  # of Dask's own, which come and go
            raise StoreError(
                f"The cluster {self.address} went away ({type(error).__name__}: {str(error)[:200]}). What was done "
                "until then is kept; start again to do the rest."
            ) from None
        finally:
            client.close()
            if not self._scheduler:
                scheduler.close()


def _with_workers(address: str, client: Client) -> int:
    """How many threads of workers there are, once there are any."""
    try:
        client.wait_for_workers(1, timeout=WORKERS_WITHIN_S)
    except TimeoutError:
        raise UsageError(f"{address} has no workers. Start `dask worker` on the computers that are to help.") from None
    return sum(client.nthreads().values())


def _answers(mark: str, work: Callable[[Asked], Answer], items: Sequence[Asked]) -> list[Answer]:
    """What a worker answers.

    Raises:
        UsageError: it has another rowsync than whoever asks.
    """
    if (ours := code_mark()) != mark:
        raise UsageError(f"A worker has rowsync {ours}, and this computer has {mark}: install the same on both.")
    return list(map(work, items))


@cache
def code_mark() -> str:
    """By which code and libraries sessions are made here: the version, and a mark of all that goes into the bytes."""
    code = hashlib.sha256(" ".join(map(version, ("numpy", "pyarrow"))).encode())
    for path in sorted(Path(__file__).parent.glob("**/*.py")):
        code.update(path.read_bytes())
    return f"{__version__} ({code.hexdigest()[:8]})"

"""An event loop whose clock jumps to the next timer as soon as nothing is left to do.

Half an hour of rowing over the virtual radio passes in the seconds that its computing takes, and every run sees the
same times.  The loop is asyncio's own selector loop with one change: where that would sleep until the next timer, this
one moves its clock there.  The selector is still polled on every turn, so threads, signals and sockets are heard.

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(main())
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from contextvars import Context
from typing import TypeVar, TypeVarTuple

SHORTEST_S = 1e-6
"""The shortest wait [s]."""

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A selector event loop on virtual time, which starts at 0 [s].

    Two waits are real: with no timer at all (then only a thread, a signal or a socket can wake the loop), and while a
    thread works for this loop (`asyncio.to_thread`, `run_in_executor`), so that no timeout fires before its answer.

    A socket that other processes write to is polled, not waited for: the clock runs ahead of it.
    """

    def __init__(self) -> None:
        self._now_s = 0.0
        self._threads_at_work = 0
        super().__init__(_JumpingSelector(self._wait_s, self._jump))

    def time(self) -> float:
        """The virtual clock [s]."""
        return self._now_s

    def call_at(
        self, when: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call later, by a microsecond at least.

        A virtual clock stands still while it computes: whoever waits for the rounding error that is left would ask for
        it for ever.
        """
        return super().call_at(max(when, self._now_s + SHORTEST_S), callback, *args, context=context)

    def run_in_executor(self, executor: Executor | None, func: Callable[[*_Ts], _T], *args: *_Ts) -> asyncio.Future[_T]:
        """Run `func` in a thread; the clock stands still until it is done."""
        future = super().run_in_executor(executor, func, *args)
        self._threads_at_work += 1
        future.add_done_callback(self._thread_is_done)
        return future

    def _thread_is_done(self, _: asyncio.Future[_T]) -> None:
        self._threads_at_work -= 1

    def _wait_s(self, timeout_s: float | None) -> float | None:
        """How long to wait for real: not at all, or (None) until something happens."""
        forever = timeout_s is None or (timeout_s > 0 and self._threads_at_work > 0)
        return None if forever else 0

    def _jump(self, by_s: float) -> None:
        self._now_s += by_s


class _JumpingSelector(selectors.DefaultSelector):
    """Hands the time that a selector would have slept to `jump`.

    Args:
        wait_s: which real wait a timeout becomes [s].
        jump: told by how much the clock moves on [s], when nothing happened.
    """

    def __init__(self, wait_s: Callable[[float | None], float | None], jump: Callable[[float], None]) -> None:
        super().__init__()
        self._wait_s = wait_s
        self._jump = jump

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Poll; when nothing is ready and a timer is due later, move the clock to that timer."""
        wait_s = self._wait_s(timeout)
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(wait_s)
        if not ready and timeout and wait_s == 0:
            self._jump(timeout)
        return ready

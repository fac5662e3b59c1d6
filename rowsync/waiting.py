"""Waiting for one of several things, and ending what is no longer wanted, in asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

_T = TypeVar("_T")

AGAIN_S = 8.0
"""When an end is asked for again: before Python 3.12 `asyncio.wait_for` may swallow it (cpython #86296) [s]."""


async def end(*tasks: asyncio.Future[Any]) -> None:
    """End tasks, and wait until they have tidied up."""
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=AGAIN_S)


async def pause(seconds: float) -> None:
    """Do nothing for a while [s]."""
    await asyncio.sleep(seconds)


async def within(work: Coroutine[Any, Any, _T], seconds: float) -> _T | None:
    """Do something, but not for ever; None when it takes longer [s]."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            return await work
    return None


async def happens(event: asyncio.Event, within_s: float) -> bool:
    """Wait for an event, but not for ever; answer whether it has happened [s]."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            await event.wait()
    return event.is_set()


async def until(event: asyncio.Event, task: asyncio.Future[Any]) -> None:
    """Wait for a task or an event, whichever is first; the task goes on."""
    waiting = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end(waiting)


async def first_answer(*works: Coroutine[Any, Any, str | None]) -> str:
    """The first answer that isn't None; then the rest is ended.

    Raises:
        RuntimeError: there is none.
    """
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        for task in asyncio.as_completed(tasks):
            if (answer := await task) is not None:
                return answer
        raise RuntimeError("nobody has an answer")
    finally:
        await end(*tasks)

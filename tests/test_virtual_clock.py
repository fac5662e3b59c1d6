"""The virtual clock: it jumps where nothing is left to do, and waits where somebody else is at work."""

import asyncio
import os
import signal
import threading
import time

import pytest

from rowsync.virtual.clock import VirtualTimeLoop


def in_virtual_time(coroutine):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(coroutine)


async def ticks():
    while True:
        yield
        await asyncio.sleep(0.5)


def test_an_hour_passes_at_once():
    async def sleep():
        await asyncio.sleep(3600)
        return asyncio.get_running_loop().time()

    began_s = time.perf_counter()
    assert in_virtual_time(sleep()) == pytest.approx(3600)
    assert time.perf_counter() - began_s < 1


def test_timers_fire_in_order_and_on_time():
    fired = []

    async def note_at(time_s):
        await asyncio.sleep(time_s)
        fired.append((time_s, asyncio.get_running_loop().time()))

    async def main():
        await asyncio.gather(*(note_at(time_s) for time_s in (30, 10, 20, 10.5)))

    in_virtual_time(main())
    assert [time_s for time_s, _ in fired] == [10, 10.5, 20, 30]
    assert [at_s for _, at_s in fired] == pytest.approx([10, 10.5, 20, 30])


def test_a_wait_of_days_passes_too():
    async def sleep():
        await asyncio.sleep(10 * 86_400)
        return asyncio.get_running_loop().time()

    assert in_virtual_time(sleep()) == pytest.approx(864_000)


def test_computing_takes_no_virtual_time():
    async def compute():
        time.sleep(0.02)  # noqa: ASYNC251 - it stands for computing
        return asyncio.get_running_loop().time()

    assert in_virtual_time(compute()) == 0


def test_a_timeout_does_not_fire_before_a_thread_has_answered():
    async def main():
        async with asyncio.timeout(1):
            answer = await asyncio.to_thread(lambda: time.sleep(0.05) or "done")
        return answer, asyncio.get_running_loop().time()

    assert in_virtual_time(main()) == ("done", 0)


def test_the_clock_runs_again_after_a_thread():
    async def main():
        await asyncio.to_thread(time.sleep, 0.01)
        await asyncio.sleep(5)
        return asyncio.get_running_loop().time()

    assert in_virtual_time(main()) == pytest.approx(5)


def test_with_no_timer_the_loop_waits_for_a_thread_that_calls():
    async def main():
        loop = asyncio.get_running_loop()
        called = loop.create_future()
        thread = threading.Timer(0.05, loop.call_soon_threadsafe, (called.set_result, "here"))
        thread.start()
        answer = await called
        thread.join()
        return answer, loop.time()

    assert in_virtual_time(main()) == ("here", 0)


def test_a_busy_loop_hears_a_thread_that_calls():
    async def main():
        loop = asyncio.get_running_loop()
        called = loop.create_future()
        thread = threading.Thread(target=loop.call_soon_threadsafe, args=(called.set_result, "here"))
        thread.start()
        async for _ in ticks():
            if called.done():
                break
        thread.join()
        return await called

    assert in_virtual_time(main()) == "here"


@pytest.fixture
def ctrl_c():
    """Ctrl-C as Python has it, also where a shell started this in the background, which takes it away."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_wakes_a_loop_that_waits_for_nothing():
    async def wait():
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
        await asyncio.get_running_loop().create_future()

    with pytest.raises(KeyboardInterrupt):
        in_virtual_time(wait())


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_stops_a_loop_whose_clock_runs():
    async def tick():
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
        async for _ in ticks():
            pass

    with pytest.raises(KeyboardInterrupt):
        in_virtual_time(tick())

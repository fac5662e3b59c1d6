"""System calls of our real code, one by one: watched, counted, and answered with a fault.

A forked child runs the code under ptrace.  A seccomp filter stops it at the calls that may touch a file, in every
thread; each is let through, changed or refused before the next one runs, so they have one order and one number each,
which strace's counters (one a thread) don't give.  A short write really is one: the kernel is asked to write less.
Forking costs milliseconds, where starting Python and strace costs a second.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import platform
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NUMBERS = {
    "read": 0, "write": 1, "close": 3, "pread64": 17, "pwrite64": 18, "writev": 20, "sendfile": 40, "flock": 73,
    "fsync": 74, "fdatasync": 75, "truncate": 76, "ftruncate": 77, "rename": 82, "mkdir": 83, "rmdir": 84, "creat": 85,
    "link": 86, "unlink": 87, "symlink": 88, "getdents64": 217, "openat": 257, "mkdirat": 258, "unlinkat": 263,
    "renameat": 264, "fallocate": 285, "pwritev": 296, "renameat2": 316, "copy_file_range": 326, "openat2": 437,
}  # fmt: skip
"""The calls that are watched, as x86-64 numbers them."""
NAMES = {number: name for name, number in NUMBERS.items()}

PATHS = {"truncate": 0, "rename": 0, "mkdir": 0, "rmdir": 0, "creat": 0, "link": 0, "unlink": 0, "symlink": 1}
"""Calls that name a file by its path, and which argument that is."""
AT = {"openat", "mkdirat", "unlinkat", "renameat", "renameat2", "openat2"}
"""Calls that name a file by an open folder and a path."""
CHANGING = set(NUMBERS) - {"read", "pread64", "getdents64", "close", "flock"}
MODELLED = {"openat", "write", "fsync", "fdatasync", "ftruncate", "rename", "mkdir", "unlink"}
"""Those changing calls that our code makes; another one would be a hole in the simulated disk, and is refused aloud."""

FAULTS: dict[str, set[str]] = {
    "kill": CHANGING & MODELLED | {"close", "flock"},
    "torn": {"write"},
    "short": {"write"},
    "dropped": {"fsync", "fdatasync"},
    "EIO": MODELLED | {"close", "flock", "read", "pread64", "getdents64"},
    "ENOSPC": {"openat", "write", "fsync", "fdatasync", "rename", "mkdir"},
    "EMFILE": {"openat"},
    "full": {"openat", "write", "fsync", "fdatasync", "rename", "mkdir"},
    "broken": MODELLED,
}
"""What is done at which calls.

kill: SIGKILL before the call.  torn: half of it is written, then SIGKILL.  short: half of it is written, and said so.
dropped: a sync fails with EIO, and what was not synced is gone from the file, which is how Linux does it.
EIO, ENOSPC, EMFILE: this one call is refused.  full, broken: this and every later one is, with ENOSPC or EIO; a full
disk takes half of the first write, and a file that is there still opens.
"""
FOR_EVER = {"full": "ENOSPC", "broken": "EIO"}

_TRACEME, _PEEK, _POKE, _CONT, _STEP, _OPTIONS, _INFO = 0, 3, 6, 7, 24, 0x4200, 0x420E
_RAX, _RDX, _ORIG_RAX = 80, 96, 120
_WALL = 0x40000000
_SECCOMP_EVENT = 7
_WANTED = 1 | 8 | 0x80 | 0x100000  # mark our stops; follow threads; tell of the filter; the child dies with us
_DIE_WITH_PARENT = 1
_SET_FILTER, _ALL_THREADS, _NO_NEW_PRIVILEGES, _SECCOMP = 1, 1, 38, 317
_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long
DEADLINE_S = 60


def missing() -> str | None:
    """What this machine lacks for watching calls; None when it can."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return f"system calls are watched on Linux on x86-64 only, not on {sys.platform} {platform.machine()}"
    return None


@dataclass(frozen=True, slots=True)
class Call:
    """One call that touches something below the watched folder.

    Attributes:
        name: the call; "told" for what the child tells.
        path: of the file, within the folder.
        to: where it is renamed to.
        flags: of an opening.
        offset: where a write begins; the new size of a truncation; -1 for the end of the file.
        data: what is written, or told.
        result: what the kernel answered.
    """

    name: str
    path: str = ""
    to: str | None = None
    flags: int = 0
    offset: int = 0
    data: bytes = b""
    result: int = 0

    def __str__(self) -> str:
        return f"{self.name}({self.path}{'' if self.to is None else ' to ' + self.to}) = {self.result}"


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong, and at which call, counted from 0."""

    kind: str
    number: int


@dataclass(slots=True)
class Run:
    """What a child did.

    Attributes:
        calls: its calls below the folder, in order.
        told: what it told, in order; each is a JSON object.
        hit: the call that the fault came at; None where it never came so far.
        ended: how it ended, as `os.waitpid` says it.
    """

    calls: list[Call] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)
    hit: Call | None = None
    ended: int = 0


Tell = Callable[[dict[str, Any]], None]
Work = Callable[[Tell], None]


def watched(work: Work, folder: Path, fault: Fault | None = None, before: Callable[[], None] | None = None) -> Run:
    """Run work in a child, and watch its calls below a folder.

    Args:
        work: gets a function by which it tells what it would show to a person.
        folder: absolute, without links.
        fault: what goes wrong.
        before: what the child does first, unwatched.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _work(work, writing, before)
    os.close(writing)
    try:
        return _Tracer(child, str(folder), writing, fault).run(reading)
    finally:
        os.close(reading)
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, _WALL)


def _work(work: Work, writing: int, before: Callable[[], None] | None) -> None:
    """In the child: never returns."""

    def tell(told: dict[str, Any]) -> None:
        os.write(writing, json.dumps(told).encode() + b"\n")

    try:
        _libc.prctl(_DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(DEADLINE_S)
        if _libc.ptrace(_TRACEME, 0, None, None):
            raise OSError(ctypes.get_errno(), "ptrace is not allowed here")
        os.kill(os.getpid(), signal.SIGSTOP)
        if before is not None:
            before()
        _filter()
        work(tell)
        os._exit(0)
    except BaseException:
        tell({"traceback": traceback.format_exc()})
        os._exit(1)


def _filter() -> None:
    """Stop all threads at the watched calls."""
    numbers = sorted(NAMES)
    program = [(0x20, 0, 0, 0)]  # load the number of the call
    program += [(0x15, len(numbers) - at, 0, number) for at, number in enumerate(numbers)]
    program += [(0x06, 0, 0, 0x7FFF0000), (0x06, 0, 0, 0x7FF00000)]  # let it through, or tell the tracer

    class Step(ctypes.Structure):
        _fields_ = (("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte), ("k", ctypes.c_uint))

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.POINTER(Step)))

    steps = (Step * len(program))(*(Step(*step) for step in program))
    whole = Program(len(program), steps)
    _libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    if _libc.syscall(_SECCOMP, _SET_FILTER, _ALL_THREADS, ctypes.byref(whole)):
        raise OSError(ctypes.get_errno(), "seccomp is not allowed here")


class _Info(ctypes.Structure):
    _fields_ = (
        ("op", ctypes.c_ubyte), ("pad", ctypes.c_ubyte * 3), ("arch", ctypes.c_uint32), ("ip", ctypes.c_uint64),
        ("sp", ctypes.c_uint64), ("nr", ctypes.c_uint64), ("args", ctypes.c_uint64 * 6), ("more", ctypes.c_uint64),
    )  # fmt: skip


def _ptrace(request: int, thread: int, address: int = 0, data: int = 0) -> int:
    ctypes.set_errno(0)
    answer: int = _libc.ptrace(request, thread, ctypes.c_void_p(address), ctypes.c_void_p(data & (1 << 64) - 1))
    if answer == -1 and ctypes.get_errno():
        raise ProcessLookupError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return answer


class _Tracer:
    """Who lets a child's calls through, one by one."""

    def __init__(self, child: int, folder: str, telling: int, fault: Fault | None) -> None:
        self.child, self.folder, self.telling, self.fault = child, folder, telling, fault
        self.done = Run()
        self.is_full = False
        self.synced_sizes: dict[str, int] = {}
        self.is_begun = False

    def run(self, reading: int) -> Run:
        os.waitpid(self.child, _WALL)
        _ptrace(_OPTIONS, self.child, 0, _WANTED)
        self.memory = os.open(f"/proc/{self.child}/mem", os.O_RDONLY)
        try:
            _ptrace(_CONT, self.child)
            while (ended := self._wait()) is None:
                pass
        finally:
            os.close(self.memory)
        self.done.ended = ended
        with os.fdopen(os.dup(reading), "rb") as told:
            self.done.told = [json.loads(line) for line in told if line.endswith(b"\n")]
        return self.done

    def _wait(self) -> int | None:
        try:
            thread, status = os.waitpid(-1, _WALL)
        except ChildProcessError:  # it ended within a call
            return signal.SIGKILL
        if os.WIFEXITED(status) or os.WIFSIGNALED(status):
            return status if thread == self.child else None
        signalled = os.WSTOPSIG(status)
        with suppress(ProcessLookupError):  # killed meanwhile
            if status >> 16 == _SECCOMP_EVENT:
                self._at(thread)
                _ptrace(_CONT, thread)
            else:
                _ptrace(_CONT, thread, 0, 0 if status >> 16 or signalled == signal.SIGSTOP else signalled)
        return None

    def _at(self, thread: int) -> None:
        """A thread is about to make a watched call."""
        info = _Info()
        _ptrace(_INFO, thread, ctypes.sizeof(info), ctypes.addressof(info))
        name, given = NAMES[info.nr], list(info.args)
        if name == "write" and given[0] == self.telling:
            self.done.calls.append(Call("told", data=self._bytes(given[1], given[2])))
            return
        known = self._described(name, given)
        if known is None:
            return
        if not self.is_begun:  # what lies there before is on disk
            files = (path for path in Path(self.folder).rglob("*") if path.is_file())
            self.synced_sizes = {os.path.relpath(path, self.folder): path.stat().st_size for path in files}
            self.is_begun = True
        kind = self._kind(known)
        if kind and self.done.hit is None:
            self.done.hit = known
        result = self._answer(thread, kind, known, given) if kind else self._let_through(thread)
        known = Call(known.name, known.path, known.to, known.flags, known.offset, known.data, result)
        if name in ("fsync", "fdatasync") and result == 0:
            with suppress(OSError):
                self.synced_sizes[known.path] = os.stat(f"/proc/{self.child}/fd/{given[0]}").st_size
        self.done.calls.append(known)

    def _kind(self, call: Call) -> str | None:
        """What goes wrong at this call."""
        if self.fault is None or call.name not in FAULTS[self.fault.kind]:
            return None
        number = len([None for each in self.done.calls if each.name != "told"])
        lasting = FOR_EVER.get(self.fault.kind)
        if number < self.fault.number or (number > self.fault.number and lasting is None):
            return None
        is_opening = call.name == "openat" and not call.flags & os.O_CREAT
        if is_opening and self.fault.kind in ("full", "ENOSPC"):
            return None
        if self.fault.kind == "full" and call.name == "write" and not self.is_full:
            self.is_full = True
            return "short"
        return lasting or self.fault.kind

    def _answer(self, thread: int, kind: str, call: Call, given: list[int]) -> int:
        if kind == "kill":
            os.kill(self.child, signal.SIGKILL)
            raise ProcessLookupError
        if kind in ("torn", "short"):
            _ptrace(_POKE, thread, _RDX, max(1, given[2] // 2))
            result = self._let_through(thread)
            if kind == "torn":
                os.kill(self.child, signal.SIGKILL)
            return result
        if kind == "dropped":
            self._drop(call.path, given[0])
            kind = "EIO"
        refused = -getattr(errno, kind)
        if call.name == "close":  # it says so, and the file is closed nevertheless
            self._let_through(thread)
        else:
            _ptrace(_POKE, thread, _ORIG_RAX, -1)
        _ptrace(_POKE, thread, _RAX, refused)
        return refused

    def _drop(self, path: str, opened: int) -> None:
        """Lose what was not synced, as Linux does when writing it back failed."""
        where = f"/proc/{self.child}/fd/{opened}"
        if os.path.isfile(where):
            os.truncate(where, min(os.stat(where).st_size, self.synced_sizes.get(path, 0)))

    def _let_through(self, thread: int) -> int:
        """Have the call made; answer what the kernel says."""
        _ptrace(_STEP, thread)
        os.waitpid(thread, _WALL)
        value = _ptrace(_PEEK, thread, _RAX)
        return value - (1 << 64) if value >= 1 << 63 else value

    def _described(self, name: str, given: list[int]) -> Call | None:
        """The call in words; None when it is none of ours."""
        if name in AT:
            path = self._joined(given[0], given[1])
        elif name in PATHS:
            path = self._text(given[PATHS[name]])
        else:
            path = self._opened(given[0])
        inside = self._inside(path)
        if inside is None:
            return None
        if name in CHANGING - MODELLED:
            raise NotImplementedError(f"{name} on {path}: the simulated disk doesn't know this call")
        if name == "openat":
            return Call(name, inside, flags=given[2])
        if name == "rename":
            return Call(name, inside, to=self._inside(self._text(given[1])))
        if name == "write":
            return Call(name, inside, offset=self._offset(given[0]), data=self._bytes(given[1], given[2]))
        if name == "ftruncate":
            return Call(name, inside, offset=given[1])
        return Call(name, inside)

    def _inside(self, path: str) -> str | None:
        """A path within the folder; None outside."""
        if path == self.folder:
            return ""
        if path.endswith(" (deleted)"):
            return None
        return path[len(self.folder) + 1 :] if path.startswith(f"{self.folder}/") else None

    def _joined(self, folder: int, text: int) -> str:
        at = ctypes.c_int32(folder & 0xFFFFFFFF).value
        return os.path.join("/" if at == -100 else self._opened(at), self._text(text))

    def _opened(self, opened: int) -> str:
        with suppress(OSError):
            return os.readlink(f"/proc/{self.child}/fd/{opened & 0xFFFFFFFF}")
        return ""

    def _offset(self, opened: int) -> int:
        with open(f"/proc/{self.child}/fdinfo/{opened}") as info:
            known = dict(line.split(":", 1) for line in info if ":" in line)
        return -1 if int(known["flags"], 8) & os.O_APPEND else int(known["pos"])

    def _bytes(self, address: int, length: int) -> bytes:
        return os.pread(self.memory, length, address)

    def _text(self, address: int) -> str:
        found = b""
        while b"\0" not in found:
            found += os.pread(self.memory, 4096 - (address + len(found)) % 4096, address + len(found))
        return os.fsdecode(found.split(b"\0", 1)[0])


def plan(calls: list[Call], kinds: Iterator[str] | list[str]) -> list[Fault]:
    """Every fault that can come at one of these calls."""
    counted = [call for call in calls if call.name != "told"]
    return [Fault(kind, at) for kind in kinds for at, call in enumerate(counted) if call.name in FAULTS[kind]]

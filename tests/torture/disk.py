"""A simulated disk: every content that a power cut may leave, from the real calls of our real code.

The model is at least as harsh as ext4, xfs and btrfs permit, after Pillai et al., "All File Systems Are Not Created
Equal" (OSDI 2014), with nothing kept in order but by a sync:

- A sync of a file puts its data and size on disk, and not its name.  A sync of a folder puts its names there, and no
  data.
- Of what was not synced any subset may be there: of a file's changes any sector of 512 octets by itself, as of any
  moment since the last sync, and any size that it had or grew through; where the size came and the data didn't, zeros.
- Of new, renamed and removed names and new folders any subset may be there, later ones without earlier ones.
- A rename within a folder is there whole or not at all, which all three promise.  From one folder to another the new
  name may come with the old one still there, but the old one never goes without the new one's coming.
- What is below a folder whose own name is not there, isn't either.

Beyond it: a disk that loses what it confirmed, and sectors torn within.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from random import Random

from tests.torture.calls import Call

SECTOR = 512
State = dict[str, bytes | None]
"""What lies at each path, in the order in which it was last changed; None is a folder."""


@dataclass(slots=True, eq=False)
class _File:
    """A file: `moments` are its contents since the last sync, the synced one first and the present one last.

    `changed` is the number of the call that changed it last.
    """

    moments: list[bytes]
    changed: int = 0


@dataclass(slots=True, eq=False)
class _Folder:
    """A folder: its names as they are, and as they are on disk."""

    names: dict[str, _File | _Folder] = field(default_factory=dict)
    synced: dict[str, _File | _Folder] = field(default_factory=dict)


_Part = tuple[_Folder, str, "_File | _Folder | None"]


class Disk:
    """A disk with what lies in a folder, all of it synced."""

    def __init__(self, folder: Path) -> None:
        self.root = self._of(folder)
        self.pending: list[list[_Part]] = []
        self.calls = 0

    def _of(self, folder: Path) -> _Folder:
        known = _Folder()
        for path in folder.iterdir():
            known.names[path.name] = self._of(path) if path.is_dir() else _File([path.read_bytes()])
        known.synced = dict(known.names)
        return known

    # --- calls ----------------------------------------------------------------------------------------------------

    def apply(self, call: Call) -> None:
        """What a call does; one that was refused does nothing."""
        self.calls += 1
        if call.result >= 0 and (how := getattr(self, f"_{call.name}", None)) is not None:
            how(call)

    def _at(self, path: str) -> tuple[_Folder, str]:
        folder = self.root
        *above, name = path.split("/")
        for each in above:
            inner = folder.names[each]
            assert isinstance(inner, _Folder)
            folder = inner
        return folder, name

    def _node(self, path: str) -> _File | _Folder:
        folder, name = self._at(path)
        return folder.names[name] if name else self.root

    def _change(self, *parts: _Part) -> None:
        for folder, name, node in parts:
            if node is None:
                folder.names.pop(name)
            else:
                folder.names[name] = node
        self.pending.append(list(parts))

    def _openat(self, call: Call) -> None:
        folder, name = self._at(call.path) if call.path else (self.root, "")
        known = folder.names.get(name)
        if known is None and call.flags & os.O_CREAT:
            self._change((folder, name, _File([b""], self.calls)))
        elif isinstance(known, _File) and call.flags & os.O_TRUNC and known.moments[-1]:
            known.moments.append(b"")

    def _write(self, call: Call) -> None:
        file = self._node(call.path)
        assert isinstance(file, _File)
        now, data = file.moments[-1], call.data[: call.result]
        at = len(now) if call.offset < 0 else call.offset
        file.changed = self.calls
        file.moments.append(now[:at].ljust(at, b"\0") + data + now[at + len(data) :])

    def _ftruncate(self, call: Call) -> None:
        file = self._node(call.path)
        assert isinstance(file, _File)
        if (now := file.moments[-1][: call.offset].ljust(call.offset, b"\0")) != file.moments[-1]:
            file.moments.append(now)

    def _fsync(self, call: Call) -> None:
        node = self._node(call.path)
        if isinstance(node, _File):
            del node.moments[:-1]
            return
        node.synced = dict(node.names)
        for change in self.pending:
            if change[0][0] is not node and any(part[0] is node for part in change):
                folder, name, moved = change[0]  # the old name goes, so the new one comes
                folder.synced[name] = moved  # type: ignore[assignment]
                change.clear()
            change[:] = [part for part in change if part[0] is not node]
        self.pending = [change for change in self.pending if change]

    _fdatasync = _fsync

    def _mkdir(self, call: Call) -> None:
        folder, name = self._at(call.path)
        self._change((folder, name, _Folder()))

    def _unlink(self, call: Call) -> None:
        folder, name = self._at(call.path)
        self._change((folder, name, None))

    def _rename(self, call: Call) -> None:
        folder, name = self._at(call.path)
        assert call.to is not None
        to, to_name = self._at(call.to)
        self._change((to, to_name, folder.names[name]), (folder, name, None))

    # --- what a cut leaves --------------------------------------------------------------------------------------------

    def states(self, most: int, random: Random) -> Iterator[State]:
        """What may be there if the power is cut now: every state if they are few, else so many of them, by lot.

        However many: that all that is pending came, and that nothing did.
        """
        choices = [_choices(change) for change in self.pending]
        some = self._tree([len(each) - 1 for each in choices], choices)
        yield _with(some, {path: file.moments[-1] for path, file in _files(some)})
        none = self._tree([0] * len(choices), choices)
        yield _with(none, {path: file.moments[0] for path, file in _files(none)})
        which = list(product(*(range(len(each)) for each in choices))) if len(choices) <= 8 else []
        random.shuffle(which)
        for at in range(max(0, most - 2)):
            chosen = which[at % len(which)] if which else [random.randrange(len(each)) for each in choices]
            tree = self._tree(chosen, choices)
            yield _with(tree, {path: _left(file, random) for path, file in _files(tree)})
            if not self.pending and all(len(file.moments) == 1 for _, file in _files(tree)):
                return

    def _tree(self, chosen: tuple[int, ...] | list[int], choices: list[list[list[_Part]]]) -> dict[str, _File | None]:
        """The names that are there when of each pending change this much came."""
        names: dict[_Folder, dict[str, _File | _Folder]] = {}
        for which, choice in zip(chosen, choices, strict=True):
            for folder, name, node in choice[which]:
                there = names.setdefault(folder, dict(folder.synced))
                if node is None:
                    there.pop(name, None)
                else:
                    there[name] = node
        return dict(_walk(self.root, names, ""))


def _choices(change: list[_Part]) -> list[list[_Part]]:
    """How much of a change may be there, from nothing to all."""
    is_across = len(change) == 2 and change[0][0] is not change[1][0]
    return [[], change[:1], change] if is_across else [[], change]


def _walk(
    folder: _Folder, names: dict[_Folder, dict[str, _File | _Folder]], above: str
) -> Iterator[tuple[str, _File | None]]:
    for name, node in sorted(names.get(folder, folder.synced).items()):
        path = f"{above}{name}"
        if isinstance(node, _File):
            yield path, node
        else:
            yield path, None
            yield from _walk(node, names, f"{path}/")


def _files(tree: dict[str, _File | None]) -> list[tuple[str, _File]]:
    return [(path, file) for path, file in tree.items() if file is not None]


def _with(tree: dict[str, _File | None], contents: dict[str, bytes]) -> State:
    changed = {path: -1 if file is None else file.changed for path, file in tree.items()}
    return {path: contents.get(path) for path in sorted(tree, key=changed.__getitem__)}


def _left(file: _File, random: Random) -> bytes:
    """What may be left of a file."""
    moments = file.moments
    if len(moments) == 1:
        return moments[0]
    how = random.randrange(4)
    if how == 0:
        return random.choice(moments)
    least, most = min(map(len, moments)), max(map(len, moments))
    size = random.choice([random.randint(least, most), *map(len, moments)])
    if how == 1:  # as if it had been written from its beginning to its end
        return moments[-1][:size].ljust(size, b"\0")
    left = bytearray()
    mostly = random.choice(moments)
    for at in range(0, size, SECTOR):
        moment = mostly if random.random() < 0.5 else random.choice(moments)
        left += moment[at : at + SECTOR].ljust(SECTOR, b"\0")
    return bytes(left[:size])

"""One assertion, two defences: rowsync's own, which must hold, and a planted weak one, which must be caught.

A check that can't fail proves nothing, so each attack is tried on both.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest

OURS, WEAK = "ours", "weak"


def versions(ours: Any, *weak: Any) -> pytest.MarkDecorator:
    """Run a test with rowsync's own defence, and with weak ones that it must catch.

    The test takes `defence`, and `outcome`: a context in which it asserts.
    """
    caught = [pytest.param(each, pytest.raises(Violation), id=f"{WEAK}-{_name(each)}") for each in weak]
    return pytest.mark.parametrize(("defence", "outcome"), [pytest.param(ours, nullcontext(), id=OURS), *caught])


class Violation(AssertionError):
    """An attack succeeded."""


def holds(promise: bool, what: str) -> None:
    """Raise unless it holds."""
    if not promise:
        raise Violation(what)


def _name(weak: Any) -> str:
    """What a weak version is called, the same in every process."""
    return str(weak if isinstance(weak, str) else getattr(weak, "__name__", "one")).strip("_<>").replace("_", "-")

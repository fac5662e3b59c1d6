"""The suites' commands as the gate runs them: each in a process of its own, since they fork."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import ROOT


def run(suite: str, *given: str) -> subprocess.CompletedProcess[str]:
    """What a suite prints."""
    command = [sys.executable, "-m", f"tests.torture.{suite}", "--seed", "1", *given]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=500, check=False)

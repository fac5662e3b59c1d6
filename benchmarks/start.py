"""How long `rowsync --help` takes, beside a bare interpreter and the smallest program of the same CLI library.

python benchmarks/start.py
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

SMALLEST_CLICK = "import click\n@click.group()\ndef cli(): 'x'\ntry: cli(['--help'])\nexcept SystemExit: pass"

COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "click's own --help": [sys.executable, "-c", SMALLEST_CLICK],
    "rowsync --help": [sys.executable, "-m", "rowsync", "--help"],
    "import rowsync.live": [sys.executable, "-c", "import rowsync.live"],
    "import rowsync.store": [sys.executable, "-c", "import rowsync.store"],
}


def main() -> None:
    """Measure the commands in turns, so that a busy moment hits them alike; print medians and ratios."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for _ in range(16):
        for name, command in COMMANDS.items():
            start = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
            times[name].append(time.perf_counter() - start)
    median = {name: statistics.median(found[1:]) for name, found in times.items()}  # the first compiles
    bare = median["python -c pass"]
    for name, seconds in median.items():
        print(f"{name:22}{seconds * 1000:8.0f} ms{seconds / bare:8.1f} x bare")
    beyond = bare + median["rowsync --help"] - median["click's own --help"]
    print(f"rowsync --help beyond click's own cost: {beyond / bare:.2f} x bare (goal: below 3)")


if __name__ == "__main__":
    main()

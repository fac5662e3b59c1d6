"""Commands as processes of their own that needn't import pandas again: forked from one that has.

Each has its own arguments, environment, folder and streams, and ends with a status, as `python -m rowsync` does; what
is the process's own (signals, a terminal, how it starts) is tried with real ones.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path

OURS = ("rowsync.cli", "rowsync.store", "rowsync.terminal", "rowsync.virtual", "dashboards.report")
MODULES = ("pandas", "pyarrow.dataset", "pyarrow.parquet", "httpx", *OURS)
FORKING = multiprocessing.get_context("forkserver")
FORKING.set_forkserver_preload(["tests.forked", *MODULES])


def run(arguments, timeout, cwd=None, env=None):
    """Run `rowsync` to its end, as `subprocess.run` does.

    Raises:
        TimeoutExpired: it takes longer than that [s].
    """
    with tempfile.TemporaryDirectory() as folder:
        streams = [Path(folder, name) for name in ("output", "said")]
        process = FORKING.Process(
            target=_command, args=(arguments, cwd or os.getcwd(), env or dict(os.environ), streams)
        )
        process.start()
        process.join(timeout)
        if process.is_alive():
            process.kill()
            raise subprocess.TimeoutExpired(arguments, timeout)
        output, said = (path.read_text() for path in streams)
        return subprocess.CompletedProcess(arguments, process.exitcode, output, said)


def _command(arguments, cwd, env, streams):
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    for number, path in enumerate(streams, start=1):
        os.dup2(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND), number)
    sys.argv = ["rowsync", *arguments]
    runpy.run_module("rowsync", run_name="__main__")

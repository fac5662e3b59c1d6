"""Years of a club: many synthetic sessions made from their bytes, indexed, packed and asked, and what that costs.

    python -m benchmarks.scale rebuild [--sessions 100000] [--serial 2000] [--athletes 1000] [--seconds 60]
    python -m benchmarks.scale index [--rows 20000000]

`rebuild`: short synthetic sessions of which only the bytes are there; some of them are derived by one process, all of
them by two Dask workers; then the index is made, asked, and with --pack the files are packed.  Both ways
write the same files, or it fails.

`index`: an index of so many generated rows (nobody rowed them), in the columns of ours that are asked about, and what
leaderboards and totals of it take by pyarrow, as `rowsync leaderboard` does it, by pandas, and by DuckDB where that is
installed.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

FIRST = datetime(2016, 1, 4, 6, tzinfo=UTC)
RECORDED = Path(__file__).parents[1] / "fixtures" / "recorded_sessions"


# --- rebuild ----------------------------------------------------------------------------------------------------------


def fill(folder: Path, sessions: int, athletes: int, seconds: float) -> int:
    """Write the bytes of synthetic sessions; answer how many notifications each has."""
    from rowsync.athlete import Athlete
    from rowsync.recording import Recording, read_recording
    from rowsync.table import raw_bytes

    rowed = read_recording(RECORDED / "intervals-10x45-75.jsonl")
    items = tuple(item for item in rowed.items if item.time_s <= seconds)
    for number in range(sessions):
        started_at = FIRST + timedelta(seconds=number * 10 * 365 * 86400 // sessions)
        name, athlete = f"{started_at:%Y%m%dT%H%M%SZ}-{number:07d}", f"athlete-{number % athletes:05d}"
        header = replace(rowed.header, session_id=name, started_at=started_at, athlete=Athlete(athlete))
        path = folder / "raw" / f"athlete={athlete}" / f"year={started_at.year}" / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw_bytes(Recording(header, items)))
    return len(Recording(rowed.header, items).notifications)


class Watched:
    """Processes whose highest memory is of interest."""

    def __init__(self, pids):
        self._pids, self.mib, self._is_over = pids, 0.0, threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self):
        while not self._is_over.wait(0.5):
            self.mib = max([self.mib, *map(_mib, self._pids)])

    def end(self):
        """Answer the most that one of them had [MiB]."""
        self._is_over.set()
        return self.mib


def _mib(pid):
    try:
        return int(Path(f"/proc/{pid}/status").read_text().split("VmRSS:")[1].split()[0]) / 1024
    except (OSError, IndexError):
        return 0.0


def timed(pool, store, names, tell):
    """Rebuild sessions; answer seconds and CPU seconds of this process."""
    start, cpu = time.perf_counter(), time.process_time()
    for done, rebuilt in enumerate(store.rebuild(names, pool), start=1):
        assert rebuilt.problem is None, rebuilt.problem
        if done % 5000 == 0:
            tell(f"  {done:,} after {time.perf_counter() - start:.0f} s")
    return time.perf_counter() - start, time.process_time() - cpu


def dask(folder: Path, workers: int):
    """A scheduler and workers, each a process; answers their address and processes."""
    said = folder / "scheduler.json"
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--no-dashboard", "--host", "127.0.0.1"]
    running = [subprocess.Popen([*command, "--port", "0", "--scheduler-file", str(said)], **quiet)]
    while not said.exists():
        time.sleep(0.1)
    time.sleep(0.5)
    import json

    address = json.loads(said.read_text())["address"]
    command = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--no-nanny", "--no-dashboard"]
    for _ in range(workers):
        running.append(subprocess.Popen([*command, "--nthreads", "1", "--local-directory", str(folder)], **quiet))
    return address.replace("tcp://", "dask://"), running


def rebuild(given):
    """Rebuild so many sessions on one process and on two workers."""
    from rowsync.cluster import Cluster
    from rowsync.store import Store
    from rowsync.workers import HERE

    with tempfile.TemporaryDirectory(dir=given.folder) as place:
        folder = Path(place) / "data"
        start = time.perf_counter()
        each = fill(folder, given.sessions, given.athletes, given.seconds)
        filled_s = time.perf_counter() - start
        print(
            f"{given.sessions:,} synthetic sessions of {given.seconds:g} s, {each} notifications each, of "
            f"{given.athletes:,} athletes; bytes written in {filled_s:.0f} s. Load {os.getloadavg()[0]:.1f}."
        )
        store = Store(folder)
        start = time.perf_counter()
        names = store.stored()
        print(f"one look at all of them: {time.perf_counter() - start:.1f} s")
        few = names[:: max(1, len(names) // given.serial)][: given.serial]
        one_s, one_cpu_s = timed(HERE, store, few, print)
        print(
            f"one process: {len(few):,} sessions in {one_s:.0f} s: {len(few) / one_s:.0f} a second, "
            f"{1000 * one_cpu_s / len(few):.1f} ms of CPU each, "
            f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB"
        )
        keys = {name: store.places()[name].samples[0].key for name in few[:200]}
        before = {name: store.shelf.read(key) for name, key in keys.items()}
        for key in keys.values():
            store.shelf.remove(key)
        address, running = dask(Path(place), 2)
        watched = Watched([process.pid for process in running[1:]])
        try:
            two_s, two_cpu_s = timed(Cluster(address), store, names, print)
        finally:
            for process in running:
                process.kill()
        assert before == {name: store.shelf.read(key) for name, key in keys.items()}, "they differ"
        print(
            f"two Dask workers: {len(names):,} sessions in {two_s:.0f} s: {len(names) / two_s:.0f} a second, "
            f"{len(names) / two_s / 2:.0f} a worker; {two_cpu_s / two_s:.0%} of a core for whoever asks and writes; "
            f"speed-up {len(names) / two_s * one_s / len(few):.2f}; at most {watched.end():.0f} MiB a worker; "
            "200 files compared: equal to the byte"
        )
        for what, do in (
            ("index made anew", store.rebuild_index),
            ("index asked, nothing new", store.rows),
            ("packed", lambda: list(store.pack(datetime(2100, 1, 1, tzinfo=UTC), fewest=2)) if given.pack else None),
            ("index asked after that", store.rows),
        ):
            start = time.perf_counter()
            do()
            print(f"{what}: {time.perf_counter() - start:.1f} s")
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        count = sum(path.is_file() for path in folder.rglob("*"))
        print(f"{count:,} files, {size / given.sessions / 1000:.1f} kB a session")


# --- index ------------------------------------------------------------------------------------------------------------


def generate(path: Path, rows: int):
    """Write an index of so many rows, a million at a time."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from rowsync.table import INDEX

    dice = np.random.default_rng(1)
    athletes = max(10, rows // 2000)
    with pq.ParquetWriter(path, INDEX, compression="zstd") as writer:
        for first in range(0, rows, 1_000_000):
            size = min(1_000_000, rows - first)
            start_us = int(FIRST.timestamp() * 1e6) + dice.integers(0, 10 * 365 * 86400, size) * 1_000_000
            power_w = dice.normal(170, 40, size).clip(30)
            columns = {
                "session_id": pa.array(np.char.add("s", np.arange(first, first + size).astype(str))),
                "started_at": pa.array(start_us, pa.timestamp("us", tz="UTC")),
                "athlete": pa.array(np.char.add("a", dice.integers(0, athletes, size).astype(str))),
                "origin": pa.array(["hardware"] * size),
                "machine": pa.array(np.char.add("m", dice.integers(0, 40, size).astype(str))),
                "duration_s": pa.array(dice.uniform(600, 3600, size)),
                "mean_power_w": pa.array(power_w),
                "gross_kcal": pa.array(power_w * 3),
                "net_kcal": pa.array(power_w * 2.6),
                "power_60s_w": pa.array(power_w * 1.6),
                "best_500m_s": pa.array(500 * (2.8 / (power_w * 1.3)) ** (1 / 3)),
                "best_2000m_s": pa.array(2000 * (2.8 / power_w) ** (1 / 3)),
            }
            table = {name: columns.get(name, pa.nulls(size, INDEX.field(name).type)) for name in INDEX.names}
            writer.write_table(pa.table(table, schema=INDEX))
    return athletes


QUERIES = {
    "leaderboard 500 m": "SELECT athlete, min(best_500m_s) AS best FROM t GROUP BY athlete ORDER BY best LIMIT 10",
    "kcal by athlete and week": (
        "SELECT count(*), sum(kcal) FROM (SELECT athlete, date_trunc('week', started_at) AS week, sum(gross_kcal) AS "
        "kcal FROM t GROUP BY athlete, week)"
    ),
    "one athlete": "SELECT count(*), sum(gross_kcal), min(best_2000m_s) FROM t WHERE athlete = 'a7'",
}


def by_pyarrow(path: Path, what: str):
    """The answer as rowsync gives it."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from rowsync.leaderboard import leaders

    if what == "leaderboard 500 m":
        table = pq.read_table(path, columns=["session_id", "started_at", "athlete", "origin", "machine", "best_500m_s"])
        return [(each["athlete"], each["best_500m_s"]) for each in leaders(table, "best_500m_s", 10)]
    if what == "one athlete":
        columns = ["athlete", "gross_kcal", "best_2000m_s"]
        found = pq.read_table(path, columns=columns, filters=[("athlete", "=", "a7")])
        return [(found.num_rows, pc.sum(found["gross_kcal"]).as_py(), pc.min(found["best_2000m_s"]).as_py())]
    table = pq.read_table(path, columns=["athlete", "started_at", "gross_kcal"])
    week = pc.floor_temporal(table["started_at"], unit="week")
    table = pa.table({"athlete": table["athlete"].dictionary_encode(), "week": week, "kcal": table["gross_kcal"]})
    sums = table.group_by(["athlete", "week"]).aggregate([("kcal", "sum")])
    return [(sums.num_rows, pc.sum(sums["kcal_sum"]).as_py())]


def by_pandas(path: Path, what: str):
    """The answer of pandas."""
    import pandas as pd

    if what == "leaderboard 500 m":
        table = pd.read_parquet(path, columns=["athlete", "best_500m_s"])
        best = table.groupby("athlete")["best_500m_s"].min().nsmallest(10)
        return list(best.items())
    if what == "one athlete":
        table = pd.read_parquet(path, columns=["athlete", "gross_kcal", "best_2000m_s"])
        table = table[table["athlete"] == "a7"]
        return [(len(table), table["gross_kcal"].sum(), table["best_2000m_s"].min())]
    table = pd.read_parquet(path, columns=["athlete", "started_at", "gross_kcal"])
    days = (table["started_at"].astype("int64") // 86_400_000_000 + 3) // 7
    sums = table.groupby([table["athlete"], days])["gross_kcal"].sum()
    return [(len(sums), sums.sum())]


def by_duckdb(path: Path, what: str):
    """The answer of DuckDB."""
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"CREATE VIEW t AS SELECT * FROM read_parquet('{path}')")
    return connection.execute(QUERIES[what]).fetchall()


ENGINES = {"pyarrow": by_pyarrow, "pandas": by_pandas, "duckdb": by_duckdb}


def asked(given):
    """In a process of its own: one query of one engine; prints seconds, memory and the answer."""
    start = time.perf_counter()
    answer = ENGINES[given.engine](Path(given.path), given.query)
    took_s = time.perf_counter() - start
    # Not ru_maxrss, which a process has from the one that started it.
    most_kib = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
    print(took_s, most_kib / 1024, repr(answer), sep="\t")


def index(given):
    """Generate an index and ask it."""
    with tempfile.TemporaryDirectory(dir=given.folder) as place:
        path = Path(place) / "sessions.parquet"
        start = time.perf_counter()
        athletes = generate(path, given.rows)
        print(
            f"{given.rows:,} generated rows of {athletes:,} athletes, {path.stat().st_size / 1e6:.0f} MB, in "
            f"{time.perf_counter() - start:.0f} s. Load {os.getloadavg()[0]:.1f}.\n"
        )
        print("| query | engine | seconds | MiB | × the first |\n|---|---|---|---|---|")
        for query in QUERIES:
            first_s = None
            for engine in ENGINES:
                command = [sys.executable, "-m", "benchmarks.scale", "asked", str(path), query, engine]
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                if done.returncode:
                    print(f"| {query} | {engine} | {done.stderr.strip().splitlines()[-1][:60]} | | |")
                    continue
                took_s, mib, answer = done.stdout.strip().split("\t")
                first_s = first_s or float(took_s)
                print(
                    f"| {query} | {engine} | {float(took_s):.1f} | {float(mib):.0f} | {float(took_s) / first_s:.1f} |"
                )
                print(f"  {engine}: {answer[:110]}", file=sys.stderr)


def main():
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", help="where the synthetic sessions lie meanwhile")
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("rebuild")
    command.add_argument("--sessions", type=int, default=100_000)
    command.add_argument("--serial", type=int, default=2_000)
    command.add_argument("--athletes", type=int, default=1_000)
    command.add_argument("--seconds", type=float, default=60.0)
    command.add_argument("--pack", action="store_true")
    command.set_defaults(do=rebuild)
    command = commands.add_parser("index")
    command.add_argument("--rows", type=int, default=20_000_000)
    command.set_defaults(do=index)
    command = commands.add_parser("asked")
    for name in ("path", "query", "engine"):
        command.add_argument(name)
    command.set_defaults(do=asked)
    given = parser.parse_args()
    given.do(given)


if __name__ == "__main__":
    main()

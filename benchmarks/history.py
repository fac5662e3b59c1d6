"""Years of rowing: what questions about them cost, from the index and from every sample, and what a rebuild costs.

    python benchmarks/history.py                    5,000 sessions of 40 minutes at 1 Hz, in a temporary folder
    python benchmarks/history.py --sessions 500     a quick look
    pip install duckdb                              for its side of the comparison; without it, it is left out
    python benchmarks/history.py --rowingdata PYTHON          a Python that has rowingdata, to load and sum up 20

The sessions are SYNTHETIC and written directly: 16 powers through the 40 minutes that differ from session to session,
bests and energies of the index by rowsync's own formulas, samples in rowsync's own files.  A few are whole, from the
virtual rower's bytes, for the rates of `rowsync rebuild`.

Asked are: energy by week, the best 500 m, and the power curve, each best with its day.  Each way answers in a process
of its own; loading its libraries and answering are timed apart, and its memory is the most that was resident.  Those
that scan the samples of every session take power as it is held for a second, and aren't asked for the energy.
"""

from __future__ import annotations

import argparse
import importlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

DURATIONS_S = (5, 10, 15, 30, 60, 120, 300, 600, 1200, 2400)
METRES = 500
FIRST = datetime(2017, 1, 2, 7, tzinfo=UTC)
SESSION_S = 2400
WHOLE = 4
"""Sessions made from bytes."""


# --- the ways to answer -----------------------------------------------------------------------------------------------


def by_index(folder: Path) -> dict[str, Any]:
    """From rowsync's own index, by its own store."""
    from rowsync.store import Store

    return _answer_of_index(Store(folder).index())


def by_index_alone(folder: Path) -> dict[str, Any]:
    """From the index by anybody, in one line of pandas."""
    import pandas as pd

    return _answer_of_index(pd.read_parquet(folder / "sessions.parquet"))


def _answer_of_index(index: Any) -> dict[str, Any]:
    weeks = index.groupby(index.started_at.dt.strftime("%G-W%V")).gross_kcal.sum()
    day = index.started_at.dt.strftime("%Y-%m-%d")
    fastest = index.best_500m_s.idxmin()
    curve = {name: index[f"power_{name}s_w"].idxmax() for name in DURATIONS_S}
    return {
        "weeks": len(weeks),
        "kcal": round(float(weeks.sum())),
        "best 500 m": [round(float(index.best_500m_s[fastest]), 1), day[fastest]],
        "curve": {name: [round(float(index[f"power_{name}s_w"][at])), day[at]] for name, at in curve.items()},
    }


def by_pandas(folder: Path) -> dict[str, Any]:
    """From every sample, loaded by pandas and reckoned session by session."""
    import numpy as np
    import pandas as pd

    samples = pd.read_parquet(folder / "samples", columns=["session_id", "time_s", "distance_m", "power_w"])
    curve: dict[int, list[Any]] = {name: [0.0, ""] for name in DURATIONS_S}
    fastest: list[Any] = [float("inf"), ""]
    for session_id, each in samples.groupby("session_id", observed=True):
        day = _day(str(session_id))
        work = np.concatenate([[0.0], np.cumsum(each.power_w.to_numpy())])
        for name in DURATIONS_S:
            if len(work) > name:
                curve[name] = max(curve[name], [float((work[name:] - work[:-name]).max() / name), day])
        time_s, metres = each.time_s.to_numpy(), each.distance_m.to_numpy()
        reached_s = np.interp(metres + METRES, metres, time_s, right=np.inf)
        fastest = min(fastest, [float((reached_s - time_s).min()), day])
    return {
        "best 500 m": [round(fastest[0], 1), fastest[1]],
        "curve": {name: [round(power_w), day] for name, (power_w, day) in curve.items()},
    }


def by_duckdb(folder: Path) -> dict[str, Any]:
    """From every sample, by DuckDB's windows; its best 500 m is to the sample, which it joins by what was reached."""
    import duckdb

    database = duckdb.connect()
    database.execute(
        f"create view samples as select session_id, time_s, distance_m, power_w "
        f"from read_parquet('{folder}/samples/*/*/*.parquet')"
    )
    rolling = ", ".join(
        f"case when row_number() over every >= {name} then avg(power_w) over "
        f"(partition by session_id order by time_s rows between {name - 1} preceding and current row) end as p{name}"
        for name in DURATIONS_S
    )
    most = ", ".join(f"max(p{name}), arg_max(session_id, p{name})" for name in DURATIONS_S)
    row = database.execute(
        f"select {most} from (select session_id, {rolling} from samples "
        "window every as (partition by session_id order by time_s))"
    ).fetchall()[0]
    (fastest,) = database.execute(
        "select min(b.time_s - a.time_s), arg_min(a.session_id, b.time_s - a.time_s) from samples a "
        f"asof join samples b on a.session_id = b.session_id and a.distance_m + {METRES} <= b.distance_m"
    ).fetchall()
    return {
        "best 500 m": [round(fastest[0], 1), _day(fastest[1])],
        "curve": {name: [round(row[2 * at]), _day(row[2 * at + 1])] for at, name in enumerate(DURATIONS_S)},
    }


def _day(session_id: str) -> str:
    return f"{session_id[:4]}-{session_id[4:6]}-{session_id[6:8]}"


WAYS: dict[str, tuple[tuple[str, ...], Callable[[Path], dict[str, Any]]]] = {
    "rowsync's index": (("rowsync.store", "pandas"), by_index),
    "the same, one line": (("pandas", "pyarrow.parquet"), by_index_alone),
    "pandas, all samples": (("pandas", "pyarrow.parquet"), by_pandas),
    "DuckDB, all samples": (("duckdb",), by_duckdb),
}
"""By what it needs and how it answers."""


ROWINGDATA = """
import json, sys, time
import matplotlib
matplotlib.use("Agg")
start = time.perf_counter()
import rowingdata
loaded = time.perf_counter()
metres = []
for path in sys.argv[1:]:
    row = rowingdata.rowingdata(csvfile=path)
    row.summary()
    metres.append(float(row.df["cum_dist"].max()))
print("ANSWER", json.dumps([loaded - start, time.perf_counter() - loaded, metres]))
"""
"""In a Python of its own, since its packages and rowsync's don't agree: load a CSV of strokes, and sum it up."""


def by_rowingdata(python: str, folder: Path, most: int = 20) -> None:
    """What rowingdata takes for some sessions, and ours for the same ones; it knows no other way than one by one."""
    from rowsync.exports import Picture, session_bytes
    from rowsync.store import Store

    store = Store(folder)
    rows = store.rows()[:most]
    files, ours_s, ours_m = [], 0.0, []
    for row in rows:
        summary, series = store.summary(row["session_id"]), store.series(row["session_id"])
        files.append(folder.parent / f"{row['session_id']}.csv")
        files[-1].write_bytes(session_bytes("rowingdata", Picture(summary, *series, row["started_at"])))
        start = time.perf_counter()
        samples = store.samples(row["session_id"])
        ours_m.append(float(samples.distance_m.max() - samples.distance_m.min()))
        store.summary(row["session_id"])
        ours_s += time.perf_counter() - start
    done = subprocess.run([python, "-c", ROWINGDATA, *map(str, files)], capture_output=True, text=True, check=False)
    answer = next((line[7:] for line in done.stdout.splitlines() if line.startswith("ANSWER ")), None)
    if answer is None:
        print(f"{'rowingdata':22}not measured: {(done.stderr.strip().splitlines() or ['no answer'])[-1]}")
        return
    loading_s, took_s, theirs_m = json.loads(answer)
    apart = max(abs(theirs / ours - 1) for theirs, ours in zip(theirs_m, ours_m, strict=True))
    theirs_ms, ours_ms = 1000 * took_s / len(rows), 1000 * ours_s / len(rows)
    print(f"{'rowingdata':22}{theirs_ms:.0f} ms to load and sum up a session (loading the library {loading_s:.1f} s);")
    print(f"{'':22}rowsync, the same session from its samples: {ours_ms:.1f} ms, {theirs_ms / ours_ms:.0f} x less;")
    print(f"{'':22}metres at most {100 * apart:.1f} % apart")


class Asked(NamedTuple):
    """What one way answered, and what that took."""

    answer: dict[str, Any]
    loading_s: float
    answering_s: float
    megabytes: float


def ask(way: str, folder: Path) -> Asked | None:
    """An answer from a fresh process; None where its library isn't there."""
    command = [sys.executable, __file__, "--ask", way, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{way:22}not measured: {done.stderr.strip().splitlines()[-1]}")
        return None
    return Asked(*json.loads(done.stdout))


def answer_and_tell(way: str, folder: Path) -> None:
    """In the fresh process: answer, and say what it took."""
    needs, answer_from = WAYS[way]
    start = time.perf_counter()
    for name in needs:
        importlib.import_module(name)
    loaded = time.perf_counter()
    answer = answer_from(folder)
    end = time.perf_counter()
    print(json.dumps([answer, loaded - start, end - loaded, _most_megabytes()]))


def _most_megabytes() -> float:
    """The most memory that was resident; on Linux without what the process that started this one had before."""
    status = Path("/proc/self/status")
    if status.is_file():
        lines = (line.split() for line in status.read_text().splitlines())
        return next(int(words[1]) for words in lines if words[0] == "VmHWM:") / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)  # macOS counts in bytes


# --- synthetic sessions -----------------------------------------------------------------------------------------------


def whole_recordings() -> Iterator[Any]:
    """Sessions of 40 minutes at 1 Hz as the virtual rower's bytes, by turns with intervals and without a plan."""
    from rowsync.athlete import Athlete
    from rowsync.plan import parse_plan
    from rowsync.recording import Recording
    from rowsync.session import Header
    from rowsync.telemetry import Notification
    from rowsync.virtual.machine import STANDARD, Console
    from rowsync.virtual.rower import VirtualRower

    (frame,) = STANDARD.frames
    for number, plan in enumerate(("5m + 15x45/75 + 5m", "40m") * (WHOLE // 2)):
        console = Console(replace(STANDARD, frames=(replace(frame, period_s=1.0),)))
        rower = VirtualRower(parse_plan(plan), seed=number)
        items = [
            Notification(float(at_s), "2ad1", payload)
            for at_s in range(SESSION_S)
            for payload in console.feed(rower.advance(float(at_s)))
        ]
        athlete, kept_plan = Athlete("virtual", mass_kg=75.0), plan if "x" in plan else None
        header = Header(f"whole-{number}", FIRST - timedelta(days=9), "synthetic", "benchmark", {}, athlete, kept_plan)
        yield Recording(header, tuple(items))


def fill(folder: Path, sessions: int, template: tuple[dict[str, Any], Any]) -> None:
    """Write sessions into a store, beside its usual way since that would take hours; the index is made from them.

    Args:
        folder: the store's.
        sessions: how many, two days apart or closer.
        template: a whole session's summary and samples, for all that isn't asked about.
    """
    import numpy as np
    import pyarrow as pa

    from rowsync import table as tables
    from rowsync.bests import best_powers_w, best_times_s
    from rowsync.strokes import Stroke

    summary, samples = template
    columns = pa.Table.from_pandas(samples.iloc[:SESSION_S], schema=tables.SAMPLES, preserve_index=False)
    random = np.random.default_rng(7)
    for number in range(sessions):
        started_at = FIRST + timedelta(days=number * 3650 / sessions)
        session_id = f"{started_at:%Y%m%dT%H%M%SZ}-{number:05d}"
        pieces_w = random.uniform(80, 260, 16) * random.normal(1.0, 0.1)
        power_w = np.round(np.repeat(pieces_w, SESSION_S // 16) * random.normal(1.0, 0.04, SESSION_S)).clip(20)
        metres = (power_w / 2.8) ** (1 / 3)
        distance_m = np.concatenate([[0.0], np.cumsum(metres)[:-1]])
        strokes = [
            Stroke(second + 1, float(second), second + 1.0, float(metres[second]), float(power_w[second]))
            for second in range(SESSION_S)
        ]
        changed = {
            "session_id": [session_id] * SESSION_S,
            "time_s": np.arange(SESSION_S, dtype=float),
            "power_w": power_w,
            "distance_m": distance_m,
        }
        table = columns
        for name, values in changed.items():
            at = tables.SAMPLES.get_field_index(name)
            table = table.set_column(at, tables.SAMPLES.field(name), pa.array(values, tables.SAMPLES.field(name).type))
        gross_kcal = round(float(power_w.mean()) * SESSION_S / 1000.0, 1)
        said = {
            "session_id": session_id,
            "started_at": started_at.isoformat(),
            "distance_m": float(metres.sum()),
            "energy": summary["energy"] | {"gross_kcal": gross_kcal},
            "best_powers_w": best_powers_w(strokes),
            "best_times_s": best_times_s(strokes),
        }
        path = folder / "samples" / "athlete=virtual" / f"year={started_at.year}" / f"{session_id}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(tables.file_bytes(table, summary=summary | said, settings_crc=None))


# --- rates ------------------------------------------------------------------------------------------------------------


def rebuild_from_bytes(folder: Path) -> tuple[float, tuple[dict[str, Any], Any]]:
    """Rower-hours a second on one core of `rowsync rebuild`, and a session to make others of."""
    from rowsync.store import Store

    store = Store(folder)
    for recording in whole_recordings():
        store.add(recording)
    best_s = float("inf")
    for _ in range(3):
        start = time.process_time()
        rebuilt = list(store.rebuild())
        best_s = min(best_s, time.process_time() - start)
    assert [each.is_new for each in rebuilt] == [False] * WHOLE
    return WHOLE * SESSION_S / 3600.0 / best_s, (store.summary("whole-0"), store.samples("whole-0"))


def rebuild_index(folder: Path, sessions: int) -> float:
    """Sessions a second on one core of `rowsync rebuild --index`."""
    from rowsync.store import Store

    start = time.process_time()
    left_out = Store(folder).rebuild_index()
    assert not left_out
    return sessions / (time.process_time() - start)


def reads_of_rows(folder: Path) -> tuple[float, float]:
    """Seconds that any command spends on the index: whether it is behind the files, and all of its rows."""
    from rowsync.store import Store

    store = Store(folder)
    times_s = []
    for ask_store in (store.behind, store.rows):
        start = time.perf_counter()
        ask_store()
        times_s.append(time.perf_counter() - start)
    return times_s[0], times_s[1]


def goal(what: str, found: float, wanted: float, unit: str, *, below: bool) -> None:
    """Print a figure beside its goal, and whether it is met."""
    met = found < wanted if below else found >= wanted
    ratio = wanted / found if below else found / wanted
    sign = "<" if below else "≥"
    print(f"{what:44}{found:10,.2f} {unit:24}goal {sign} {wanted:g}: {'met' if met else 'MISSED'}, {ratio:.2f} x")


def main() -> None:
    """Make the sessions, ask, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=5000)
    parser.add_argument("--rowingdata", metavar="PYTHON", help="a Python that has rowingdata")
    parser.add_argument("--ask", nargs=2, metavar=("WAY", "FOLDER"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.ask:
        answer_and_tell(asked.ask[0], Path(asked.ask[1]))
        return
    with tempfile.TemporaryDirectory() as temporary:
        hours_per_s, template = rebuild_from_bytes(Path(temporary) / "whole")
        folder = Path(temporary) / "years"
        fill(folder, asked.sessions, template)
        megabytes = sum(path.stat().st_size for path in folder.rglob("*.parquet")) / 1e6
        print(f"{asked.sessions:,} SYNTHETIC sessions of 40 min at 1 Hz, {megabytes:,.0f} MB of samples")
        sessions_per_s = rebuild_index(folder, asked.sessions)
        print(f"index: {(folder / 'sessions.parquet').stat().st_size / 1e3:,.0f} kB")
        print(f"\n{'':22}{'answer [s]':>12}{'loading [s]':>13}{'MB':>8}{'of ours':>10}")
        answers = {way: found for way in WAYS if (found := ask(way, folder)) is not None}
        ours = answers["rowsync's index"]
        for way, found in answers.items():
            ratio = found.answering_s / ours.answering_s
            print(f"{way:22}{found.answering_s:12.3f}{found.loading_s:13.2f}{found.megabytes:8.0f}{ratio:8.1f} x")
        _compare({way: found.answer for way, found in answers.items()})
        if asked.rowingdata:
            by_rowingdata(asked.rowingdata, folder)
        behind_s, rows_s = reads_of_rows(folder)
        print(f"\nwhat a command spends on the index: {behind_s:.3f} s to open it, {rows_s:.3f} s for all rows")
        goal("history from the index", ours.answering_s, 0.5, "s", below=True)
        goal("its memory", ours.megabytes, 200, "MB", below=True)
        goal("rebuild --index", sessions_per_s, 400, "sessions/s/core", below=False)
        goal("rebuild", hours_per_s, 10, "rower-hours/s/core", below=False)


def _compare(answers: dict[str, dict[str, Any]]) -> None:
    """Say whether all ways answer the same; times to whole samples may be a second more."""
    ours = answers.pop("rowsync's index")
    print(f"{ours['weeks']} weeks, {ours['kcal']:,} kcal; best 500 m {ours['best 500 m']}; power {ours['curve']}")
    for way, theirs in answers.items():
        curve = all(abs(theirs["curve"][name][0] - best[0]) <= 1 for name, best in ours["curve"].items())
        apart_s = theirs["best 500 m"][0] - ours["best 500 m"][0]
        agree = "the same" if curve else "ANOTHER"
        print(f"{way:22}{agree} power curve, best 500 m {apart_s:+.1f} s")


if __name__ == "__main__":
    main()

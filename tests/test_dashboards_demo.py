"""A made-up 10x45/75 session and a made-up history for the tests of the pages.  All of it says it is synthetic."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from rowsync.comparison import comparable_fields, mean_of

COLUMNS = (
    "time_s",
    "moving",
    "stroke_count",
    "stroke_rate_spm",
    "distance_m",
    "pace_s_per_500m",
    "power_w",
    "heart_rate_bpm",
    "resistance_level",
    "machine_energy_kcal",
    "machine_elapsed_s",
)
STARTED_AT = datetime(2026, 11, 23, 16, 30, tzinfo=UTC)
STOP_S = (868.0, 890.0)
GAP_S = (1228.0, 1241.0)


def demo_stretches() -> list[tuple[str, float, float, float, float]]:
    """Effort, start [s], end [s], power [W] and stroke rate [1/min] of a 10x45/75 row."""
    stretches = [("warmup", 0.0, 300.0, 105.0, 20.0)]
    for number in range(10):
        at_s = 300.0 + 120.0 * number
        stretches.append(("hard", at_s, at_s + 45, 232.0 - 2.1 * number + (9.0 if number == 9 else 0.0), 29.5))
        stretches.append(("easy", at_s + 45, at_s + 120, 92.0, 19.0))
    return [*stretches, ("cooldown", 1500.0, 1800.0, 88.0, 18.5)]


def demo_samples(per_s: float = 2.0, repeat: int = 1, *, heart_rate: bool = True) -> pd.DataFrame:
    """Samples of the made-up session; `repeat` rows it several times over."""
    rng = np.random.default_rng(1045)
    time_s = np.arange(0, 1800 * repeat, 1 / per_s)
    within_s = time_s % 1800
    power_w, rate_spm = np.zeros(len(time_s)), np.zeros(len(time_s))
    for _, start_s, end_s, stretch_w, stretch_spm in demo_stretches():
        here = (within_s >= start_s) & (within_s < end_s)
        power_w[here], rate_spm[here] = stretch_w, stretch_spm
    smooth = np.ones(int(8 * per_s)) / int(8 * per_s)
    power_w = np.convolve(np.pad(power_w, len(smooth) // 2, mode="edge"), smooth, mode="same")
    stroke = (np.cumsum(rate_spm) / 60 / per_s).astype(int)  # a stroke's values stand until the next
    power_w = power_w[len(smooth) // 2 :][: len(time_s)] * (1 + 0.035 * rng.standard_normal(stroke[-1] + 1)[stroke])
    rate_spm = np.round((rate_spm + 0.5 * rng.standard_normal(stroke[-1] + 1)[stroke]) * 2) / 2
    still = (time_s >= STOP_S[0]) & (time_s < STOP_S[1])
    power_w[still], rate_spm[still] = 0.0, 0.0
    pace = 500 * (2.8 / np.maximum(power_w, 1.0)) ** (1 / 3)
    speed_m_per_s = np.where(still, 0.0, 500 / pace)
    heart_bpm = np.empty(len(time_s))
    beat = 96.0
    for place, watts in enumerate(power_w):
        beat += (92 + 0.36 * watts - beat) * (1 / per_s) / 38
        heart_bpm[place] = beat
    samples = pd.DataFrame(
        {
            "time_s": time_s,
            "moving": ~still,
            "stroke_count": np.floor(np.cumsum(rate_spm) / 60 / per_s),
            "stroke_rate_spm": rate_spm,
            "distance_m": np.round(np.cumsum(speed_m_per_s) / per_s, 1),
            "pace_s_per_500m": np.where(still, np.nan, np.round(pace, 1)),
            "power_w": np.round(power_w),
            "heart_rate_bpm": np.round(heart_bpm) if heart_rate else np.nan,
            "resistance_level": np.nan,
            "machine_energy_kcal": np.floor(np.cumsum(power_w * 4 * 0.8604 + 300) / 3600 / per_s),
            "machine_elapsed_s": np.floor(time_s),
        },
        columns=list(COLUMNS),
    )
    return samples[(samples["time_s"] < GAP_S[0]) | (samples["time_s"] >= GAP_S[1])].reset_index(drop=True)


def demo_interval(
    number: int, stretch: tuple[str, float, float, float, float], samples: pd.DataFrame
) -> dict[str, Any]:
    effort, start_s, end_s, _, _ = stretch
    here = samples[(samples["time_s"] >= start_s) & (samples["time_s"] < end_s)]
    duration_s, distance_m = end_s - start_s, float(here["distance_m"].max() - here["distance_m"].min())
    return {
        "number": number,
        "effort": effort,
        "start_s": start_s,
        "end_s": end_s,
        "duration_s": duration_s,
        "distance_m": distance_m,
        "stroke_count": int(here["stroke_count"].max() - here["stroke_count"].min()),
        "mean_power_w": float(here["power_w"].mean()),
        "mean_stroke_rate_spm": float(here["stroke_rate_spm"].mean()),
        "mean_pace_s_per_500m": 500 * duration_s / distance_m,
        "mean_heart_rate_bpm": None if here["heart_rate_bpm"].isna().all() else float(here["heart_rate_bpm"].mean()),
        "gross_kcal": duration_s / 60 * (0.0563 * 75 + 0.0567 * float(here["power_w"].mean())),
    }


def demo_summary(samples: pd.DataFrame, **changes: Any) -> dict[str, Any]:
    """What `rowsync show --json` would say of the made-up session."""
    intervals = [demo_interval(number, stretch, samples) for number, stretch in enumerate(demo_stretches(), start=1)]
    gross_kcal = sum(interval["gross_kcal"] for interval in intervals)
    heart = samples["heart_rate_bpm"]
    summary = {
        "session_id": "20261123T163000Z-7f3a",
        "started_at": STARTED_AT.isoformat(),
        "duration_s": float(samples["time_s"].max()),
        "distance_m": float(samples["distance_m"].max()),
        "stroke_count": int(samples["stroke_count"].max()),
        "moving_s": float(samples["time_s"].max()) - (STOP_S[1] - STOP_S[0]),
        "mean_power_w": float(samples["power_w"].mean()),
        "mean_stroke_rate_spm": float(samples["stroke_rate_spm"].mean()),
        "mean_pace_s_per_500m": 500 * float(samples["time_s"].max()) / float(samples["distance_m"].max()),
        "mean_heart_rate_bpm": None if heart.isna().all() else float(heart.mean()),
        "energy": {
            "gross_kcal": gross_kcal,
            "net_kcal": gross_kcal - 37,
            "low_kcal": 0.84 * gross_kcal,
            "high_kcal": 1.16 * gross_kcal,
            "model": "rowsync-mass-aware-1",
            "machine_kcal": float(samples["machine_energy_kcal"].max()),
        },
        "intervals": intervals,
        "samples": len(samples),
        "notifications": len(samples) + 3,
        "malformed_notifications": 3,
        "gaps": [{"start_s": GAP_S[0], "end_s": GAP_S[1], "reason": "link lost"}],
        "athlete": "Anna",
        "plan": "10x45/75",
        "origin": "synthetic",
        "machine": {"name": "Virtual Rower"},
    }
    return summary | changes


def demo_earlier(summary: dict[str, Any], most: int = 5) -> list[dict[str, Any]]:
    """Made-up sessions before a summary's, newest first, four days apart: each 3 W weaker, and it faded."""
    now = comparable_fields(summary)
    earlier = []
    for back in range(1, most + 1):
        rounds = [
            each | {"mean_power_w": each["mean_power_w"] - 3.0 * back - (9.0 if each["number"] > 7 else 0.0)}
            for each in now["rounds"]
        ]
        about = {"session_id": f"2026-earlier-{back}", "plan": now["plan"], "rounds": rounds}
        about["started_at"] = (STARTED_AT - timedelta(days=4 * back)).isoformat()
        about |= {"mean_hard_power_w": mean_of(rounds, "mean_power_w"), "fade": -0.06}
        earlier.append(about | {"heart_rate_recovery_bpm": None})
    return earlier


def demo_index(sessions: int = 46) -> pd.DataFrame:
    """A made-up history: two or three rows a week, two weeks of pause, slowly stronger."""
    rng = np.random.default_rng(7)
    rows = []
    day = 0
    for number in range(sessions):
        day += 21 if number == 17 else int(rng.integers(2, 5))
        hard_w = 188 + 0.9 * number + 5 * rng.standard_normal()
        steady = number % 4 == 3
        gross_kcal = float(rng.integers(240, 340))
        rows.append(
            {
                "session_id": f"2026-demo-{number:04}",
                "started_at": pd.Timestamp(STARTED_AT - timedelta(days=150) + timedelta(days=day)),
                "duration_s": 1800.0,
                "distance_m": float(rng.integers(6000, 7400)),
                "stroke_count": 690,
                "athlete": "Anna",
                "plan": "steady 30:00" if steady else "10x45/75",
                "gross_kcal": np.nan if number == 30 else gross_kcal,
                "net_kcal": np.nan if number == 30 else gross_kcal - 37,
                "low_kcal": np.nan if number == 30 else 0.84 * gross_kcal,
                "high_kcal": np.nan if number == 30 else 1.16 * gross_kcal,
                "machine_kcal": np.nan,
                "mean_power_w": 132.0 + 0.4 * number,
                "mean_stroke_rate_spm": 23.0,
                "hard_intervals": 0 if steady else 10,
                "mean_hard_power_w": np.nan if steady else hard_w,
                "origin": "synthetic",
            }
        )
    return pd.DataFrame(rows)


def test_the_demo_says_it_is_synthetic():
    assert demo_summary(demo_samples())["origin"] == "synthetic"
    assert set(demo_index()["origin"]) == {"synthetic"}


def test_the_demo_has_ten_hard_rounds_of_45_s():
    hard = [item for item in demo_summary(demo_samples())["intervals"] if item["effort"] == "hard"]
    assert [item["duration_s"] for item in hard] == [45.0] * 10


def test_the_demo_has_the_columns_of_the_contract():
    assert tuple(demo_samples().columns) == COLUMNS

"""One session's minutes in training bands: choose, then draw as rows of a table with bars.

The bars are boxes of the page's own, not of plotly: they are read aloud as the table they stand in, print, and need no
script.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dashboards.page import bar, column_head
from rowsync.wording import measured, number, outside_html

NOTHING_KNOWN = (
    "No training bands: they need to know the rower's age or highest heart rate, critical power or a 2k. "
    "<code>rowsync athlete NAME --born 1990</code> says it."
)


@dataclass(frozen=True, slots=True)
class Zone:
    """Time in one band.

    Attributes:
        name: the band's.
        low: its lower end [1/min or W].
        high: its upper end; None for the highest band [1/min or W].
        minutes: time in it [min].
        share: of the time in all bands, 0 to 1.
    """

    name: str
    low: float
    high: float | None
    minutes: float
    share: float


@dataclass(frozen=True, slots=True)
class ZonesChart:
    """Time in the bands of one quantity.

    Attributes:
        quantity: "heart rate" or "power".
        unit: of the bands' ends.
        zones: from the lowest band up.
    """

    quantity: str
    unit: str
    zones: tuple[Zone, ...]


_BANDS = (
    ("heart rate", "bpm", "heart_rate_bands", "from_bpm", "to_bpm"),
    ("power", "W", "power_bands", "from_w", "to_w"),
)


def zones_charts(summary: Mapping[str, Any]) -> tuple[ZonesChart, ...]:
    """Chooses the bands that are known and have time in them.

    Args:
        summary: the JSON of `rowsync show`.
    """
    training = summary.get("training") or {}
    charts = []
    for quantity, unit, key, low, high in _BANDS:
        known = [(band, minutes) for band in training.get(key) or () if (minutes := measured(band["minutes"]))]
        if total_min := sum(minutes for _, minutes in known):
            zones = [
                Zone(str(band["name"]), float(band[low]), measured(band[high]), minutes, minutes / total_min)
                for band, minutes in known
            ]
            charts.append(ZonesChart(quantity, unit, tuple(zones)))
    return tuple(charts)


def zones_html(chart: ZonesChart) -> str:
    """Draws the bands as a table: what each is, how long, and a bar as long as its share."""
    heads = column_head(chart.quantity, chart.unit) + column_head("time", "min") + column_head("share")
    most = max(zone.share for zone in chart.zones)
    rows = "".join(
        f'<tr><th scope="row" class="word">{outside_html(zone.name)}</th><td>{_ends(zone)}</td>'
        f"<td>{number(zone.minutes, 1)}</td><td>{number(100 * zone.share)}\u202f%</td>"
        f'<td class="drawn">{bar(zone.share / most)}</td></tr>\n'
        for zone in chart.zones
    )
    return (
        '<div class="scroll"><table class="bars">'
        f"<caption>Time in bands of {chart.quantity}</caption>\n"
        f'<thead><tr><th scope="col" class="word">band</th>{heads}<td class="drawn"></td></tr></thead>\n'
        f"<tbody>\n{rows}</tbody></table></div>\n"
    )


def _ends(zone: Zone) -> str:
    if zone.high is None:
        return f"from {number(zone.low)}"
    return f"to {number(zone.high)}" if zone.low <= 0 else f"{number(zone.low)}–{number(zone.high)}"

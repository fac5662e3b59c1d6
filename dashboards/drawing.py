"""What the figures share: colours, axes, panels, the tool bar, and numbers packed for the page.

Colours derive from Okabe and Ito's colour-blind-safe set (2008), darkened until they stand out on white by 3:1
(WCAG 2.2, 1.4.11).  `page.css` repaints them for dark pages, by the traces' uids; a picture (PNG) keeps these.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

POWER = "#0072b2"
STROKE_RATE = "#00805e"
PACE = "#c25400"
HEART_RATE = "#a8487f"
ENERGY = "#00805e"
SESSIONS = "#75828f"
HARD_STROKES = "#b36b00"
EASY_STROKES = "#0072b2"
HARD = "rgba(230, 159, 0, 0.20)"
GAP = "rgba(128, 128, 128, 0.28)"
INK = "#1b2733"
QUIET = "#5b6875"
LINE = "#e3e8ed"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

# No button sends anything anywhere ("Share chart" of plotly 7 would); what is left is zoom, back and save as picture.
CONFIG: dict[str, Any] = {
    "displaylogo": False,
    "responsive": True,
    "plotlyServerURL": "",
    "showEditInChartStudio": False,
    "showSendToCloud": False,
    "modeBarButtonsToRemove": [
        *("sendChartToCloud", "sendDataToCloud", "editInChartStudio"),
        *("select2d", "lasso2d", "pan2d", "zoomIn2d", "zoomOut2d", "autoScale2d"),
    ],
    "toImageButtonOptions": {"filename": "rowsync", "scale": 2},
}


def faded(colour: str, share: float) -> str:
    """A colour `#rrggbb` of which so much is left, on whatever lies below it."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{share:g})"


def layout(height_px: int, **more: Any) -> dict[str, Any]:
    """A quiet layout without plotly's default template, which alone weighs 7 kB and comes back for an empty one."""
    common: dict[str, Any] = {
        "template": {"layout": {"autotypenumbers": "strict"}},
        "height": height_px,
        "margin": {"l": 46, "r": 12, "t": 26, "b": 36},
        "font": {"family": FONT, "size": 12, "color": INK},
        "paper_bgcolor": "#ffffff",
        "plot_bgcolor": "#ffffff",
        "showlegend": False,
        "hoverlabel": {"bgcolor": "#ffffff", "bordercolor": LINE, "font": {"color": INK, "size": 13}},
    }
    return common | more


def axis(**more: Any) -> dict[str, Any]:
    """An axis with a hairline grid and no frame."""
    common: dict[str, Any] = {
        "gridcolor": LINE,
        "zeroline": False,
        "showline": False,
        "ticks": "",
        "tickfont": {"color": QUIET, "size": 11},
        "title": {"font": {"color": QUIET, "size": 12}, "standoff": 10},
    }
    return common | more


def panel_title(text: str, top: float) -> dict[str, Any]:
    """A name and unit above a panel's upper left corner: read without turning one's head, at any width."""
    return {
        "text": text,
        "xref": "paper",
        "yref": "paper",
        "x": 0,
        "y": top,
        "xanchor": "left",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"color": INK, "size": 12},
    }


def panel_domains(number_of: int, between: float) -> list[tuple[float, float]]:
    """Where stacked panels lie, from the top down, as shares of the height.

    Args:
        number_of: how many.
        between: the share of the height left free above each panel but the first.
    """
    height = (1 - between * (number_of - 1)) / number_of
    tops = [1 - index * (height + between) for index in range(number_of)]
    return [(max(0.0, round(top - height, 4)), round(top, 4)) for top in tops]


def packed(values: Sequence[float | None]) -> npt.NDArray[Any]:
    """The values in the smallest type plotly reads that keeps what is shown; None becomes NaN, which breaks a line."""
    exact = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    whole = len(exact) > 0 and bool(np.isfinite(exact).all()) and bool((exact == np.round(exact)).all())
    for kind, most in ((np.uint8, 2**8), (np.uint16, 2**16)):
        if whole and exact.min() >= 0 and exact.max() < most:
            return exact.astype(kind)
    return exact.astype(np.float32)

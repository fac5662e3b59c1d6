"""The one HTML template: head, policy, style, body, figures as data, script.

Nothing here asks the network for anything.  `plotly.min.js` lies beside the page; the figures are JSON in blocks that
no browser runs; the only inline script is `page.js`, allowed by its hash.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import html
from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Any
from urllib.parse import quote

import plotly.graph_objects as go
from plotly.io.json import to_json_plotly
from plotly.offline import get_plotlyjs

from dashboards import drawing
from rowsync.wording import NOT_MEASURED

PLOTLY_FILE = "plotly.min.js"
NO_CHART = "The chart needs plotly.min.js beside this page, and JavaScript. The tables below hold the same session."
ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Cpath d='M1 12 4 5l3 5 3-7 5 9z' fill='%230072b2'/%3E%3C/svg%3E"
)


@functools.cache
def style() -> str:
    """The style sheet, inlined in every page."""
    return resources.files("dashboards").joinpath("page.css").read_text("utf-8")


@functools.cache
def script() -> str:
    """The script that hands the figures to plotly, inlined in every page."""
    return resources.files("dashboards").joinpath("page.js").read_text("utf-8")


@functools.cache
def plotly_script() -> bytes:
    """Plotly itself, which lies beside the pages."""
    content: str = get_plotlyjs()
    return content.encode()


@functools.cache
def policy() -> str:
    """The content security policy: only plotly and `page.js` run, and nothing is fetched from or sent anywhere.

    Plotly writes style elements, so inline styles are allowed; `data:` and `blob:` images are its "save as picture".
    """
    digest = base64.b64encode(hashlib.sha256(script().encode()).digest()).decode()
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'sha256-{digest}'",
            "style-src 'unsafe-inline'",
            "img-src data: blob:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def page(
    title: str, body: str, figures: Mapping[str, go.Figure] | None = None, *, plotly_address: str = PLOTLY_FILE
) -> str:
    """A whole HTML document.

    Args:
        title: plain text, escaped here.
        body: HTML, made of escaped parts; `figure_box` leaves the places for the figures.
        figures: the figures by the name of their place.
        plotly_address: where the page finds plotly, in its own origin.
    """
    scripts = ""
    if figures:
        blocks = (_figure_block(name, figure) for name, figure in figures.items())
        scripts = "".join(blocks) + f'<script src="{html.escape(plotly_address)}"></script>\n'
        scripts += f"<script>{script()}</script>\n"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{html.escape(policy())}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        f'<link rel="icon" href="{html.escape(ICON)}">\n'
        f"<title>{html.escape(title)}</title>\n<style>\n{style()}</style>\n</head>\n"
        f"<body>\n{body}\n{scripts}</body>\n</html>\n"
    )


def quoted(text: str) -> str:
    """Any text as a part of an address."""
    return quote(text, safe="", errors="replace")


def figure_box(name: str, label: str, height_px: int) -> str:
    """The place for a figure.

    Args:
        name: which figure of the page.
        label: what a screen reader says instead of drawing it.
        height_px: kept free from the start, so that nothing jumps when the figure arrives.
    """
    return (
        f'<div class="figure" id="{name}" role="img" aria-label="{html.escape(label)}" '
        f'style="min-height:{height_px}px"><p class="waiting">{NO_CHART}</p></div>'
    )


def total(name: str, value: str, unit: str = "", more: str = "", kind: str = "") -> str:
    """One number of a page's list of totals, as HTML.

    Args:
        name: what it is.
        value: in words; a dash stands alone, without unit and more.
        unit: of the value.
        more: a line below it.
        kind: its class in `page.css`.
    """
    known = value != NOT_MEASURED
    unit_html = f'<span class="unit"> {unit}</span>' if unit and known else ""
    more_html = f'<dd class="more">{more}</dd>' if more and known else ""
    of_kind = f' class="{kind}"' if kind else ""
    return f"<div{of_kind}><dt>{name}</dt><dd>{value}{unit_html}</dd>{more_html}</div>"


def column_head(name: str, unit: str = "", kind: str = "") -> str:
    """The head of a table's column, as HTML."""
    of_kind = f' class="{kind}"' if kind else ""
    of_unit = f" <small>{unit}</small>" if unit else ""
    return f'<th scope="col"{of_kind}>{name}{of_unit}</th>'


def table_row(name: str, cells: Iterable[str], kind: str = "") -> str:
    """A row of a table whose first cell names it, as HTML.

    Args:
        name: HTML.
        cells: HTML.
        kind: its class in `page.css`.
    """
    of_kind = f' class="{kind}"' if kind else ""
    data = "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<tr{of_kind}><th scope="row" class="word">{name}</th>{data}</tr>\n'


def section(name: str, title: str, content: str, *, unseen: bool = False) -> str:
    """A part of a page, as HTML: a region that its heading names.

    Args:
        name: its heading's id, in this page only.
        title: plain words.
        content: HTML.
        unseen: whether the heading is only read aloud.
    """
    kind = ' class="unseen"' if unseen else ""
    heading = f'<h2 id="{name}-heading"{kind}>{title}</h2>'
    return f'<section aria-labelledby="{name}-heading">{heading}\n{content}</section>\n'


def bar(share: float) -> str:
    """A bar as long as a share of its cell, as HTML; what it shows stands in words beside it."""
    return f'<div class="bar" aria-hidden="true" style="width:{100 * share:.1f}%"></div>'


def point(at: float, within: tuple[float, float] | None = None) -> str:
    """A point on a scale from 0 to 1 with a shaded range, as HTML; what it shows stands in words beside it."""
    range_html = ""
    if within is not None:
        low, high = within
        range_html = f'<span class="range" style="left:{100 * low:.1f}%;width:{100 * (high - low):.1f}%"></span>'
    dot = f'<span class="dot" style="left:{100 * at:.1f}%"></span>'
    return f'<div class="scale" aria-hidden="true">{range_html}{dot}</div>'


def figure_json(figure: go.Figure) -> str:
    """A figure as compact JSON: numbers as typed arrays, and an array that several traces share only once."""
    content = figure.to_dict()
    shared: list[Any] = []
    for trace in content["data"]:
        x = trace.get("x")
        if x is not None and x not in shared:
            shared.append(x)
        if x is not None:
            trace["x"] = {"shared": shared.index(x)}
    text: str = to_json_plotly(content | {"shared": shared, "config": drawing.CONFIG})
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _figure_block(name: str, figure: go.Figure) -> str:
    return f'<script type="application/json" data-figure="{name}">{figure_json(figure)}</script>\n'

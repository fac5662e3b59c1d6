"""Pages as files: a report and `plotly.min.js` beside it, to open, mail or print without any server."""

from __future__ import annotations

import importlib.util
import os
import re
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from dashboards.compare import is_comparable
from dashboards.compare_page import compare_page
from dashboards.history import athletes_of
from dashboards.history_page import EVERYBODY, history_page
from dashboards.page import PLOTLY_FILE, plotly_script
from dashboards.programme_page import programme_page
from dashboards.session import session_chart, session_figure
from dashboards.session_page import session_page
from rowsync.corrections import said
from rowsync.errors import StoreError, UsageError
from rowsync.files import make_folder
from rowsync.slug import slug
from rowsync.wording import clock, day, moment, number, time_of_day

HISTORY_FILE = "index.html"
PROGRAMME_FILE = "programme.html"
PICTURE_WIDTH_PX = 1_000
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


def write_session_report(
    summary: Mapping[str, Any],
    samples: pd.DataFrame,
    path: Path,
    *,
    home: str | None = None,
    compare: str | None = None,
) -> None:
    """Writes a session as a page, or as a picture when the path ends in `.png`.

    Args:
        summary: the JSON of `rowsync show`.
        samples: its samples; NaN is not measured.
        path: where to write; `plotly.min.js` comes to lie beside a page.
        home: address of the history's page; unless given, the history is linked where it lies beside the page.
        compare: address of the page that compares it with earlier ones of its plan, where there is one.

    Raises:
        UsageError: a picture was asked for and nothing here can draw it, or the path ends in neither.
        StoreError: it can't be written.
    """
    kind = path.suffix.lower()
    if kind == ".png":
        _write(path, _picture(summary, samples))
    elif kind in (".html", ".htm"):
        if home is None and path.name != HISTORY_FILE and (path.parent / HISTORY_FILE).is_file():
            home = HISTORY_FILE
        _write(path, session_page(summary, samples, home=home, compare=compare).encode())
        _write_plotly(path.parent)
    else:
        raise UsageError(f"A report is a page or a picture, so its path ends in .html or .png: {path}")


def write_compare_report(
    summary: Mapping[str, Any],
    earlier: Sequence[Mapping[str, Any]],
    directory: Path,
    rows: Callable[[], Sequence[Mapping[str, Any]]] = tuple,
) -> str | None:
    """Writes a session beside the last ones of its plan as `<session_id>.compare.html`, and what that page needs.

    The sessions whose reports lie in the same directory are linked.

    Args:
        summary: the JSON of `rowsync show`.
        earlier: the sessions before it by the same plan, newest first, as `rowsync.comparison.comparable_fields`.
        directory: where to write; made if missing.
        rows: gives the index, one row a session.

    Returns:
        The page's name; None where there is nothing to compare, and nothing is written.

    Raises:
        StoreError: it can't be written.
    """
    name, own = f"{summary['session_id']}.compare.html", f"{summary['session_id']}.html"
    before = earlier[0] if earlier else None
    if not (is_comparable({**summary, "before": before}) and FILE_NAME.fullmatch(name)):
        return None
    content = compare_page(
        summary, earlier, session=own, session_link=lambda at: _report_beside(directory, at), rows=rows
    )
    _write(directory / name, content.encode())
    _write_plotly(directory)
    return name


def _report_beside(directory: Path, session_id: str) -> str | None:
    """The name of a session's report where it lies in a directory."""
    name = f"{session_id}.html"
    return name if FILE_NAME.fullmatch(name) and (directory / name).is_file() else None


def write_programme_report(overview: Mapping[str, Any], directory: Path) -> None:
    """Writes the page of a training programme as `programme.html`, which the history links from then on.

    Args:
        overview: the JSON of `rowsync programme`.
        directory: where to write; made if missing.

    Raises:
        StoreError: it can't be written.
    """
    _write(directory / PROGRAMME_FILE, programme_page(overview, home=HISTORY_FILE).encode())


def write_history_report(index: pd.DataFrame, directory: Path) -> Path:
    """Writes the history as `index.html`, and where there are several athletes each one's too; returns the path.

    A session whose report lies in the same directory as `<session_id>.html` is linked.

    Args:
        index: one row per session.
        directory: where to write; made if missing.

    Raises:
        StoreError: it can't be written.
    """
    names = athletes_of(index)
    shown = names if len(names) > 1 else ()
    _remove_others({athlete_file(name) for name in shown}, directory)
    for athlete in (None, *shown):
        content = history_page(
            index,
            session_link=lambda at: _report_beside(directory, at),
            athlete=athlete,
            athlete_link=athlete_file,
            programme_address=PROGRAMME_FILE if (directory / PROGRAMME_FILE).is_file() else None,
        )
        _write(directory / athlete_file(athlete or EVERYBODY), content.encode())
    _write_plotly(directory)
    return directory / HISTORY_FILE


def _remove_others(names: Collection[str], directory: Path) -> None:
    """Removes the pages of athletes whose sessions are somebody else's by now."""
    for path in directory.glob("athlete-*.html"):
        if path.name not in names and PLOTLY_FILE in path.read_text(errors="replace"):
            path.unlink()


def athlete_file(name: str) -> str:
    """The name of an athlete's page, `EVERYBODY`'s being the history's."""
    return HISTORY_FILE if name == EVERYBODY else f"athlete-{slug(name)}.html"


def _picture(summary: Mapping[str, Any], samples: pd.DataFrame) -> bytes:
    hint = "pip install 'rowsync[png]' and a Chromium, or give a path that ends in .html"
    if importlib.util.find_spec("kaleido") is None:
        raise UsageError(f"A PNG needs the package kaleido: {hint}.")
    figure = session_figure(session_chart(summary, samples))
    figure.update_layout(
        title={"text": _picture_title(summary), "x": 0.015, "y": 0.985, "yanchor": "top", "font": {"size": 16}},
        margin={"t": 72},
        height=figure.layout.height + 46,
    )
    try:
        picture: bytes = figure.to_image(format="png", width=PICTURE_WIDTH_PX, height=figure.layout.height, scale=2)
    except Exception as error:  # kaleido and choreographer have no common error, and most of theirs mean "no browser"
        raise UsageError(f"kaleido could not draw the PNG ({type(error).__name__}): {hint}.") from error
    return picture


def _picture_title(summary: Mapping[str, Any]) -> str:
    """Date and totals only: plotly reads titles as HTML, so no text from outside goes there."""
    at = moment(summary.get("started_at"))
    parts = [] if at is None else [f"{day(at)}, {time_of_day(at)}"]
    parts += [clock(summary.get("duration_s")), f"{number(summary.get('distance_m'))} m"]
    if summary.get("origin") == "synthetic":
        parts.append("synthetic")
    if corrected := said(summary):
        parts.append(f"intervals {corrected}")
    return " · ".join(parts)


def _write_plotly(directory: Path) -> None:
    """Puts plotly's script beside the pages, unless it lies there already."""
    path, content = directory / PLOTLY_FILE, plotly_script()
    if not path.is_file() or path.read_bytes() != content:
        _write(path, content)


def _write(path: Path, content: bytes) -> None:
    """Writes a whole file or nothing: beside its place first, then renamed."""
    try:
        make_folder(path.parent)
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        raise StoreError(f"{path} can't be written: {error.strerror or error}.") from error

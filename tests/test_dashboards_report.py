from __future__ import annotations

import importlib.util
import os
import re

import pytest
from plotly.offline import get_plotlyjs

from dashboards.report import write_history_report, write_session_report
from rowsync.errors import StoreError, UsageError
from tests.test_dashboards_demo import demo_index, demo_samples, demo_summary


@pytest.fixture(scope="module")
def session():
    samples = demo_samples()
    return demo_summary(samples), samples


def test_a_report_is_a_page_with_plotly_beside_it(tmp_path, session):
    write_session_report(*session, tmp_path / "new" / "row.html")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["plotly.min.js", "row.html"]
    assert (tmp_path / "new" / "plotly.min.js").read_text("utf-8") == get_plotlyjs()
    assert (tmp_path / "new" / "row.html").read_text("utf-8").startswith("<!doctype html>")


def test_plotly_is_written_once(tmp_path, session):
    write_session_report(*session, tmp_path / "one.html")
    before = (tmp_path / "plotly.min.js").stat()
    write_session_report(*session, tmp_path / "two.html")
    after = (tmp_path / "plotly.min.js").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_another_plotly_is_replaced(tmp_path, session):
    (tmp_path / "plotly.min.js").write_text("// older")
    write_session_report(*session, tmp_path / "row.html")
    assert (tmp_path / "plotly.min.js").read_text("utf-8") == get_plotlyjs()


def test_a_report_is_replaced_whole(tmp_path, session):
    path = tmp_path / "row.html"
    path.write_text("x" * 1_000_000)
    write_session_report(*session, path)
    assert path.stat().st_size < 100_000
    assert [name for name in os.listdir(tmp_path) if name.startswith(".")] == []


def test_a_place_that_cannot_be_written_is_said_plainly(tmp_path, session):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"row\.html can't be written: "):
        write_session_report(*session, tmp_path / "file" / "row.html")


def test_nothing_is_left_behind_when_the_place_is_a_folder(tmp_path, session):
    (tmp_path / "row.html").mkdir()
    with pytest.raises(StoreError):
        write_session_report(*session, tmp_path / "row.html")
    assert os.listdir(tmp_path) == ["row.html"]


def test_other_endings_are_refused(tmp_path, session):
    with pytest.raises(UsageError, match=r"\.html or \.png"):
        write_session_report(*session, tmp_path / "row.pdf")


def test_a_picture_is_drawn_or_says_what_to_install(tmp_path, session):
    path = tmp_path / "row.png"
    if importlib.util.find_spec("kaleido") is None:
        with pytest.raises(UsageError, match=re.escape("rowsync[png]")):
            write_session_report(*session, path)
        assert not path.exists()
    else:
        write_session_report(*session, path)
        assert path.read_bytes().startswith(b"\x89PNG")


def test_a_history_links_the_reports_that_lie_beside_it(tmp_path, session):
    index = demo_index(3)
    write_session_report(*session, tmp_path / "2026-demo-0001.html")
    path = write_history_report(index, tmp_path)
    assert path == tmp_path / "index.html"
    assert re.findall(r'<a href="([^"]*)"', path.read_text("utf-8")) == ["2026-demo-0001.html"]


def test_a_report_links_the_history_that_lies_beside_it(tmp_path, session):
    write_history_report(demo_index(3), tmp_path)
    write_session_report(*session, tmp_path / "row.html")
    assert re.findall(r'<a href="([^"]*)"', (tmp_path / "row.html").read_text("utf-8")) == ["index.html"]


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a\x00b", "", "https://evil.example/x", "x" * 300])
def test_a_session_id_never_becomes_a_path(tmp_path, name):
    (tmp_path / "secret.html").write_text("")
    (tmp_path / "in").mkdir()
    index = demo_index(1).astype({"session_id": "object"})
    index.loc[0, "session_id"] = name
    assert "<a " not in write_history_report(index, tmp_path / "in").read_text("utf-8")


def test_several_athletes_have_a_page_each_whatever_they_are_called(tmp_path):
    index = demo_index(4).astype({"athlete": "object"})
    index["athlete"] = ["Anna", "../<script>", "Anna", "<b>"]
    write_history_report(index, tmp_path)
    pages = {path.name: path.read_text("utf-8") for path in tmp_path.glob("*.html")}
    assert len(pages) == 4
    assert "athlete-Anna.html" in pages
    links = re.findall(r'<a href="([^"]*)"', pages["athlete-Anna.html"])
    assert sorted(links) == sorted(set(pages) - {"athlete-Anna.html"})
    assert not any("<script>alert" in text or "<b>" in text for text in pages.values())
    assert pages["athlete-Anna.html"].count('<th scope="row" class="word">') == 2


def test_an_athletes_page_goes_with_the_last_session_and_no_other_file_does(tmp_path):
    index = demo_index()
    two = index.assign(athlete=["anna"] + ["ben"] * (len(index) - 1))
    write_history_report(two, tmp_path)
    (tmp_path / "athlete-notes.html").write_text("mine")
    assert (tmp_path / "athlete-anna.html").is_file()
    write_history_report(index.assign(athlete="ben"), tmp_path)
    assert sorted(path.name for path in tmp_path.glob("athlete-*.html")) == ["athlete-notes.html"]

from __future__ import annotations

import re

import pytest

from dashboards.compare import ComparedSession, compare_chart, compare_figure, is_comparable
from dashboards.compare_page import compare_page
from dashboards.report import write_compare_report, write_session_report
from rowsync.comparison import comparable_fields
from tests.test_dashboards_demo import STARTED_AT, demo_earlier, demo_samples, demo_summary
from tests.test_dashboards_page import HOSTILE, Outline, check_inert, plain


@pytest.fixture(scope="module")
def summary():
    return demo_summary(demo_samples())


def short(*powers_w, started_at=STARTED_AT, **more):
    """A session of a few rounds, as `rowsync show` has it."""
    hard = [{"effort": "hard", "duration_s": 45.0, "mean_power_w": power_w} | more for power_w in powers_w]
    at = str(started_at)
    return {"session_id": at, "started_at": at, "plan": "2x45/75", "fade": None, "intervals": hard}


def test_a_chart_holds_this_session_and_those_before():
    before = short(
        190.4, None, started_at="2026-11-17T18:00:00Z", mean_stroke_rate_spm=28.04, heart_rate_recovery_bpm=0.0
    )
    this, then = compare_chart(short(200.0, 210.0), [comparable_fields(before)]).sessions
    assert this == ComparedSession(
        session_id=str(STARTED_AT),
        name="this session",
        power_w=(200.0, 210.0),
        stroke_rate_spm=(None, None),
        heart_rate_recovery_bpm=(None, None),
        mean_power_w=205.0,
        mean_stroke_rate_spm=None,
        mean_heart_rate_recovery_bpm=None,
        fade=None,
    )
    assert then == ComparedSession(
        "2026-11-17T18:00:00Z", "Tue 17 Nov 2026", (190.0, None), (28.0, 28.0), (0.0, 0.0), 190.4, 28.04, 0.0, None
    )


def test_at_most_five_earlier_sessions_are_shown(summary):
    assert len(compare_chart(summary, demo_earlier(summary, 9)).sessions) == 6


def test_two_sessions_of_a_day_are_told_apart_by_their_time():
    times = [STARTED_AT, STARTED_AT.replace(hour=7), STARTED_AT.replace(day=20)]
    sessions = [short(200.0, started_at=at) for at in times]
    names = [
        each.name for each in compare_chart(sessions[0], [comparable_fields(each) for each in sessions[1:]]).sessions
    ]
    assert re.fullmatch(r"Mon 23 Nov 2026, \d\d:\d\d .*", names[1])
    assert names[2] == "Fri 20 Nov 2026"


def test_nothing_before_or_no_rounds_is_no_chart(summary):
    assert compare_chart(summary, []) is None
    assert compare_chart(summary | {"intervals": None}, demo_earlier(summary)) is None
    assert not is_comparable(summary)
    assert not is_comparable(summary | {"before": demo_earlier(summary)[0], "intervals": []})
    assert is_comparable(summary | {"before": demo_earlier(summary)[0]})


def test_every_session_has_a_line_of_its_own_form_and_this_one_lies_on_top(summary):
    figure = compare_figure(compare_chart(summary, demo_earlier(summary)))
    powers = [trace for trace in figure.data if trace.yaxis in (None, "y")]
    assert len({(trace.line.dash, trace.marker.symbol) for trace in powers}) == len(powers) == 6
    assert powers[-1].uid == "compared0_1"
    assert powers[-1].line.width > powers[0].line.width


def test_what_nobody_measured_has_no_panel():
    figure = compare_figure(compare_chart(short(200.0, 210.0), [comparable_fields(short(190.0))]))
    assert [annotation.text for annotation in figure.layout.annotations] == ["mean power [W]"]


def test_likeness_is_not_drawn_as_mountains():
    figure = compare_figure(compare_chart(short(200.0, 201.0), [comparable_fields(short(200.0, 200.0))]))
    low, high = figure.layout.yaxis.range
    assert high - low >= 20


def test_the_page_begins_with_a_sentence(summary):
    text = plain(compare_page(summary, demo_earlier(summary)))
    first = "6 W stronger than on 19 November, by holding on in rounds 8–10."
    assert text.index(first) < text.index("Against Thu 19 Nov 2026") < text.index("Round by round")


def test_the_page_lists_the_sessions_and_their_rounds(summary):
    content = compare_page(summary, demo_earlier(summary), session="me.html", session_link=lambda at: f"{at}.html")
    assert re.findall(r'href="(2026[^"]*|me.html)"', content) == [
        "me.html",
        *(f"2026-earlier-{back}.html" for back in range(1, 6)),
    ]
    assert content.count('<th scope="row"') == 6 + 10
    outline = Outline(content)
    assert outline.tags.count("caption") == outline.tags.count("table") == 2
    label = next(value for tag, name, value in outline.attributes if name == "aria-label" and "chart" in value)
    assert "this session: 223, 222," in label


def test_a_first_session_has_a_page_that_says_so(summary):
    text = plain(compare_page(summary, []))
    assert "nothing to compare yet" in text
    assert "plotly" not in text


def test_sessions_without_any_power_are_still_compared():
    text = plain(compare_page(short(None, None), [comparable_fields(short(None))]))
    assert "Sessions of this plan" in text
    assert not re.search(r"\b(None|nan)\b", text)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_names_are_inert_on_the_page(summary, hostile):
    said = {"athlete": hostile, "plan": hostile, "session_id": hostile, "machine": {"name": hostile}}
    earlier = [each | {"session_id": hostile, "plan": hostile, "started_at": hostile} for each in demo_earlier(summary)]
    content = compare_page(summary | said, earlier, session_link=lambda _: None)
    content.encode()
    check_inert(content, hostile)


def test_a_report_compares_beside_the_sessions_it_links(tmp_path, summary):
    samples = demo_samples()
    earlier = demo_earlier(summary)
    write_session_report(summary | {"session_id": "2026-earlier-1"}, samples, tmp_path / "2026-earlier-1.html")
    name = write_compare_report(summary, earlier, tmp_path)
    assert name == f"{summary['session_id']}.compare.html"
    content = (tmp_path / name).read_text("utf-8")
    assert re.findall(r'href="([^"]*\.html)"', content) == [f"{summary['session_id']}.html", "2026-earlier-1.html"]
    write_session_report(summary, samples, tmp_path / "row.html", compare=name)
    assert f'<a href="{name}">' in (tmp_path / "row.html").read_text("utf-8")


@pytest.mark.parametrize("session_id", ["../secret", "/etc/x", "a\x00b", "x" * 300])
def test_a_session_id_never_becomes_a_path(tmp_path, summary, session_id):
    assert write_compare_report(summary | {"session_id": session_id}, demo_earlier(summary), tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_where_there_is_nothing_to_compare(tmp_path, summary):
    assert write_compare_report(summary, [], tmp_path) is None
    assert list(tmp_path.iterdir()) == []

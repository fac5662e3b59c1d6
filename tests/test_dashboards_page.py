from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from urllib.parse import quote

import pandas as pd
import plotly.graph_objects as go
import pytest

from dashboards import drawing
from dashboards.history_page import history_page, newest_first
from dashboards.page import figure_json, page, policy, style
from dashboards.session import hard_contrast, session_chart, session_figure
from dashboards.session_page import contrast_line, session_page
from tests.test_dashboards_demo import COLUMNS, demo_index, demo_samples, demo_summary

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</script><script>alert(1)</script>",
    "'};alert(1)//",
    "nul\x00 esc\x1b]0;x\x07 line\nbreak",
    "\u202eright to left",
    "\ud800",
    "x" * 248,
    "<a href='https://evil.example'>plan</a>",
)
ALLOWED_TAGS = {
    *("html", "head", "meta", "link", "title", "style", "script", "body", "header", "main", "section", "footer", "nav"),
    *("h1", "h2", "p", "div", "span", "small", "strong", "b", "a", "code", "bdi", "time", "ul", "li", "dl", "dt", "dd"),
    *("table", "caption", "thead", "tbody", "tr", "th", "td"),
}


class Outline(HTMLParser):
    """What a browser would make of a page: its elements, its words, and how often each id occurs."""

    def __init__(self, content):
        super().__init__()
        self.tags, self.attributes, self.words, self._skipped = [], [], [], False
        self.feed(content)

    def handle_starttag(self, tag, attrs):
        self._skipped = tag in ("script", "style")
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag):
        self._skipped = False

    def handle_data(self, data):
        if not self._skipped:
            self.words.append(data)

    @property
    def text(self):
        return " ".join("".join(self.words).split())


@pytest.fixture(scope="module")
def samples():
    return demo_samples()


@pytest.fixture(scope="module")
def summary(samples):
    return demo_summary(samples)


def plain(content):
    return Outline(content).text.replace("\u202f", " ")


def test_a_session_page_says_what_was_rowed(summary, samples):
    text = plain(session_page(summary, samples))
    for words in (
        "Monday 23 November 2026 16:30 UTC",
        "10x45/75 · Virtual Rower · Anna · synthetic",
        "30:00",
        "29:38 moving",
        "hard 10",
        "warm-up",
        "1 gap, 13 s in all: 20:28–20:41 (link lost).",
        "3 notifications were cut short; what they held was read.",
        "rowsync-mass-aware-1",
    ):
        assert words in text


def test_corrected_intervals_are_called_so_at_the_chart_and_at_the_table(summary, samples):
    corrected = {"intervals_from": "corrected", "corrected_at": "2026-11-24T12:00:00Z"}
    text = plain(session_page(summary | corrected, samples))
    assert "hard rounds, numbered, corrected by you on Tue 24 Nov 2026" in text
    assert "The intervals were corrected by you on Tue 24 Nov 2026." in text
    assert "corrected" not in plain(session_page(summary | {"intervals_from": "detected"}, samples))
    assert "corrected by you." in plain(session_page(summary | corrected | {"corrected_at": HOSTILE[0]}, samples))


def test_energy_is_shown_with_its_range_and_apart_from_the_machines(summary, samples):
    energy = {"gross_kcal": 286.2, "net_kcal": 249, "low_kcal": 240, "high_kcal": 332, "machine_kcal": 301}
    text = plain(session_page(summary | {"energy": energy}, samples))
    assert "286 kcal (240–332)80 % range" in text
    assert "machine's own count301 kcal" in text


def test_the_hard_rounds_are_summed_up_in_one_line():
    hard = [{"effort": "hard", "duration_s": 45, "mean_power_w": power_w} for power_w in (220,) * 5 + (208,) * 5]
    easy = {"effort": "easy", "duration_s": 75, "mean_power_w": 89}
    line = contrast_line(hard_contrast({"intervals": [*hard, easy]})).replace("\u202f", " ")
    assert line == "Hard rounds: mean 214 W · hard:easy power 2.4 · fade −5 % (last three against first three)"


def test_rounds_without_power_have_no_line():
    assert contrast_line(hard_contrast({"intervals": [{"effort": "hard", "duration_s": 45}]})) == ""


def test_the_verdict_stands_above_the_chart(summary, samples):
    compliance = {"followed": False, "rounds_planned": 1, "rounds_rowed": 0}
    compliance["pieces"] = [{"effort": "hard", "rowed_as": "steady", "start_late_s": None, "end_late_s": None}]
    text = plain(session_page(summary | {"interval_probability": 0.97, "compliance": compliance}, samples))
    words = "10 hard pieces of 0:45 with 1:15 easy between them (97 % sure)."
    assert text.index(words) < text.index("The plan 10x45/75 was not what was rowed") < text.index("Over time")


def test_a_doubtful_start_says_how_sure_it_is(summary, samples):
    first, second, *others = summary["intervals"]
    content = session_page(summary | {"intervals": [first, second | {"start_confidence": 0.55}, *others]}, samples)
    assert '5:00<abbr class="doubt" title="55\u202f% sure">?</abbr>' in content
    assert "A ? is a start less than 70 % sure." in plain(content)
    assert "1 doubtful change dashed" in content
    assert "doubtful" not in plain(session_page(summary, samples))


def test_a_rise_is_not_called_a_fade():
    hard = [{"effort": "hard", "duration_s": 45, "mean_power_w": power_w} for power_w in (200, 210)]
    assert contrast_line(hard_contrast({"intervals": hard})).endswith("rise +5\u202f% (last against first)")


def test_where_watts_and_heart_rate_come_from_is_said(summary, samples):
    doubtful = {"start_s": 300.0, "end_s": 960.0, "power_kcal_per_min": 9.0, "heart_rate_kcal_per_min": 5.0}
    said = {"power_source": "pace", "heart_rate_source": "strap", "doubtful_power": doubtful}
    text = plain(session_page(summary | said, samples))
    assert "The machine sends no watts: they are reckoned from its pace" in text
    assert "The heart rate is a strap's." in text
    assert "watts that the heart rate contradicts" in text
    assert "The watts are doubtful from 5:00 to 16:00: the heart rate contradicts them (see Energy)." in text
    assert "watts are" not in plain(session_page(summary | {"power_source": "a new one"}, samples))


def test_zones_and_formulas_stand_in_tables_of_their_own(summary, samples):
    bands = [{"name": "UT2", "from_bpm": 120.0, "to_bpm": 141.0, "minutes": 12.0}]
    training = {"heart_rate_bands": bands, "power_bands": [], "conversational": None, "load": None}
    training |= {"w_balance": None, "assumed": ["The heart is taken to be 34 years old."], "notices": []}
    energy = summary["energy"] | {"formulas_kcal": {"rowsync_mass_aware": 280.0, "concept2": 301.0}, "half_width": 0.2}
    text = plain(session_page(summary | {"training": training, "energy": energy}, samples))
    assert "Time in bands of heart rate" in text
    assert "UT2120–14112.0100 %" in text
    assert "UT2 12.0 min" not in text
    assert "The heart is taken to be 34 years old." in text
    assert "Concept2 monitor301+7 %yes" in text


def test_bands_that_need_to_know_more_say_what(summary, samples):
    training = {"heart_rate_bands": [], "power_bands": [], "conversational": None, "load": None}
    training |= {"w_balance": None, "assumed": [], "notices": []}
    assert "rowsync athlete NAME --born 1990" in plain(session_page(summary | {"training": training}, samples))


def test_a_session_leads_to_its_comparison_where_there_is_one(summary, samples):
    assert '<a href="c.html">' in session_page(summary, samples, compare="c.html")
    assert "last times" not in session_page(summary, samples)


def test_hard_rows_are_marked_by_word_and_weight_not_only_by_colour(summary, samples):
    content = session_page(summary, samples)
    assert len(re.findall(r'<tr class="hard"><th scope="row">\d+</th><td class="word">hard \d+</td>', content)) == 10
    assert "font-weight: 650" in re.search(r"tr\.hard > \* \{[^}]*\}", style())[0]


def test_what_was_not_measured_is_a_dash_never_none_or_nan():
    nothing = dict.fromkeys(demo_summary(demo_samples()))
    text = plain(session_page(nothing, pd.DataFrame(columns=list(COLUMNS))))
    assert "time– distance" in text.replace("–distance", "– distance")
    assert not re.search(r"\b(None|nan|NaN|NaT)\b", text)
    assert "Nothing was measured in this session." in text


def test_intervals_without_numbers_are_dashes(summary, samples):
    bare = [dict.fromkeys(interval) | {"effort": interval["effort"]} for interval in summary["intervals"]]
    content = session_page(summary | {"intervals": bare}, samples.assign(power_w=float("nan")))
    assert not re.search(r"\b(None|nan|NaN)\b", plain(content))


def test_a_session_without_intervals_has_neither_table_nor_rounds(summary, samples):
    content = session_page(summary | {"intervals": []}, samples)
    assert 'class="intervals"' not in content
    assert 'id="rounds"' not in content


def test_a_rowed_session_has_no_badge(summary, samples):
    assert "synthetic" not in plain(session_page(summary | {"origin": "hardware"}, samples))


def test_a_heart_rate_nobody_measured_takes_no_room():
    samples = demo_samples(heart_rate=False)
    assert "heart" not in plain(session_page(demo_summary(samples), samples))


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_names_are_inert_on_a_session_page(summary, samples, hostile):
    changes = {
        "athlete": hostile,
        "plan": hostile,
        "session_id": hostile,
        "started_at": hostile,
        "origin": hostile,
        "machine": {"name": hostile},
        "gaps": [{"start_s": 1, "end_s": 2, "reason": hostile}],
        "energy": summary["energy"] | {"model": hostile},
        "intervals": [*summary["intervals"], summary["intervals"][0] | {"effort": hostile, "number": hostile}],
    }
    content = session_page(summary | changes, samples, home="/")
    content.encode()  # lone surrogates could not be written
    check_inert(content, hostile)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_names_are_inert_in_the_history(hostile):
    index = demo_index(4).astype({"session_id": "object", "plan": "object", "athlete": "object", "origin": "object"})
    index.loc[0, ["session_id", "plan", "athlete", "origin"]] = hostile
    content = history_page(index, session_link=lambda session_id: f"/session/{quote(session_id, errors='replace')}")
    content.encode()
    check_inert(content, hostile)


def check_inert(content, hostile):
    outline = Outline(content)
    assert set(outline.tags) <= ALLOWED_TAGS
    assert not [name for _, name, _ in outline.attributes if name.startswith("on")]
    assert "\x00" not in content
    assert "\u202e" not in content
    assert "x" * 201 not in outline.text
    assert not [value for _, name, value in outline.attributes if name == "href" and value.startswith("https:")]
    for block in re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', content):
        assert "<" not in block
        assert hostile not in block


def test_a_page_of_14_400_samples_weighs_at_most_100_kb():
    samples = demo_samples(per_s=2, repeat=4)
    assert len(samples) >= 14_370
    intervals = demo_summary(samples)["intervals"] * 4
    content = session_page(demo_summary(samples) | {"intervals": intervals}, samples)
    assert len(content.encode()) <= 100_000


def test_an_hour_at_4_hz_weighs_at_most_90_kb():
    samples = demo_samples(per_s=4, repeat=2)
    assert len(samples) >= 14_300
    content = session_page(demo_summary(samples) | {"intervals": demo_summary(samples)["intervals"] * 2}, samples)
    assert len(content.encode()) <= 90_000


def test_no_figure_carries_plotlys_own_template(summary, samples):
    assert "colorscale" not in session_page(summary, samples)


def test_a_figures_data_weighs_at_most_80_kb():
    samples = demo_samples(per_s=2, repeat=4)
    assert len(figure_json(session_figure(session_chart(demo_summary(samples), samples)))) <= 80_000


def test_numbers_travel_as_typed_arrays_and_the_time_only_once(summary, samples):
    content = json.loads(figure_json(session_figure(session_chart(summary, samples))))
    assert len(content["shared"]) == 1
    assert [trace["x"] for trace in content["data"]] == [{"shared": 0}] * 4
    assert all("bdata" in trace["y"] for trace in content["data"])


@pytest.mark.parametrize(
    ("values", "kind"),
    [((0, 255), "uint8"), ((0, 256), "uint16"), ((0.5, 1), "float32"), ((1, None), "float32"), ((-1, 1), "float32")],
)
def test_numbers_are_packed_into_the_smallest_type_that_holds_them(values, kind):
    assert str(drawing.packed(values).dtype) == kind


def test_nothing_in_a_page_points_outside(summary, samples):
    for content in (session_page(summary, samples), history_page(demo_index(), session_link=lambda _: None)):
        without_namespace = content.replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|//[a-z]+\.", without_namespace)


def test_no_button_sends_anything_to_a_cloud(summary, samples):
    config = json.loads(figure_json(session_figure(session_chart(summary, samples))))["config"]
    assert config["plotlyServerURL"] == ""
    assert "sendChartToCloud" in config["modeBarButtonsToRemove"]
    assert not config["displaylogo"]


def test_only_our_script_may_run_inline(summary, samples):
    content = session_page(summary, samples)
    [inline] = re.findall(r"<script>(.*?)</script>", content, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
    assert f"script-src 'self' 'sha256-{digest}';" in policy()
    assert "unsafe-inline" not in policy().partition("style-src")[0]


def test_data_cannot_end_its_block():
    figure = go.Figure(layout={"title": {"text": "</script><script>alert(1)</script>&"}})
    assert not re.search("[<>&]", figure_json(figure))


def test_the_style_sheet_knows_the_figures_colours():
    for colour in (drawing.POWER, drawing.STROKE_RATE, drawing.PACE, drawing.HEART_RATE, drawing.ENERGY, drawing.INK):
        assert colour in style()


def test_a_page_can_be_read_aloud(summary, samples):
    outline = Outline(session_page(summary, samples))
    assert ("html", "lang", "en") in outline.attributes
    assert (outline.tags.count("h1"), outline.tags.count("main")) == (1, 1)
    assert outline.tags.count("caption") == outline.tags.count("table") == 2
    assert outline.tags.count("section") == len([1 for tag, name, _ in outline.attributes if tag == "section"])
    assert outline.tags.count("th") == len([1 for tag, name, _ in outline.attributes if (tag, name) == ("th", "scope")])
    labels = [value for _, name, value in outline.attributes if name == "aria-label"]
    assert labels[:2] == [
        "Line chart over 30:00; power, mean 125 W, highest 249 W; stroke rate, mean 21.5 a minute, highest 31.0 a "
        "minute; pace, mean 2:24.5 per 500 m, fastest 1:51.9 per 500 m; heart rate, mean 137 a minute, highest 160 a "
        "minute; 10 hard rounds shaded; 1 gap in grey.",
        "Bar chart of mean power in 10 hard rounds: 223, 222, 225, 218, 219, 214, 214, 213, 210, 215 W.",
    ]
    assert labels[2].startswith(
        "Scatter chart of power against stroke rate; easy, 227 strokes: usually 93 W at 19.0 a "
    )
    ids = [value for _, name, value in outline.attributes if name == "id"]
    assert len(ids) == len(set(ids))


def test_a_title_is_escaped():
    assert "<title>a &lt;b&gt;</title>" in page("a <b>", "")


def test_a_history_lists_the_newest_first_and_links_what_has_a_page():
    index = demo_index(3)
    content = history_page(index, session_link=lambda name: f"/session/{name}" if name.endswith("2") else None)
    rows = re.findall(r'<tr><th scope="row" class="word">(.*?)<', content)
    assert len(rows) == 3
    assert re.findall(r'href="(/session/[^"]*)"', content) == ["/session/2026-demo-0002"]
    assert content.index("/session/2026-demo-0002") < content.index(rows[2])


def test_sessions_without_a_date_come_last():
    rows = newest_first(
        pd.DataFrame({"started_at": [pd.NaT, pd.Timestamp("2026-11-23", tz="UTC")], "plan": ["a", "b"]})
    )
    assert [row["plan"] for row in rows] == ["b", "a"]


def test_a_history_says_what_is_synthetic():
    index = demo_index(3)
    index["origin"] = ["synthetic", "hardware", "hardware"]
    text = plain(history_page(index, session_link=lambda _: None))
    assert "1 of 3 sessions is synthetic: listed, not counted." in text


def test_energy_in_the_history_has_its_range_or_a_dash():
    content = history_page(demo_index(), session_link=lambda _: None)
    assert re.search(r"<td>\d+ <small>\(\d+–\d+\)</small></td>", content)
    assert re.search(r"<td>–</td></tr>", content)


def test_athletes_are_named_only_when_there_are_several():
    index = demo_index(3)
    assert "athlete" not in plain(history_page(index, session_link=lambda _: None))
    index["athlete"] = ["Anna", "Bo", None]
    assert "athlete" in plain(history_page(index, session_link=lambda _: None))


@pytest.mark.parametrize("empty", [pd.DataFrame(), demo_index(1).iloc[:0]])
def test_an_empty_history_says_how_to_begin(empty):
    assert "rowsync demo" in plain(history_page(empty, session_link=lambda _: None))


def test_a_long_history_has_pages():
    content = history_page(demo_index(), session_link=lambda _: None, page_number=2, rows_per_page=20)
    assert content.count('<tr><th scope="row"') == 20
    assert 'href="?page=1"' in content
    assert 'href="?page=3"' in content
    assert "page 2 of 3" in content

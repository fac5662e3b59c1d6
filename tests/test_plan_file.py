"""Plans as files, and `rowsync plan`."""

from __future__ import annotations

import io
import json
import os
import re
import time
import warnings

import pytest
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st
from rich.console import Console

from rowsync.errors import UsageError
from rowsync.plan import NAMED_PLANS, Plan, parse_plan, pieces_of, plan_text
from rowsync.plan_file import MOST_BYTES, option_plan, plan_toml, read_plan
from rowsync.plan_picture import EFFORT_STYLES, print_named_plans, print_plan
from rowsync.terminal import EFFORT_STYLES as STYLES_WHILE_ROWING
from tests.conftest import ROOT
from tests.test_plan import PLANS

PYRAMID = """
name = "my pyramid"
about = "Up and down."

[[pieces]]
length = "5m"

[[pieces]]
repeat = 2
length = ["1m", "2m", "1m"]
target = ["24spm", "85%"]
then = "1mr"

[[pieces]]
repeat = 3
then = 180
then_target = "@talk"

[[pieces.pieces]]
repeat = 4
length = 30
effort = "hard"
then = "30s"
then_effort = "steady"
"""


@pytest.fixture
def file(tmp_path):
    def written(content):
        path = tmp_path / "plan.toml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return written


@pytest.fixture(scope="module")
def one_file(tmp_path_factory):
    return tmp_path_factory.mktemp("plans") / "plan.toml"


# --- reading ----------------------------------------------------------------------------------------------------------


def test_a_file_holds_a_plan_as_typed(file):
    plan = read_plan(file('plan = "5m + 10x45/75 + 5m"\nname = "mine"'))
    assert (plan.text, plan.name, plan.about) == ("5m + 10x45/75 + 5m", "mine", None)
    assert plan.pieces == parse_plan("5m + 10x45/75 + 5m").pieces


def test_a_file_may_name_a_plan(file):
    assert read_plan(file('plan = "day-c"')).name == "day-c"


def test_a_file_holds_a_plan_as_tables_which_become_text(file):
    plan = read_plan(file(PYRAMID))
    assert plan.text == "5m + 2x(1m,2m,1m@24spm@85%/1mr) + 3x(4x30s@hard/30s@steady)/3m@talk"
    assert (plan.name, plan.about) == ("my pyramid", "Up and down.")
    assert parse_plan(plan.text).pieces == plan.pieces


def test_then_alone_makes_a_round(file):
    plan = read_plan(file('[[pieces]]\nlength = "500m"\nthen = "2m"\n[[pieces]]\nlength = ["1m"]'))
    assert plan.text == "1x500m/2m + 1x1m"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "either plan"),
        ('plan = "5m"\npieces = []', "either plan"),
        ("pieces = []", "written as tables"),
        ("pieces = [5]", "written as tables"),
        ("plan = 5", "plan is a text in quotes"),
        ('plan = ""', "plan is a text in quotes"),
        ('plan = "5y"', "plan: This plan can't be read"),
        ('plan = "5m"\nname = ["x"]', "name is a text"),
        ('plan = "5m"\ncolour = "red"', "colour is unknown. Known are: plan, pieces, name, about"),
        ('[[pieces]]\nlenght = "5m"', r"pieces\[1\].lenght is unknown. Known are: repeat, length"),
        ('[[pieces]]\nlength = "5m"\n[[pieces]]\nlength = "5y"', r"pieces\[2\].length: This plan"),
        ('[[pieces]]\nlength = "5m + 5m"', r"pieces\[1\].length: "),
        ("[[pieces]]\nlength = inf", r"pieces\[1\].length: "),
        ("[[pieces]]\nlength = true", "is a text in quotes"),
        ("[[pieces]]\nlength = []", "is a text in quotes"),
        ('[[pieces]]\nlength = "5m"\ntarget = "24spm + 5m"', r"pieces\[1\].length: "),
        ('[[pieces]]\nlength = "5m"\neffort = "24spm"', "effort is one of hard"),
        ('[[pieces]]\nlength = "5m"\nrepeat = 0', "repeat is a whole number"),
        ('[[pieces]]\nlength = "5m"\nrepeat = true', "repeat is a whole number"),
        ('[[pieces]]\nlength = "5m"\nthen_target = "24spm"', "then_target goes with then"),
        ('[[pieces]]\nlength = "5m"\nthen = ["1m", "2m"]', "then is one length"),
        ('[[pieces]]\nlength = "5m"\nthen = "1m)"', r"pieces\[1\].then: "),
        ("[[pieces]]\nrepeat = 2", "either a length"),
        ('[[pieces]]\npieces = [{length = "5m"}]\neffort = "hard"', "effort goes with length"),
        ('[[pieces]]\nlength = "5m"\nrepeat = 1000\nthen = "1m"', "pieces: A plan has at most 1000"),
        ("plan = ", "can't be read as TOML"),
        ("x = " + "[" * 5000, "can't be read as TOML"),
        ("pieces = " + "[{pieces = " * 40 + '[{length = "5m"}]' + "}]" * 40, "at most 8 deep"),
        (b"plan = '\xff'", "can't be read as TOML"),
        (b"\x00" * 100, "can't be read as TOML"),
        (b"#" * (MOST_BYTES + 1), "too long for a plan: 16 KiB"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_name_and_the_key(file, content, says):
    with pytest.raises(UsageError, match=says) as refused:
        read_plan(file(content))
    assert "plan.toml" in str(refused.value)


def test_what_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "null.toml").symlink_to("/dev/zero")
    (tmp_path / "round.toml").symlink_to(tmp_path / "round.toml")
    for name, says in (
        ("pipe", "isn't a file"),
        ("folder", "is a folder"),
        ("null", "isn't a file"),
        ("no", "is absent"),
    ):
        with pytest.raises(UsageError, match=rf"{name}\.toml {says}"):
            read_plan(tmp_path / f"{name}.toml")
    for name in ("round", "n" * 5000, "nul\0"):
        with pytest.raises(UsageError):
            read_plan(tmp_path / f"{name}.toml")


@pytest.mark.parametrize(
    "content",
    [
        ".".join(["a"] * 8_000) + " = 1",
        "[" + ".".join(["a"] * 8_000) + "]",
        "".join(f"[[{'.'.join(['pieces'] * depth)}]]\n" for depth in range(1, 60)),
        "plan = '" + "(" * 16_000 + "'",
        "plan = '" + "1+" * 8_000 + "'",
        "x = " + "9" * 16_000,
    ],
)
def test_hostile_files_are_refused_quickly(file, content):
    started = time.perf_counter()
    with pytest.raises(UsageError):
        read_plan(file(content))
    assert time.perf_counter() - started < 5


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 2000)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["45s", "24spm"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["repeat", "length", "effort", "target", "then", "pieces", "x"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)


def as_toml(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {as_toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(as_toml, value))}]"
    return "1" if value is None else str(value) if isinstance(value, float) else json.dumps(value)


@given(st.binary(max_size=60) | VALUES.map(lambda value: f"pieces = [{as_toml(value)}]".encode("utf-8", "replace")))
@example(b'plan = "5m"')
def test_any_file_is_a_plan_or_a_clear_refusal(one_file, content):
    one_file.write_bytes(content)
    said = None
    try:
        assert read_plan(one_file).pieces
    except UsageError as refused:
        said = str(refused)
    assert said is None or "plan.toml" in said


# --- writing ----------------------------------------------------------------------------------------------------------


@given(PLANS, st.none() | st.text(min_size=1, max_size=20).filter(str.strip))
def test_a_plan_written_as_a_file_is_read_as_the_same_pieces(one_file, terms, name):
    plan = Plan(plan_text(terms), pieces_of(terms), name)
    one_file.write_text(plan_toml(plan), encoding="utf-8")
    read = read_plan(one_file)
    assert read.pieces == plan.pieces
    assert read.name == (name and name.encode("utf-8", "replace").decode())


def test_a_plan_means_a_file_a_name_or_a_text(file):
    path = file('plan = "20m@talk"')
    assert option_plan(f" {path} ").pieces == option_plan("steady").pieces == option_plan("20m@talk").pieces
    with pytest.raises(UsageError, match="is absent"):
        option_plan("no/such.toml")


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run():
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # of click, about a name that cli needs
        from rowsync.cli.plan import plan as command

    def printed(*arguments):
        done = CliRunner().invoke(command, [str(each) for each in arguments])
        if done.exception is not None:
            raise done.exception
        return done.output

    return printed


@pytest.fixture
def settings(tmp_path, monkeypatch):
    path = tmp_path / "config.toml"
    path.write_text("[athletes.anna]\nmax_power_w = 200\n")
    monkeypatch.setenv("ROWSYNC_CONFIG", str(path))


def test_without_a_plan_those_that_have_a_name_are_listed(run):
    shown = run()
    assert all(name in shown and plan.text in shown and plan.about in shown for name, plan in NAMED_PLANS.items())
    assert [each["name"] for each in json.loads(run("--json"))] == list(NAMED_PLANS)


def test_a_plan_is_shown_with_its_start_times_targets_and_length(run):
    shown = run("2m", "+", "2x45@24spm/1:15")
    assert [line.split() for line in shown.splitlines()[2:]] == [
        ["start", "round", "length", "effort", "target"],
        ["0:00", "2:00", "warm-up"],
        ["2:00", "1", "0:45", "hard", "24", "spm"],
        ["2:45", "1:15", "easy"],
        ["4:00", "2", "0:45", "hard", "24", "spm"],
        ["4:45", "1:15", "easy"],
        ["6:00", "in", "all,", "2", "hard", "pieces"],
    ]


def test_an_athletes_targets_are_said_in_watts(run, settings):
    piece = json.loads(run("1x500m@85%/2m", "--athlete", "anna", "--json"))["pieces"][0]
    assert piece["targets"][0]["words"] == "170 W"
    with pytest.raises(UsageError, match="rowsync athlete berta --best-2k"):
        run("1x500m@85%/2m", "--athlete", "berta")


def test_a_plan_is_printed_as_a_file(run, file):
    path = file(run("pyramid", "--toml"))
    assert (read_plan(path).name, read_plan(path).pieces) == ("pyramid", parse_plan("pyramid").pieces)
    assert "2:00" in run(path)


@pytest.mark.parametrize("arguments", [("--toml",), ("--athlete", "anna"), ("5m", "--json", "--toml"), ("sprints",)])
def test_what_makes_no_sense_is_refused(run, arguments):
    with pytest.raises(UsageError):
        run(*arguments)


# --- the picture ------------------------------------------------------------------------------------------------------


def picture(text, width=40, **known):
    console = Console(file=io.StringIO(), width=width, **known)
    print_plan(parse_plan(text), console)
    return console.file.getvalue()


def test_the_picture_is_as_wide_as_the_terminal_and_as_high_as_the_effort():
    assert picture("10m + 1x10m/10m + 10m").splitlines()[1] == "▃" * 10 + "█" * 10 + "▃" * 20
    assert picture("1x10m/10mr", width=20).splitlines()[1] == "█" * 10 + "▁" * 10
    assert picture("1x500m@4:00/4m", width=20).splitlines()[1] == "█" * 10 + "▃" * 10
    assert "█▃▃" in picture("1x1m/1m", width=3).splitlines()  # what is rowed in the middle of a column


def test_the_picture_has_the_colours_of_the_efforts():
    assert "\x1b[1;31m" + "█" * 20 in picture("1x10m/10m", force_terminal=True, color_system="standard")


def test_an_effort_has_one_colour_before_and_while_it_is_rowed():
    assert EFFORT_STYLES == STYLES_WHILE_ROWING


def test_what_a_file_says_is_shown_and_not_obeyed():
    console = Console(file=io.StringIO(), width=80, force_terminal=True)
    print_plan(Plan("5m", parse_plan("5m").pieces, "[red]x[/red]\x1b[2J", "[/]\n\x1b[31m"), console)
    shown = console.file.getvalue()
    assert "[red]x[/red]" in shown
    assert "\x1b[2J" not in shown
    assert "\x1b[31m" not in shown


def test_a_thousand_pieces_fit_a_narrow_terminal():
    assert max(map(len, picture("500x1/1@24spm", width=30).splitlines())) <= 30
    console = Console(file=io.StringIO(), width=30)
    print_named_plans(NAMED_PLANS, console)
    assert max(map(len, console.file.getvalue().splitlines())) <= 30


# --- the page about it ------------------------------------------------------------------------------------------------

PAGE = (ROOT / "docs" / "plans.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("typed", re.findall(r"^\| `([0-9][^`]*)` \|", PAGE, re.MULTILINE))
def test_every_plan_of_the_page_can_be_rowed(typed):
    assert parse_plan(typed).pieces


@pytest.mark.parametrize("typed", re.findall(r"`@([^`]+)`", PAGE))
def test_every_target_of_the_page_can_be_typed(typed):
    assert parse_plan(f"5m@{typed}").pieces


def test_the_page_names_every_named_plan_and_its_files_can_be_read(file):
    assert dict(re.findall(r"^\| `([a-z-]+)` \| `([^`]+)` \|", PAGE, re.MULTILINE)) == {
        name: plan.text for name, plan in NAMED_PLANS.items()
    }
    as_typed, as_tables = (text for text in re.findall(r"```\n(.*?)```", PAGE, re.DOTALL) if " = " in text)
    assert read_plan(file(as_typed)).pieces == parse_plan("intervals").pieces
    assert read_plan(file(as_tables)).rounds == 2 * 3 + 3 * 4

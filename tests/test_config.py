"""Settings: what is read, what is refused, and what `rowsync athlete` writes."""

from __future__ import annotations

import json
import os
import tempfile
import tomllib
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import click
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from rowsync import wording
from rowsync.athlete import PLAUSIBLE, SETTINGS, TYPED, Athlete
from rowsync.config import EVER, KEYS, nonsense, read_settings, write_athlete
from rowsync.errors import UsageError
from rowsync.profile import Profile

DAY = date(2026, 10, 1)


def read(path, text):
    path.write_text(text, encoding="utf-8")
    return read_settings(path)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "config.toml"


# --- reading ----------------------------------------------------------------------------------------------------------


def test_an_empty_file_knows_nobody_and_me_rows(settings_file):
    settings = read_settings(settings_file)
    assert settings.athletes == {}
    assert settings.who(None, None) == Athlete("me")


def test_an_athlete_whom_the_settings_do_not_know_is_a_name(path):
    settings = read(path, "[athletes.anna]\nheight_cm = 170")
    assert settings.profile("bob") == Profile("bob")
    assert settings.who("bob", None) == Athlete("bob")
    assert settings.who("bob", 80.0) == Athlete("bob", mass_kg=80.0, mass_from=TYPED)


def test_a_typed_mass_comes_before_the_settings(path):
    settings = read(path, 'athlete = "anna"\n[athletes.anna]\nmass_kg = 62')
    assert settings.who(None, None) == Athlete("anna", mass_kg=62, mass_from=SETTINGS)
    assert settings.who(None, 70.0) == Athlete("anna", mass_kg=70.0, mass_from=TYPED)


def test_a_mass_is_one_number_or_a_history_in_any_order(path):
    assert read(path, "[athletes.anna]\nmass_kg = 62").profile("anna").masses_kg == ((date.min, 62),)
    settings = read(path, "[athletes.anna.mass_kg]\n2026-10-01 = 62\n2026-01-05 = 64.5")
    assert settings.profile("anna").masses_kg == ((date(2026, 1, 5), 64.5), (DAY, 62))


def test_an_age_is_still_read(path):
    assert read(path, "[athletes.anna]\nage_years = 35").who("anna", None).age_years == 35


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("athletes = 1", "athletes are written as tables"),
        ("[athletes]\nanna = 1", "athletes are written as tables"),
        ("athlete = 1", "athlete is a text"),
        ("dta = 'x'", "dta is unknown"),
        ("[athletes.anna]\nmass = 62", "athletes.anna.mass is unknown"),
        ("[athletes.anna]\nmass_kg = 5", "athletes.anna.mass_kg = 5 makes no sense: body mass is 20 to 300 kg"),
        ("[athletes.anna]\nmass_kg = 900", "20 to 300 kg"),
        ("[athletes.anna]\nmass_kg = nan", "20 to 300 kg"),
        ("[athletes.anna]\nmass_kg = true", "20 to 300 kg"),
        ("[athletes.anna]\nmass_kg = [62]", "20 to 300 kg"),
        ("[athletes.anna.mass_kg]\n2026-01-05 = 5", "20 to 300 kg"),
        ("[athletes.anna.mass_kg]\n2026-13-05 = 62", "written like 2026-01-05"),
        ("[athletes.anna.mass_kg]\n20260105 = 62", "written like 2026-01-05"),
        ("[athletes.anna.mass_kg.2026]\n01 = 62", "written like 2026-01-05"),
        ("[athletes.anna]\nbirth_year = 2999", "it is a year such as 1990"),
        ("[athletes.anna]\nbirth_year = 1850", "age is 4 to 120 years"),
        ("[athletes.anna]\nbirth_year = 1990.5", "it is a year such as 1990"),
        ("[athletes.anna]\nheight_cm = 1.8", "height is 50 to 260 cm"),
        ("[athletes.anna]\nsex = 'x'", "female and male"),
        ("[athletes.anna]\nsex = ['female']", "female and male"),
        ("[athletes.anna]\ntime_zone = 'Berlin'", "Europe/Berlin"),
        ("[athletes.anna]\ntime_zone = 2026-01-01", "Europe/Berlin"),
        ("[athletes.anna]\nbest_2k_s = 45", "300 to 1000 s, which is 5:00 to 16:40"),
        ("[athletes.anna", "can't be read"),
    ],
)
def test_nonsense_is_refused_with_where_it_stands_and_what_would_make_sense(path, text, named):
    with pytest.raises(UsageError) as refused:
        read(path, text)
    assert named in str(refused.value)
    assert str(path) in str(refused.value)


def test_a_named_file_that_is_absent_is_an_error_unless_it_is_going_to_be_written(path, monkeypatch):
    monkeypatch.setenv("ROWSYNC_CONFIG", str(path))
    with pytest.raises(UsageError, match="no such file"):
        read_settings(path)
    assert read_settings(path, may_be_absent=True).athletes == {}


@given(st.binary() | st.text().map(str.encode))
@example(b"\xef\xbb\xbf")
@example(b"a = " + b"[" * 5000)
def test_any_bytes_are_settings_or_refused(content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.toml"
        path.write_bytes(content)
        with suppress(UsageError):
            assert read_settings(path).athlete


anything = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dictionaries(st.text(), st.text())


@given(st.sampled_from(sorted(KEYS)), anything | st.lists(anything))
def test_any_value_makes_sense_or_does_not(key, value):
    assert nonsense(key, value) is None or "makes no sense: " in nonsense(key, value)


# --- writing ----------------------------------------------------------------------------------------------------------

WRITTEN = """\
# mine
data = "/rows"   # here

[athletes.anna]
mass_kg = 62.0  # as of May
height_cm = 1_69 # barefoot

# my neighbour, who has the same machine
[athletes."O'Brien"]
sex = "male"
"""

CHANGED = """\
# mine
data = "/rows"   # here
athlete = "anna"

[athletes.anna]
height_cm = 170 # barefoot
birth_year = 1990

[athletes.anna.mass_kg]
0001-01-01 = 62.0  # as of May
2026-10-01 = 61.5

# my neighbour, who has the same machine
[athletes."O'Brien"]
sex = "male"
"""


def test_a_change_touches_nothing_else_and_keeps_comments_where_they_belong(path):
    path.write_text(WRITTEN)
    write_athlete(path, "anna", {"mass_kg": 61.5, "height_cm": 170.0, "birth_year": 1990}, DAY, default=True)
    assert path.read_text() == CHANGED


def test_the_mass_that_had_no_day_stays_for_the_sessions_before(path):
    path.write_text(WRITTEN)
    write_athlete(path, "anna", {"mass_kg": 61.5}, DAY)
    anna = read_settings(path).profile("anna")
    assert anna.on(DAY - timedelta(days=1)).mass_kg == 62.0
    assert anna.on(DAY).mass_kg == 61.5


def test_a_second_mass_of_a_day_replaces_the_first(path):
    for mass_kg in (62.0, 61.0):
        write_athlete(path, "anna", {"mass_kg": mass_kg}, DAY)
    assert read_settings(path).profile("anna").masses_kg == ((DAY, 61),)


def test_a_new_2k_and_a_birth_year_replace_what_would_contradict_them(path):
    path.write_text("[athletes.anna]\nmax_power_w = 200\nage_years = 20\n")
    write_athlete(path, "anna", {"best_2k_s": 420.0, "birth_year": 1990}, DAY)
    assert read_settings(path).profile("anna") == Profile("anna", best_2k_s=420, birth_year=1990)


@pytest.mark.parametrize(
    "text",
    [
        "athletes = {anna = {mass_kg = 62}}\n",
        "[athletes]\nanna = {mass_kg = {2026-01-01=62}}\n",
        "[athletes]\nanna = {}",
        '[athletes.anna.mass_kg]\n2026-01-01=62\n[athletes.bob]\nsex="male"\n[athletes.anna]\nsex="female"',
        'athlete="anna"\r\n[athletes.anna]\r\nmass_kg=62\r\n\r\n[athletes.bob]\r\nsex="male"\r\n',
    ],
)
def test_other_layouts_are_changed_too(path, text):
    path.write_text(text, newline="")
    before = read_settings(path)
    write_athlete(path, "anna", {"mass_kg": 61.0, "height_cm": 170.0}, DAY)
    write_athlete(path, "zoe", {"mass_kg": 55.0}, DAY)
    after = read_settings(path)
    assert after.profile("anna").masses_kg == (*before.profile("anna").masses_kg, (DAY, 61))
    assert after.profile("bob") == before.profile("bob")
    assert after.profile("zoe").mass_on(DAY) == 55


def test_a_layout_that_cannot_be_changed_soundly_is_refused_and_left_as_it_is(path):
    text = 'athletes.anna.mass_kg = 62\nathletes.anna.sex = "female"\n'
    path.write_text(text)
    with pytest.raises(UsageError, match=r"\[athletes\.anna\]"):
        write_athlete(path, "anna", {"mass_kg": 61.0}, DAY)
    assert path.read_text() == text


def test_a_new_file_is_the_owners_alone_in_folders_that_are_made(tmp_path):
    path = tmp_path / "some" / "where" / "config.toml"
    write_athlete(path, "anna", {"mass_kg": 62.0}, DAY)
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(path.parent) == ["config.toml"]
    assert path.read_text() == "[athletes.anna.mass_kg]\n2026-10-01 = 62\n"


def test_a_link_to_the_settings_stays_a_link(tmp_path, path):
    (tmp_path / "dotfiles").mkdir()
    real = tmp_path / "dotfiles" / "rowsync.toml"
    real.write_text(WRITTEN)
    path.symlink_to(real)
    write_athlete(path, "anna", {"sex": "female"}, DAY)
    assert path.is_symlink()
    assert 'sex = "female"' in real.read_text()


def test_what_cannot_be_written_leaves_the_file_as_it_was(path):
    path.write_text(WRITTEN)
    (path.parent / "config.toml.tmp").mkdir()
    with pytest.raises(OSError, match="tmp"):
        write_athlete(path, "anna", {"mass_kg": 61.0}, DAY)
    assert path.read_text() == WRITTEN


BAD_NAMES = ["", " ", " anna", "anna ", "a.b", 'a"b', "a\nb", "a\x00b", "a\u202eb", "\ud800", "x" * 81]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_would_be_trouble_is_refused(path, name):
    with pytest.raises(UsageError, match="can't be a new athlete's name"):
        write_athlete(path, name, {"mass_kg": 62.0}, DAY)
    assert not path.exists()


def test_a_name_that_the_settings_have_already_may_be_any(path):
    path.write_text('[athletes."J. R."]\nsex = "male"\n')
    write_athlete(path, "J. R.", {"mass_kg": 62.0}, DAY)
    assert read_settings(path).profile("J. R.").mass_on(DAY) == 62


def numbers(least, most):
    return st.floats(least, most) | st.integers(int(least), int(most))


VALUES = {key: numbers(*PLAUSIBLE[key]) for key in KEYS if key in PLAUSIBLE} | {
    "birth_year": st.integers(datetime.now(UTC).year - 120, datetime.now(UTC).year - 4),
    "best_2k_s": numbers(300, 1000),
    "weekly_aim_kcal": numbers(1, 20_000),
    "sex": st.sampled_from(["female", "male"]),
    "time_zone": st.sampled_from(["Europe/Berlin", "UTC", "America/Argentina/Buenos_Aires"]),
}
names = st.text(min_size=1, max_size=80).filter(
    lambda name: wording.outside_text(name) == name == name.strip() and not set(name) & set('."')
)
changes = st.tuples(
    names | st.sampled_from(["anna", "O'Brien", "#", "[x]", "a = b", "\\", "日本", "=", "0"]),
    st.fixed_dictionaries({}, optional=VALUES),
    st.dates(),
    st.booleans(),
)


def told(profile, known, since):
    """What is known of an athlete after a change, by another way than the file's."""
    values = {key: getattr(profile, key) for key in KEYS if key != "mass_kg"}
    values |= {"max_power_w": None} if "best_2k_s" in known else {}
    values |= {"age_years": None} if "birth_year" in known else {}
    values |= {key: value for key, value in known.items() if key != "mass_kg"}
    masses_kg = dict(profile.masses_kg) | ({since: known["mass_kg"]} if "mass_kg" in known else {})
    return Profile(profile.name, masses_kg=tuple(sorted(masses_kg.items())), **values)


@given(st.sampled_from(["", WRITTEN, CHANGED]), st.lists(changes, max_size=6))
def test_what_is_written_is_read_back(text, told_of):
    assume(VALUES.keys() == KEYS.keys())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.toml"
        before = read(path, text)
        athletes, default = dict(before.athletes), before.athlete
        for name, known, since, by_default in told_of:
            athletes[name] = told(athletes.get(name, Profile(name)), known, since)
            default = name if by_default else default
            write_athlete(path, name, known, since, by_default)
            after = read_settings(path)
            assert (after.athletes, after.athlete, after.data) == (athletes, default, before.data)
        assert [line for line in text.splitlines() if line.startswith("#")] == [
            line for line in path.read_text().splitlines() if line.startswith("#")
        ]


# --- the command ------------------------------------------------------------------------------------------------------


def athlete(*arguments):
    from rowsync.cli import cli

    cli.main(["athlete", *arguments], standalone_mode=False)


def test_the_command_writes_what_it_is_told_and_shows_what_is_still_wanted(settings_file, capsys):
    athlete("anna", "--mass", "62", "--born", "1990", "--best-2k", "8:10.5", "--on", "2026-01-05")
    shown = capsys.readouterr().out
    assert "62 kg from 2026-01-05" in shown
    assert "8:10.5" in shown
    assert "--max-heart-rate" in shown
    assert "--born" not in shown
    assert "by default: me" in shown
    assert tomllib.loads(settings_file.read_text()) == {
        "athletes": {"anna": {"birth_year": 1990, "best_2k_s": 490.5, "mass_kg": {"2026-01-05": 62}}}
    }


def test_a_mass_holds_from_today_in_the_athletes_own_time_zone(settings_file):
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):  # 25 hours apart: never the same day
        athlete(zone.partition("/")[2], "--mass", "62", "--time-zone", zone)
    days = [profile.masses_kg[0][0] for profile in read_settings(settings_file).athletes.values()]
    assert days[0] > days[1]


def test_earlier_sessions_keep_a_mass_that_had_no_day(settings_file, capsys):
    settings_file.write_text("[athletes.anna]\nmass_kg = 64\n")
    athlete("anna", "--mass", "62.5", "--on", "2026-10-01")
    shown = capsys.readouterr().out
    assert shown.index("62.5 kg from 2026-10-01") < shown.index("64 kg before")
    assert f"{EVER} = 64\n" in settings_file.read_text()


def test_who_rows_by_default_is_said_and_changed_only_when_asked(settings_file, capsys):
    athlete("anna", "--mass", "62")
    assert read_settings(settings_file).athlete == "me"
    athlete("anna", "--default")
    assert read_settings(settings_file).athlete == "anna"
    athlete("--height", "170")  # of who rows by default
    assert read_settings(settings_file).profile("anna").height_cm == 170
    assert "rows by default" in capsys.readouterr().out


def test_without_a_name_everybody_is_shown(settings_file, capsys):
    settings_file.write_text("[athletes.anna]\nsex='female'\n[athletes.bob]\nsex='male'\n")
    athlete("--json")
    document = json.loads(capsys.readouterr().out)
    assert document["default"] == "me"
    assert [each["name"] for each in document["athletes"]] == ["anna", "bob"]
    assert document["athletes"][0]["unknown"][0] == {
        "what": "mass_kg",
        "option": "--mass",
        "good_for": "energy: its range narrows from ±24 to ±22 % on a machine whose watts nobody has checked",
    }


def test_showing_writes_nothing_even_with_a_mass_in_the_environment(settings_file, capsys, monkeypatch):
    monkeypatch.setenv("ROWSYNC_MASS", "70")
    monkeypatch.setenv("ROWSYNC_ATHLETE", "zoe")
    athlete()
    assert "zoe" in capsys.readouterr().out
    assert settings_file.read_bytes() == b""


def test_settings_that_were_named_and_absent_are_made(settings_file):
    settings_file.unlink()
    athlete("anna", "--mass", "62")
    assert "anna" in read_settings(settings_file).athletes


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--mass", "5"], "--mass 5.0 makes no sense: body mass is 20 to 300 kg"),
        (["--mass", "900"], "20 to 300 kg"),
        (["--mass", "nan"], "20 to 300 kg"),
        (["--born", "2999"], "--born 2999 makes no sense"),
        (["--height", "1.8"], "height is 50 to 260 cm"),
        (["--sex", "x"], "female and male"),
        (["--best-2k", "0:45"], "300 to 1000 s, which is 5:00 to 16:40"),
        (["--best-2k", "fast"], "'fast'"),
        (["--max-heart-rate", "400"], "90 to 240 bpm"),
        (["--time-zone", "Berlin"], "Europe/Berlin"),
        (["--time-zone", ""], "Europe/Berlin"),
        (["--weekly-aim", "-1"], "1 to 20000 kcal"),
        (["--on", "2026-01-05"], "--on goes with --mass"),
        (["--mass", "62", "--on", "yesterday"], "is no day"),
        (["--mass", "62", "--on", "2999-01-01"], "a day from 1900 to today"),
        (["--mass", "62", "--on", "0026-01-01"], "a day from 1900 to today"),
        (["--mass", "much"], "'much' is not a valid float"),
        *((["--mass", "62", "--", name], "new athlete's name") for name in BAD_NAMES if name),
    ],
)
def test_the_impossible_is_refused_in_a_sentence_and_the_file_is_untouched(settings_file, arguments, said):
    settings_file.write_text(WRITTEN)
    with pytest.raises((UsageError, click.UsageError)) as refused:
        athlete(*arguments)
    assert said in (refused.value.message if isinstance(refused.value, click.UsageError) else str(refused.value))
    assert "\n" not in str(refused.value)
    assert settings_file.read_text() == WRITTEN

"""What is remembered of an export, and what is said when another energy model gives other figures."""

from __future__ import annotations

import json
import os
from datetime import date

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowsync.exported import FILE, Cost, Export, change, keep_exports, last_exports, replacement
from rowsync.ledger import ledger_bytes
from tests import forked

DAY, LATER = date(2026, 11, 2), date(2026, 12, 24)


def export(model, *gross_kcal, day=DAY):
    return Export.of(day, [Cost(f"s{number}", model, kcal) for number, kcal in enumerate(gross_kcal)])


def test_an_export_is_kept_for_the_next_one(tmp_path):
    folder = tmp_path / "not there yet"
    keep_exports(folder, {"anna": export("model-1", 300.0, 200.0)})
    assert last_exports(folder) == {"anna": export("model-1", 300.0, 200.0)}
    assert (folder / FILE).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in folder.iterdir()] == [FILE]


def test_what_is_kept_of_another_athlete_stays(tmp_path):
    keep_exports(tmp_path, {"anna": export("model-1", 300.0), "ben": export("model-1", 100.0)})
    keep_exports(tmp_path, {"anna": export("model-2", 310.0)})
    assert last_exports(tmp_path) == {"anna": export("model-2", 310.0), "ben": export("model-1", 100.0)}


def test_a_changed_model_is_said_with_its_day_and_how_the_total_changed():
    now = export("model-2", 310.0, 205.6, 400.0, day=LATER)  # the last one was not exported then
    told = change("anna", export("model-1", 300.0, 200.0), now)
    assert told == (
        "2 sessions of anna, exported on 2026-11-02 by the energy model model-1, are by model-2 now: gross energy "
        "+3.1 %, 500 kcal then, 516 kcal now. Replace what was exported then; the two don't mix."
    )


@pytest.mark.parametrize(
    ("then", "now"),
    [
        (export("model-1", 300.0), export("model-1", 310.0)),  # such as another body mass
        (export("model-1", 300.0), Export.of(LATER, [Cost("other", "model-2", 300.0)])),
        (export("model-1"), export("model-2", 300.0)),
        (export("model-1", 300.0), export("model-2")),
    ],
)
def test_nothing_is_said_where_no_session_has_another_model(then, now):
    assert change("anna", then, now) is None


def test_only_the_sessions_that_have_another_model_are_compared():
    then = Export.of(DAY, [Cost("a", "model-1", 100.0), Cost("b", "model-2", 900.0)])
    now = Export.of(LATER, [Cost("a", "model-2", 90.0), Cost("b", "model-2", 900.0)])
    told = change("anna", then, now)
    assert told.startswith("1 session of anna, exported on 2026-11-02 by the energy model model-1, is by model-2 now")
    assert "−10.0 %, 100 kcal then, 90 kcal now" in told


def test_from_nothing_there_is_no_percentage():
    assert "gross energy 0 kcal then, 5 kcal now" in change("anna", export("a", 0.0), export("b", 5.0))


def test_strangers_text_is_spelled_out():
    told = change("an\x1bna", export("mo\x1bdel", 1.0), export("model-2", 1.0))
    assert "\x1b" not in told


def test_a_session_without_energy_or_model_is_not_kept():
    costs = [Cost("a", "model-1", float("nan")), Cost("b", "", 1.0), Cost("c", "m", float("inf")), Cost("d", "m", -1.0)]
    assert Export.of(DAY, costs).gross_kcal == {}


def test_a_file_whose_model_is_gone_is_said_to_be_replaced():
    told = replacement("c.csv", {"model-1"}, ["model-2", "model-2"])
    assert told == "c.csv held figures by the energy model model-1; those in it now are by model-2."
    assert replacement("c.csv", {"model-1"}, ["model-1", "model-2"]) is None
    assert replacement("c.csv", set(), ["model-2"]) is None
    assert replacement("c.csv", {"model-1"}, []) is None


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    keep_exports(file, {"anna": export("model-1", 300.0)})
    assert last_exports(file) == {}
    (tmp_path / FILE).mkdir()
    keep_exports(tmp_path, {"anna": export("model-1", 300.0)})
    assert last_exports(tmp_path) == {}


def test_with_nothing_exported_nothing_is_written(tmp_path):
    keep_exports(tmp_path / "none", {})
    assert not (tmp_path / "none").exists()


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.just(10**400)
    | st.floats()
    | st.text(max_size=5)
    | st.just("2026-11-02"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["anna", "day", "gross_kcal", "model-1", "s0"]), inner, max_size=4)
    ),
    max_leaves=12,
)
KEPT = st.fixed_dictionaries({"anna": st.fixed_dictionaries({"day": JSON, "gross_kcal": JSON})})
LIKE_OURS = st.builds(
    lambda kcal: {"anna": {"day": "2026-11-02", "gross_kcal": {"model-1": {"s0": kcal}}}},
    JSON,
)


@given((JSON | KEPT | LIKE_OURS).map(lambda content: json.dumps(content).encode()) | st.binary(max_size=60))
def test_anything_may_stand_in_the_file(tmp_path_factory, content):
    folder = tmp_path_factory.getbasetemp()
    (folder / FILE).write_bytes(content)
    for then in last_exports(folder).values():
        change("anna", then, export("model-2", 300.0))
    keep_exports(folder, {"anna": export("model-2", 300.0)})
    assert last_exports(folder)["anna"] == export("model-2", 300.0)


def test_a_file_nested_beyond_reason_is_nothing(tmp_path):
    (tmp_path / FILE).write_text("[" * 100_000)
    assert last_exports(tmp_path) == {}


# --- `rowsync export calories` ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    command(folder, "demo")
    return folder


def command(folder, *arguments, **settings):
    """Run a command to its end; answer what it printed."""
    done = forked.run(["--data", str(folder), *map(str, arguments)], timeout=120, env=os.environ | settings)
    assert done.returncode == 0, done.stderr
    return done


def exported_by_an_older_model(folder):
    """Have the last export be by another model, of 10 % less."""
    last = last_exports(folder)["demo"]
    costs = [Cost(cost.session_id, "older", cost.gross_kcal * 0.9) for cost in last.costs()]
    keep_exports(folder, {"demo": Export.of(DAY, costs)})


def test_exporting_again_says_nothing_until_the_model_changes_and_then_once(data):
    (data / FILE).unlink(missing_ok=True)
    assert [command(data, "export", "calories").stderr for _ in range(2)] == ["", ""]
    exported_by_an_older_model(data)
    told = command(data, "export", "calories", "--by", "day").stderr
    assert told.startswith("1 session of demo, exported on 2026-11-02 by the energy model older, is by ")
    assert "+11.1 %" in told
    assert command(data, "export", "calories").stderr == ""


def test_replacing_a_file_of_another_model_says_so_once(data, tmp_path):
    path = tmp_path / "c.csv"
    command(data, "export", "calories", "-o", path)
    older = ledger_bytes(pd.read_csv(path).assign(energy_model="older"), "csv")
    path.write_bytes(older)
    assert "c.csv held figures by the energy model older" in command(data, "export", "calories", "-o", path).stderr
    path.write_bytes(older)
    exported_by_an_older_model(data)
    assert command(data, "export", "calories", "-o", path).stderr.count("older") == 1


def test_the_settings_say_whose_days_they_are(data, tmp_path):
    settings = tmp_path / "config.toml"
    offsets = []
    for zone in ("Asia/Kolkata", "America/St_Johns"):
        settings.write_text(f'[athletes.demo]\ntime_zone = "{zone}"\n')
        arguments = ("export", "calories", "--by", "session", "--format", "json")
        (row,) = json.loads(command(data, *arguments, ROWSYNC_CONFIG=str(settings)).stdout)
        offsets.append(row["started_at"][-6:])
    assert offsets[0] == "+05:30"
    assert offsets[1] in ("-03:30", "-02:30")


def test_an_export_before_the_first_session_has_headings_only(tmp_path):
    done = command(tmp_path / "none", "export", "calories")
    assert done.stdout.startswith("week,athlete,origin,machine,minutes,gross_kcal,")
    assert done.stdout.count("\n") == 1
    assert not (tmp_path / "none").exists()

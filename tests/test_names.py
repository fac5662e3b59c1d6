"""One quantity, one name, with its unit: from the wire to the column."""

from __future__ import annotations

import pyarrow as pa
import pytest

from rowsync.athlete import Athlete
from rowsync.energy import Energy
from rowsync.ftms import RowerData
from rowsync.guide import Cue
from rowsync.moment import Moment
from rowsync.plan import Piece
from rowsync.session import Gap, Interval, Session
from rowsync.strokes import Stroke
from rowsync.table import INDEX, SAMPLES
from rowsync.telemetry import Notification, Sample
from rowsync.training import Training

UNITS = (
    "_s",
    "_m",
    "_w",
    "_kcal",
    "_bpm",
    "_spm",
    "_met",
    "_s_per_500m",
    "_kg",
    "_cm",
    "_years",
    "_us",
    "_n",
    "_j",
    "_kj",
)
UNITS += ("_per_kg_min", "_per_h", "_per_min")
# Every machine counts its resistance as it likes; a drag factor is Concept2's own number, 1e-6 N m s^2.
WITHOUT_UNIT = {"resistance_level", "drag_factor", "share", "start_confidence", "interval_probability"}
WITHOUT_UNIT |= {"half_width", "energy_half_width", "load", "reads_high", "fade"}


@pytest.mark.parametrize(
    "kind", [Notification, Sample, Stroke, Interval, Gap, Energy, Session, Piece, Cue, Moment, Athlete, Training]
)
def test_every_number_of_a_public_value_carries_its_unit(kind):
    for name, type_of in kind.__annotations__.items():
        if "float" in str(type_of):
            assert name.endswith(UNITS) or name in WITHOUT_UNIT, f"{kind.__name__}.{name}"


@pytest.mark.parametrize("schema", [SAMPLES, INDEX])
def test_every_number_of_a_table_carries_its_unit(schema):
    for field in schema:
        if pa.types.is_floating(field.type):
            assert field.name.endswith(UNITS) or field.name in WITHOUT_UNIT


def test_a_sample_keeps_its_names_as_columns():
    assert SAMPLES.names == ["session_id", *Sample._fields]


def test_the_wire_speaks_the_specifications_words():
    assert {"instantaneous_power_w", "total_distance_m", "stroke_rate_spm"} < set(RowerData._fields)

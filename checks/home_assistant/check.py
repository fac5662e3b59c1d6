"""A real Home Assistant beside a real broker and a row over the virtual radio: what it shows, and when it is gone.

Run by `checks/home_assistant/run`, with Home Assistant's own Python.
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import paho.mqtt.client as paho
from homeassistant import bootstrap, runner
from homeassistant.core import HomeAssistant

PORT = 18839
EXPECTED = {
    "power": ("W", "power", "measurement"),
    "stroke_rate": ("spm", None, "measurement"),
    "pace_per_500_m": ("s", "duration", "measurement"),
    "distance": ("m", "distance", "total_increasing"),
    "session_energy": ("kcal", "energy", "total_increasing"),
    "energy_today": ("kcal", "energy", "total"),
    "lifetime_energy": ("kcal", "energy", "total_increasing"),
    "phase": (None, "enum", None),
    "interval_time_left": ("s", "duration", "measurement"),
    "rowing": (None, "moving", None),
}
"""Unit, class and state class of the entities, by the end of their ids."""

ENTRY = {
    "created_at": "2025-01-01T00:00:00+00:00",
    "data": {"broker": "127.0.0.1", "port": PORT, "discovery": True, "discovery_prefix": "homeassistant"},
    "disabled_by": None,
    "discovery_keys": {},
    "domain": "mqtt",
    "entry_id": "rowsync",
    "minor_version": 2,
    "modified_at": "2025-01-01T00:00:00+00:00",
    "options": {},
    "pref_disable_new_entities": False,
    "pref_disable_polling": False,
    "source": "user",
    "subentries": [],
    "title": "mqtt",
    "unique_id": None,
    "version": 1,
}


def prepared(home: Path) -> None:
    """A Home Assistant that knows nothing but its broker."""
    (home / ".storage").mkdir(parents=True)
    (home / "configuration.yaml").write_text("")
    entries = {"version": 1, "minor_version": 5, "key": "core.config_entries", "data": {"entries": [ENTRY]}}
    (home / ".storage" / "core.config_entries").write_text(json.dumps(entries))


def shown(hass: HomeAssistant) -> dict[str, tuple]:
    """The machine's entities: state, unit, class, state class."""
    rows = {}
    for state in hass.states.async_all():
        if "rower" in state.entity_id:
            said = (state.attributes.get(name) for name in ("unit_of_measurement", "device_class", "state_class"))
            rows[state.entity_id] = (state.state, *said)
    return rows


async def until(condition: Callable[[], object], within_s: float = 60.0) -> bool:
    """Wait for something."""
    for _ in range(round(within_s / 0.1)):
        if condition():
            return True
        await asyncio.sleep(0.1)
    return False


async def main(home: Path, python: str, data: str) -> int:
    """Row, look, kill, forget; answer how much was wrong."""
    prepared(home)
    wrong = []
    hass = await bootstrap.async_setup_hass(
        runner.RuntimeConfig(config_dir=str(home), skip_pip=True, recovery_mode=False)
    )
    await hass.async_start()
    row = ("row", "--virtual", "--plan", "2x10/10", "--no-sound", "--mqtt", f"mqtt://127.0.0.1:{PORT}", "--data", data)
    process = await asyncio.create_subprocess_exec(python, "-m", "rowsync", *row)
    rowing = await until(
        lambda: any(
            key.endswith("_power") and each[0] not in ("unknown", "unavailable", "0.0", "0")
            for key, each in shown(hass).items()
        )
    )
    if not rowing:
        wrong.append("no power was shown")
    await asyncio.sleep(3)
    entities = shown(hass)
    for entity, fields in sorted(entities.items()):
        print("  ", entity, *fields)
    for end, expected in EXPECTED.items():
        found = [fields for entity, fields in entities.items() if entity.endswith(f"_{end}")]
        if [tuple(fields[1:]) for fields in found] != [expected]:
            wrong.append(f"{end}: {found}, expected {expected}")
    process.send_signal(signal.SIGKILL)
    await process.wait()
    gone = await until(
        lambda: (
            shown(hass)
            and all(
                fields[0] == "unavailable"
                for entity, fields in shown(hass).items()
                if not entity.endswith(("_energy_today", "_lifetime_energy", "_last_session"))
            )
        ),
        20,
    )
    print("after kill -9:", sorted({fields[0] for fields in shown(hass).values()}))
    if not gone:
        wrong.append("it isn't unavailable after kill -9")
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", PORT)
    client.loop_start()
    told = await asyncio.to_thread((Path(data) / "mqtt" / "position.json").read_text)
    for name in json.loads(told)["machines"]:
        client.publish(f"homeassistant/device/rowsync_{name}/config", "", qos=1, retain=True)
    if not await until(lambda: not shown(hass), 20):
        wrong.append("it is still there after its discovery was cleared")
    print("after an empty configuration:", len(shown(hass)), "entities")
    client.loop_stop()
    print(f"{len(entities)} entities;", "all as they should be" if not wrong else "WRONG: " + "; ".join(wrong))
    await hass.async_stop(force=True)
    return len(wrong)


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)
    sys.exit(asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])))

"""Settings: flags first, then the environment (`ROWSYNC_*`), then a TOML file.

data = "/somewhere/else"          # where sessions lie
store = "s3://club/rowing"        # or on which other file system, for several computers (docs/scale.md)
athlete = "anna"                  # who rows unless --athlete says otherwise

[athletes.anna]                   # `rowsync athlete anna --mass 62 ...` writes it
birth_year = 1990
height_cm = 170
sex = "female"
time_zone = "Europe/Berlin"
weekly_aim_kcal = 900             # net, of rowing

[athletes.anna.mass_kg]           # or mass_kg = 62
2026-01-05 = 64.5
2026-10-01 = 62

[mqtt]                            # where `--mqtt` sends what is rowed
url = "mqtts://rowsync@home.local"
password_file = "~/.config/rowsync/mqtt-password"

[intervals_icu]                   # where `rowsync upload` sends sessions
key_file = "~/.config/rowsync/intervals-icu-key"
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

from rowsync.athlete import PLAUSIBLE, SEXES, TYPED, Athlete
from rowsync.days import day_of, zone
from rowsync.errors import UsageError
from rowsync.files import replacing
from rowsync.places import place
from rowsync.profile import Profile
from rowsync.wording import LONGEST_OUTSIDE_TEXT, outside_text


@dataclass(frozen=True, slots=True)
class Settings:
    """What the file says.

    Attributes:
        data: the data folder.
        store: the address of another file system where sessions lie; None for the data folder.
        athlete: who rows by default.
        athletes: everybody it knows, by name.
        mqtt: how a broker is reached, by `MQTT_KEYS`.
        intervals_icu: how that service is reached, by `INTERVALS_ICU_KEYS`.
    """

    data: Path
    store: str | None = None
    athlete: str = "me"
    athletes: dict[str, Profile] = field(default_factory=dict)
    mqtt: dict[str, Any] = field(default_factory=dict)
    intervals_icu: dict[str, Any] = field(default_factory=dict)

    def profile(self, name: str | None = None) -> Profile:
        """What is known of the athlete of that name (None: the default one); of a stranger, the name."""
        name = name or self.athlete
        return self.athletes.get(name) or Profile(name)

    def who(self, name: str | None, mass_kg: float | None) -> Athlete:
        """The athlete of that name (None: the default one) as of today, with a mass given on the spot [kg]."""
        profile = self.profile(name)
        athlete = profile.on(today(profile.time_zone))
        return replace(athlete, mass_kg=mass_kg, mass_from=TYPED) if mass_kg else athlete


def today(time_zone: str | None) -> date:
    """Which day it is in a time zone; None is this computer's."""
    return day_of(datetime.now(UTC), time_zone)


def config_path() -> Path:
    """Where the settings lie: `ROWSYNC_CONFIG`, or the platform's folder."""
    given = os.environ.get("ROWSYNC_CONFIG")
    return Path(given) if given else place("config") / "config.toml"


def runtime_path() -> Path:
    """Where this computer's programs of this person see each other, whether a session or a service started them."""
    return place("state") / "running"


# --- reading ----------------------------------------------------------------------------------------------------------


def read_settings(path: Path, may_be_absent: bool = False) -> Settings:
    """Read the settings; without a file they are empty, unless `ROWSYNC_CONFIG` names it.

    Args:
        path: the file.
        may_be_absent: it may, even where `ROWSYNC_CONFIG` names it: it is going to be written.

    Raises:
        UsageError: it isn't TOML, holds something unknown or nonsense, or is named and absent.
    """
    text = _content(path)
    if text is None and "ROWSYNC_CONFIG" in os.environ and not may_be_absent:
        raise UsageError(f"ROWSYNC_CONFIG names {path}, and there is no such file.")
    return _settings(path, _parsed(path, text or ""))


def _content(path: Path) -> str | None:
    """The text of a file, its line ends as they are; None where there is none."""
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> UsageError:
    return UsageError(f"The settings in {path} can't be read: {error}")


def _settings(path: Path, content: dict[str, Any]) -> Settings:
    _refuse_unknown(path, "", content, {"data", "store", "athlete", "athletes", "mqtt", "intervals_icu"})
    athletes = content.get("athletes", {})
    if not isinstance(athletes, dict):
        raise UsageError(f"In {path}, athletes are written as tables: [athletes.anna]")
    return Settings(
        data=_folder(path, _text(path, content, "data")),
        store=os.environ.get("ROWSYNC_STORE") or _text(path, content, "store"),
        athlete=_text(path, content, "athlete") or "me",
        athletes={name: _profile(path, name, table) for name, table in athletes.items()},
        mqtt=_service(path, "mqtt", content, MQTT_KEYS),
        intervals_icu=_service(path, "intervals_icu", content, INTERVALS_ICU_KEYS),
    )


MQTT_KEYS: Mapping[str, type] = {
    "url": str,
    "username": str,
    "password_file": str,
    "prefix": str,
    "machine": str,
    "discovery": bool,
    "discovery_prefix": str,
    "ca_file": str,
}
"""What `[mqtt]` may hold (docs/mqtt.md)."""


INTERVALS_ICU_KEYS: Mapping[str, type] = {"key_file": str, "url": str}
"""What `[intervals_icu]` may hold (docs/contract.md)."""


def _service(path: Path, name: str, content: dict[str, Any], keys: Mapping[str, type]) -> dict[str, Any]:
    """What is said of a service, in a table of its own."""
    table = content.get(name, {})
    if not isinstance(table, dict):
        raise UsageError(f"In {path}, {name} is written as a table: [{name}]")
    _refuse_unknown(path, f"{name}.", table, set(keys))
    for key, value in table.items():
        if not isinstance(value, keys[key]):
            raise UsageError(
                f"In {path}, {name}.{key} is {'true or false' if keys[key] is bool else 'a text in quotes'}."
            )
    return table


def _folder(path: Path, data: str | None) -> Path:
    try:
        return Path(data).expanduser() if data else place("data")
    except RuntimeError as error:
        raise UsageError(f"In {path}, data = {data!r} is no folder: {error}") from None


def _text(path: Path, content: dict[str, Any], key: str) -> str | None:
    value = content.get(key)
    if value is not None and not isinstance(value, str):
        raise UsageError(f"In {path}, {key} is a text in quotes.")
    return value


def _profile(path: Path, name: str, table: Any) -> Profile:
    if not isinstance(table, dict):
        raise UsageError(f"In {path}, athletes are written as tables: [athletes.{name}]")
    prefix = f"athletes.{name}."
    _refuse_unknown(path, prefix, table, set(KEYS))
    for key, value in table.items():
        if problem := nonsense(key, value):
            raise UsageError(f"In {path}, {prefix}{key} = {problem}")
    values = {key: value for key, value in table.items() if key != "mass_kg"}
    return Profile(name, masses_kg=_masses_kg(table.get("mass_kg", {})), **values)


def _refuse_unknown(path: Path, prefix: str, table: dict[str, Any], known: set[str]) -> None:
    if unknown := sorted(set(table) - known):
        raise UsageError(f"In {path}, {prefix}{unknown[0]} is unknown. Known are: {', '.join(sorted(known))}.")


def _masses_kg(said: Any) -> tuple[tuple[date, float], ...]:
    """Body masses and the day from which each holds; one without a day holds from the first of all."""
    entries = said if isinstance(said, dict) else {EVER: said}
    return tuple(sorted((date.fromisoformat(day), mass_kg) for day, mass_kg in entries.items()))


EVER = date.min.isoformat()
"""The day of a mass that has none."""


# --- what makes sense -------------------------------------------------------------------------------------------------


class Key(NamedTuple):
    """A key of an athlete's table.

    Attributes:
        makes_sense: whether a value does.
        meant: what would, in words.
    """

    makes_sense: Callable[[Any], bool]
    meant: str


def nonsense(key: str, value: Any) -> str | None:
    """Why a value can't stand behind a key of an athlete's table, in a sentence; None where it can."""
    return None if KEYS[key].makes_sense(value) else f"{value!r:.60} makes no sense: {KEYS[key].meant}."


def _number(meant: str, least: float, most: float) -> Key:
    def makes_sense(value: Any) -> bool:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and least <= value <= most

    return Key(makes_sense, meant.format(f"{least:g} to {most:g}"))


def _is_mass(value: Any) -> bool:
    entries = value if isinstance(value, dict) else {EVER: value}
    return all(_is_day(day) and MASS.makes_sense(mass_kg) for day, mass_kg in entries.items())


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text  # Python reads 20260105 too: a day would have two names
    except ValueError:
        return False


def _is_birth_year(value: Any) -> bool:
    return isinstance(value, int) and AGE.makes_sense(datetime.now(UTC).year - value)


def _is_zone(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(zone(value))
    except UsageError:
        return False


MASS = _number("body mass is {} kg", *PLAUSIBLE["mass_kg"])
AGE = _number("age is {} years", *PLAUSIBLE["age_years"])
KEYS = {
    "mass_kg": Key(_is_mass, f"{MASS.meant}, and the day from which one holds is written like 2026-01-05"),
    "birth_year": Key(_is_birth_year, f"it is a year such as 1990, and {AGE.meant}"),
    "age_years": AGE,
    "sex": Key(SEXES.__contains__, f"the formulas know {' and '.join(SEXES)}"),
    "time_zone": Key(_is_zone, "time zones are called like Europe/Berlin"),
    "height_cm": _number("height is {} cm", *PLAUSIBLE["height_cm"]),
    "vo2max_ml_per_kg_min": _number("highest oxygen uptake is {} mL/kg/min", *PLAUSIBLE["vo2max_ml_per_kg_min"]),
    "resting_heart_rate_bpm": _number("heart rate at rest is {} bpm", *PLAUSIBLE["resting_heart_rate_bpm"]),
    "max_heart_rate_bpm": _number("highest heart rate is {} bpm", *PLAUSIBLE["max_heart_rate_bpm"]),
    "max_power_w": _number("power held for six minutes is {} W", *PLAUSIBLE["max_power_w"]),
    "best_2k_s": _number("an all-out 2,000 m takes {} s, which is 5:00 to 16:40", 300, 1000),
    "critical_power_w": _number("critical power is {} W", *PLAUSIBLE["critical_power_w"]),
    "w_prime_kj": _number("W' is {} kJ", *PLAUSIBLE["w_prime_kj"]),
    "weekly_aim_kcal": _number("a week's aim is {} kcal", 1, 20_000),
}
"""The keys of an athlete's table."""


# --- writing ----------------------------------------------------------------------------------------------------------


def write_athlete(path: Path, name: str, known: Mapping[str, Any], since: date, default: bool = False) -> None:
    """Write what is known of an athlete into the settings; what else stands there stays, with its comments.

    Args:
        path: the file; made, with its folders, where there is none.
        name: the athlete, who may be new.
        known: values by the keys of the athlete's table; `mass_kg` is one number, and joins the history.
        since: the day from which that mass holds.
        default: the athlete rows by default from now on.

    Raises:
        UsageError: the file can't be read, or what would stand in it makes no sense. It is as it was.
        OSError: it can't be written. It is as it was.
    """
    import tomlkit  # takes longer than all else here, and is seldom needed
    from tomlkit.exceptions import TOMLKitError

    text = _content(path) or ""
    plain = _parsed(path, text)
    if name not in _settings(path, plain).athletes:
        refuse_name(name)
    _tell(plain, name, known, since, default)
    _settings(path, plain)
    with suppress(TOMLKitError, LookupError, TypeError, ValueError, AttributeError):  # it knows not every layout
        styled = tomlkit.parse(text)
        _tell(styled, name, known, since, default)
        text = tomlkit.dumps(styled)
    if _parsed(path, text) != plain:
        raise UsageError(
            f"{path} is laid out so that rowsync can't change it. Write athletes as tables there: [athletes.anna]"
        )
    with replacing(path.resolve()) as file:
        file.write(text.encode())


def refuse_name(name: str) -> None:
    """Refuse what no table, file or line on a screen should be called.

    Raises:
        UsageError: it shouldn't.
    """
    if not name.strip() or name != name.strip() or outside_text(name) != name or set(name) & set('."'):
        raise UsageError(
            f"{outside_text(name, 30)!r} can't be a new athlete's name: it has 1 to {LONGEST_OUTSIDE_TEXT} visible "
            "letters, no dots, no double quotes, and no spaces around it."
        )


def _tell(content: MutableMapping[str, Any], name: str, known: Mapping[str, Any], since: date, default: bool) -> None:
    """Change settings, as plain dictionaries or as TOML with its comments."""
    if default:
        content["athlete"] = name
    table = content.setdefault("athletes", {}).setdefault(name, {})
    values = {key: _short(value) for key, value in known.items()}
    entries = {since.isoformat(): values.pop("mass_kg")} if "mass_kg" in values else {}
    if entries and not isinstance(table.get("mass_kg", {}), dict):
        entries = {EVER: table.pop("mass_kg")} | entries
    for key in (REPLACED[key] for key in values if key in REPLACED):
        table.pop(key, None)
    with _before_its_tail(table):
        table.update(values)
        history = table.setdefault("mass_kg", {}) if entries else {}
    with _before_its_tail(history):
        history.update(entries)


REPLACED = {"best_2k_s": "max_power_w", "birth_year": "age_years"}
"""A key that says the same less directly, or less well, and which would contradict a new value."""


@contextmanager
def _before_its_tail(table: Any) -> Iterator[None]:
    """Add to a table above the comments and empty lines at its end, which speak of the next one."""
    body = getattr(getattr(table, "value", None), "body", [])
    tail: list[Any] = []
    while body and body[-1][0] is None:
        tail.insert(0, body.pop())
    yield
    body.extend(tail)


def _short(value: Any) -> Any:
    """A number as a person writes it: 62 rather than 62.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value

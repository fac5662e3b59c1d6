"""Settings: flags first, then the environment (`ROWSYNC_*`), then a TOML file.

data = "/somewhere/else"          # where sessions lie
athlete = "anna"                  # who rows unless --athlete says otherwise

[athletes.anna]
mass_kg = 62
height_cm = 170
age_years = 35
sex = "female"
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import platformdirs

from rowsync.athlete import PLAUSIBLE, Athlete
from rowsync.errors import UsageError


@dataclass(frozen=True, slots=True)
class Settings:
    """What the file says.

    Attributes:
        data: the data folder.
        athlete: who rows by default.
        athletes: everybody it knows, by name.
    """

    data: Path
    athlete: str = "me"
    athletes: dict[str, Athlete] = field(default_factory=dict)

    def who(self, name: str | None, mass_kg: float | None) -> Athlete:
        """The athlete of that name (None: the default one), with a mass given on the spot [kg]."""
        name = name or self.athlete
        athlete = self.athletes.get(name, Athlete(name))
        return replace(athlete, mass_kg=mass_kg) if mass_kg else athlete


def config_path() -> Path:
    """Where the settings lie: `ROWSYNC_CONFIG`, or the platform's folder."""
    given = os.environ.get("ROWSYNC_CONFIG")
    return Path(given) if given else platformdirs.user_config_path("rowsync") / "config.toml"


def read_settings(path: Path) -> Settings:
    """Read the settings; without a file they are empty, unless `ROWSYNC_CONFIG` names it.

    Raises:
        UsageError: it isn't TOML, holds something unknown, or is named and absent.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if "ROWSYNC_CONFIG" in os.environ:
            raise UsageError(f"ROWSYNC_CONFIG names {path}, and there is no such file.") from None
        content = {}
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"The settings in {path} can't be read: {error}") from None
    _refuse_unknown(path, "", content, {"data", "athlete", "athletes"})
    athletes = content.get("athletes", {})
    if not isinstance(athletes, dict):
        raise UsageError(f"In {path}, athletes are written as tables: [athletes.anna]")
    return Settings(
        data=_folder(path, _text(path, content, "data")),
        athlete=_text(path, content, "athlete") or "me",
        athletes={name: _athlete(path, name, table) for name, table in athletes.items()},
    )


def _folder(path: Path, data: str | None) -> Path:
    try:
        return Path(data).expanduser() if data else platformdirs.user_data_path("rowsync")
    except RuntimeError as error:
        raise UsageError(f"In {path}, data = {data!r} is no folder: {error}") from None


def _athlete(path: Path, name: str, table: Any) -> Athlete:
    known = {each.name for each in fields(Athlete)} - {"name"}
    if not isinstance(table, dict):
        raise UsageError(f"In {path}, athletes are written as tables: [athletes.{name}]")
    _refuse_unknown(path, f"athletes.{name}.", table, known)
    for key, value in table.items():
        if value not in ("female", "male") if key == "sex" else not _is_plausible(value, *PLAUSIBLE[key]):
            raise UsageError(f"In {path}, athletes.{name}.{key} = {value!r} makes no sense.")
    return Athlete(name, **table)


def _is_plausible(value: Any, least: float, most: float) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and least <= value <= most


def _text(path: Path, content: dict[str, Any], key: str) -> str | None:
    value = content.get(key)
    if value is not None and not isinstance(value, str):
        raise UsageError(f"In {path}, {key} is a text in quotes.")
    return value


def _refuse_unknown(path: Path, prefix: str, table: dict[str, Any], known: set[str]) -> None:
    if unknown := sorted(set(table) - known):
        raise UsageError(f"In {path}, {prefix}{unknown[0]} is unknown. Known are: {', '.join(sorted(known))}.")

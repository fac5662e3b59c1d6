"""Who rows, and what rowing costs them: `athlete` and `energy`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from rowsync.cli.access import current_settings, open_store
from rowsync.cli.options import Measure, athlete_option, json_option, mass_option, shared_options
from rowsync.cli.output import print_json, tell
from rowsync.errors import UsageError

if TYPE_CHECKING:
    from datetime import date

    from rowsync.config import Settings
    from rowsync.profile import Profile

EARLIEST_YEAR = 1900
"""Nobody whose mass is known from before rows with us."""


@click.command()
@click.argument("name", required=False, envvar="ROWSYNC_ATHLETE")
@click.option("--mass", "mass_kg", type=float, metavar="KG", help="Body mass; earlier masses stay for their days.")
@click.option("--on", metavar="DATE", help="With --mass: the day from which it holds, 2026-10-01 [default: today].")
@click.option("--born", "birth_year", type=int, metavar="YEAR", help="Year of birth.")
@click.option("--height", "height_cm", type=float, metavar="CM", help="Height.")
@click.option("--sex", metavar="female|male", help="As the formulas need it.")
@click.option("--max-heart-rate", "max_heart_rate_bpm", type=float, metavar="BPM", help="Highest measured rowing.")
@click.option("--resting-heart-rate", "resting_heart_rate_bpm", type=float, metavar="BPM", help="Heart rate at rest.")
@click.option("--vo2max", "vo2max_ml_per_kg_min", type=float, metavar="ML", help="Oxygen uptake in mL/kg/min.")
@click.option("--best-2k", "best_2k_s", metavar="M:SS", help="Time of an all-out 2,000 m.")
@click.option("--max-power", "max_power_w", type=float, metavar="W", help="Instead of a 2k: held for six minutes.")
@click.option("--critical-power", "critical_power_w", type=float, metavar="W", help="What can be held for long.")
@click.option("--w-prime", "w_prime_kj", type=float, metavar="KJ", help="Work to spend above critical power.")
@click.option("--time-zone", metavar="ZONE", help="Whose days count, Europe/Berlin [default: this computer's].")
@click.option("--weekly-aim", "weekly_aim_kcal", type=float, metavar="KCAL", help="Net energy of rowing in a week.")
@click.option("--default", "default", is_flag=True, help="Who rows unless --athlete says otherwise.")
@json_option
@shared_options
def athlete(name: str | None, on: str | None, default: bool, as_json: bool, **known: Any) -> None:
    """Show what is known of who rows, and what else would be good for; with options, write it into the settings.

    NAME is whom sessions are filed under. Without it everybody known is shown, and options are those of who rows by
    default.

    \b
    Examples:
      rowsync athlete
      rowsync athlete anna --mass 62 --born 1990 --height 170 --sex female --default
      rowsync athlete anna --mass 61 --on 2026-10-01
    """
    from rowsync.config import config_path, write_athlete

    if name is not None and not name.strip():
        raise UsageError(f"{name!r} can't be a new athlete's name: nothing is seen of it.")
    known = {key: value for key, value in known.items() if value is not None}
    changes = bool(known) or default or on is not None
    settings = current_settings(may_be_absent=changes)
    before = settings.profile(name)
    if changes:
        since = _checked(known, on, before)
        write_athlete(config_path(), before.name, known, since, default)
        tell(f"Written into {config_path()}.")
        settings = current_settings()
        open_store(settings)  # which reckons again what this changes
    shown = [before.name] if changes or name else settings.athletes or [settings.athlete]
    _show_athletes(settings, shown, as_json)


@click.command()
@click.option("--power", "power_w", type=Measure(0, 2000), required=True, metavar="W", help="Mean power.")
@click.option("--seconds", type=Measure(1, 86_400), default=1800, show_default=True, help="For how long.")
@click.option(
    "--watts",
    type=click.Choice(["measured", "machine", "pace"]),
    default="measured",
    show_default=True,
    help="Where the watts come from: a Concept2, an unknown machine, or pace.",
)
@click.option("--heart-rate", type=Measure(25, 240), metavar="BPM", help="For the formulas that need it.")
@athlete_option
@mass_option
@json_option
@shared_options
def energy(
    power_w: float,
    seconds: float,
    watts: str,
    heart_rate: float | None,
    athlete: str | None,
    mass: float | None,
    as_json: bool,
) -> None:
    """What a stretch of even rowing costs, with its 80 % range, beside what other formulas say.

    \b
    Examples:
      rowsync energy --power 100 --seconds 1800 --mass 75
      rowsync energy --power 60 --mass 60 --watts machine
    """
    from rowsync.energy import even_rowing

    reckoned = even_rowing(power_w, seconds, current_settings().who(athlete, mass), watts, heart_rate)
    if as_json:
        from dataclasses import asdict

        print_json(asdict(reckoned))
        return
    from rowsync.terminal import print_energy

    print_energy(reckoned)


def _checked(known: dict[str, Any], on: str | None, before: Profile) -> date:
    """The day from which a typed mass holds; refuses what makes no sense, by the option that it was typed behind."""
    from datetime import date

    from rowsync.config import nonsense, today
    from rowsync.corrections import typed_s

    if on is not None and "mass_kg" not in known:
        raise UsageError("--on goes with --mass: it is the day from which that mass holds.")
    if "best_2k_s" in known:
        known["best_2k_s"] = typed_s(known["best_2k_s"])
    for key, value in known.items():
        if problem := nonsense(key, value):
            raise UsageError(f"{_options()[key]} {problem}")
    now = today(known.get("time_zone", before.time_zone))
    try:
        since = now if on is None else date.fromisoformat(on)
    except ValueError:
        raise UsageError(f"--on {on!r:.40} is no day: type it as {now}.") from None
    if since.year < EARLIEST_YEAR or since > now:
        raise UsageError(f"--on {on} makes no sense: it is a day from {EARLIEST_YEAR} to today, {now}.")
    return since


def _options() -> dict[str, str]:
    """The options of this command by what they are called in the code."""
    return {str(each.name): each.opts[0] for each in click.get_current_context().command.params}


def _show_athletes(settings: Settings, names: Iterable[str], as_json: bool) -> None:
    from rowsync.config import today
    from rowsync.profile import profile_fields

    options, shown = _options(), []
    for profile in map(settings.profile, names):
        wants = [{"what": key, "option": options[key], "good_for": why} for key, why in profile.wants().items()]
        known = profile_fields(profile, today(profile.time_zone))
        shown.append(known | {"default": profile.name == settings.athlete, "unknown": wants})
    if as_json:
        print_json({"default": settings.athlete, "athletes": shown})
        return
    from rowsync.terminal import print_athlete

    for each in shown:
        print_athlete(each, settings.athlete)

"""Options that many commands share, and what they must not be combined with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from rowsync.athlete import PLAUSIBLE
from rowsync.errors import UsageError

if TYPE_CHECKING:
    from rowsync.plan import Plan


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    key = f"rowsync.{parameter.name}"
    typed = context.get_parameter_source(str(parameter.name)) is ParameterSource.COMMANDLINE
    if value not in (None, False) and (typed or key not in context.meta):
        context.meta[key] = value


def _data_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--data",
        type=click.Path(path_type=Path, file_okay=False),
        envvar="ROWSYNC_DATA",
        expose_value=False,
        callback=_remember,
        help="Folder of your journals, and sessions without `store` [default: the data folder, or ROWSYNC_DATA].",
    )(command)


def debug_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--debug`, for commands that need no sessions."""
    return click.option(
        "--debug", is_flag=True, expose_value=False, callback=_remember, help="Show the traceback of an error."
    )(command)


def shared_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command: `--data` and `--debug`, before or after its name."""
    return _data_option(debug_option(command))


class Name(click.types.StringParamType):
    """Somebody's name; octets that aren't UTF-8 become question marks, as in a recording."""

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> str:
        """The name as it can be written."""
        return super().convert(value, parameter, context).encode("utf-8", "replace").decode()


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
athlete_option = click.option(
    "--athlete", type=Name(), metavar="NAME", envvar="ROWSYNC_ATHLETE", help="Who rows [default: me]."
)


class Measure(click.FloatRange):
    """A measured number; "nan" is one to Python and none to us."""

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        """The number; refuses what is none."""
        number = super().convert(value, parameter, context)
        return number if number == number else self.fail(f"{value!r} is no number.", parameter, context)


kilograms = Measure(*PLAUSIBLE["mass_kg"])
mass_option = click.option(
    "--mass", type=kilograms, metavar="KG", envvar="ROWSYNC_MASS", help="Body mass, for the energy."
)
plan_option = click.option(
    "--plan",
    metavar="PLAN",
    help="What to row: 10x45/75, 5m + 8x500m/2mr + 5m, 20m@talk; a name or a file (see `rowsync plan`).",
)
seed_option = click.option("--seed", type=int, default=1, show_default=True, help="The virtual rower's dice.")
machine_option = click.option(
    "--machine",
    default="standard",
    show_default=True,
    metavar="NAME",
    help="Which machine the virtual rower sits on: standard, pace-only, viking, dropout, resetting, pm5, pm5-native, "
    "pm5-native-mux, mr-captain, kayakpro, joroto, waterrower, start-needed, ftms-only, disconnecting, switched-off, "
    "half-open, no-service-data, whipr, fitshow or keep-alive.",
)

VIRTUAL_ONLY = ("machine", "seed")
"""Options that mean nothing to a real rower."""


def refuse(options: Iterable[str], because: str) -> None:
    """Refuse options that would silently do nothing."""
    context = click.get_current_context()
    for option in options:
        if context.get_parameter_source(option) is ParameterSource.COMMANDLINE:
            raise UsageError(f"--{option.replace('_', '-')} {because}")


def refuse_virtual_only(virtual: bool, fast: bool) -> None:
    """Refuse what only a virtual rower can be told, unless it is one that rows."""
    if virtual:
        return
    if fast:
        raise UsageError("--fast goes with --virtual: nobody rows faster than time.")
    refuse(VIRTUAL_ONLY, "goes with --virtual.")


def parsed_plan(plan: str | None) -> Plan | None:
    """A plan by its text, its name or its file; None without one."""
    from rowsync.plan_file import option_plan

    return None if plan is None else option_plan(plan)

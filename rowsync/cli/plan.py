"""What to row, before it is rowed: `plan`."""

from __future__ import annotations

import click

from rowsync.cli.access import current_settings
from rowsync.cli.options import Name, json_option, shared_options
from rowsync.cli.output import print_json
from rowsync.errors import UsageError


@click.command()
@click.argument("plan", nargs=-1)
@click.option("--athlete", type=Name(), metavar="NAME", help="Say targets in this athlete's watts and heart rates.")
@click.option("--toml", "as_toml", is_flag=True, help="Print it as a plan file (docs/plans.md).")
@json_option
@shared_options
def plan(plan: tuple[str, ...], athlete: str | None, as_toml: bool, as_json: bool) -> None:
    """Show a plan before it is rowed: its picture, its pieces, and how long it takes.

    PLAN is what --plan takes: one as typed, the name of one, or a file. Without it, the plans that have a name are
    listed.

    \b
    Examples:
      rowsync plan
      rowsync plan intervals
      rowsync plan "3x(4x30/30)/3m"
      rowsync plan 8x500m@85%/2m --athlete anna
      rowsync plan pyramid --toml > mine.toml
    """
    if as_toml and as_json:
        raise UsageError("--toml and --json are two ways to print one thing: choose one.")
    if plan:
        _show(" ".join(plan), athlete, as_toml, as_json)
        return
    if as_toml or athlete:
        raise UsageError(f"{'--toml' if as_toml else '--athlete'} goes with a plan, such as: rowsync plan intervals")
    _list(as_json)


def _show(typed: str, athlete: str | None, as_toml: bool, as_json: bool) -> None:
    from rowsync.plan import plan_fields
    from rowsync.plan_file import option_plan, plan_toml

    shown = option_plan(typed)
    if athlete:
        shown = shown.for_athlete(current_settings().who(athlete, None))
    if as_toml:
        click.echo(plan_toml(shown), nl=False)
    elif as_json:
        print_json(plan_fields(shown))
    else:
        from rowsync.plan_picture import print_plan

        print_plan(shown)


def _list(as_json: bool) -> None:
    from rowsync.plan import NAMED_PLANS

    if as_json:
        print_json([{"name": name, "plan": each.text, "about": each.about} for name, each in NAMED_PLANS.items()])
        return
    from rowsync.plan_picture import print_named_plans

    print_named_plans(NAMED_PLANS)

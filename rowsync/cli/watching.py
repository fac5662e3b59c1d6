"""Unattended: `watch`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from rowsync.cli.access import current_settings
from rowsync.cli.company import company, company_options
from rowsync.cli.options import (
    athlete_option,
    machine_option,
    mass_option,
    parsed_plan,
    plan_option,
    refuse_virtual_only,
    seed_option,
    shared_options,
)
from rowsync.cli.rowing import DEMO_ATHLETE, DEMO_PLAN, plan_for, wishes_for


@click.command()
@plan_option
@click.option("--rower", metavar="NAME|ADDRESS", help="Which one (`rowsync scan`) [default: the last, or the nearest].")
@athlete_option
@mass_option
@click.option("--strap", metavar="NAME|ADDRESS", help="Heart-rate strap; any, none [default: the last one].")
@click.option("--virtual", is_flag=True, help="A virtual rower who rows --plan, to try it.")
@machine_option
@seed_option
@company_options
@click.option("--unit", is_flag=True, help="Print a systemd unit that watches with these options, and end.")
@shared_options
def watch(
    plan: str | None,
    rower: str | None,
    athlete: str | None,
    mass: float | None,
    strap: str | None,
    virtual: bool,
    machine: str,
    seed: int,
    unit: bool,
    **following: Any,
) -> None:
    """Wait for the rower to wake, record whatever is rowed, and go on waiting: for a box that nobody sits at.

    A session begins with the first stroke and ends when nobody has rowed for five minutes. Nothing is recorded while
    nobody rows, and a rower that is switched off is no error.

    \b
    Examples:
      rowsync watch
      rowsync watch --athlete anna --mqtt --lan
      rowsync watch --mqtt --unit > ~/.config/systemd/user/rowsync.service
    """
    refuse_virtual_only(virtual, fast=False)
    settings = current_settings()
    who = settings.who(athlete or (DEMO_ATHLETE if virtual else None), mass)
    wishes = wishes_for(
        settings,
        athlete=who,
        plan=plan_for(plan, who),
        rower=rower,
        strap=strap,
        origin="synthetic" if virtual else "hardware",
    )
    followers = company(settings, fast=False, **following)
    if unit:
        click.echo(_unit(sys.argv), nl=False)
        return
    from rowsync.live import Virtual, run_watch

    run_watch(wishes, Virtual(machine, seed, parsed_plan(plan or DEMO_PLAN)) if virtual else None, followers)


UNIT = """[Unit]
Description=rowsync records what is rowed
After=bluetooth.target network-online.target
Wants=network-online.target

[Service]
Type=exec
WorkingDirectory={folder}
{environment}ExecStart={command}
Restart=on-failure
RestartSec=5
KillSignal=SIGINT
TimeoutStopSec=60
MemoryMax=512M
NoNewPrivileges=yes

[Install]
WantedBy=default.target
"""


def _unit(arguments: Sequence[str]) -> str:
    """A systemd unit that runs this very command."""
    words = [sys.executable, "-m", "rowsync", *(word for word in arguments[1:] if word != "--unit")]
    set_here = [f"{name}={os.environ[name]}" for name in CARRIED if os.environ.get(name)]
    return UNIT.format(
        folder=_escaped(os.getcwd()),
        environment="".join(f"Environment={_quoted(each)}\n" for each in set_here),
        command=" ".join(map(_quoted, words)),
    )


CARRIED = ("ROWSYNC_DATA", "ROWSYNC_CONFIG", "ROWSYNC_ATHLETE", "ROWSYNC_MASS")
"""What of the environment a unit takes along: never a password."""


def _escaped(path: str) -> str:
    """A path as systemd reads it where it takes no quotes."""
    return path.replace("%", "%%")


def _quoted(word: str) -> str:
    """A word as systemd reads it (systemd.service(5)): quotes and backslashes hold, % and $ stand for something."""
    for special, instead in (("\\", "\\\\"), ('"', '\\"'), ("%", "%%"), ("$", "$$")):
        word = word.replace(special, instead)
    return f'"{word}"' if not word or set(word) & set(" \t;'\\\"") else word

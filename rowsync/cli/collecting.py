"""A gym's worth of rowers: `hub` and `collect`."""

from __future__ import annotations

import socket
from pathlib import Path

import click

from rowsync.cli.access import current_settings
from rowsync.cli.company import mqtt_settings
from rowsync.cli.options import shared_options
from rowsync.cli.output import tell

broker_option = click.option(
    "--mqtt", metavar="URL", help="The broker: mqtts://user@host [default: the settings' url]."
)


@click.command()
@broker_option
@click.option(
    "--name", help="What this hub is called, in topics and when something is told of it [default: the host's]."
)
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path, file_okay=False))
@shared_options
def hub(mqtt: str | None, name: str | None, folders: tuple[Path, ...]) -> None:
    """Send what is rowed here to a collector, as it is rowed, and whatever it lacks of earlier.

    Record as ever, with `rowsync watch`, a data folder for each rower; name these folders here. From the first start
    on, each session is kept in a folder `hub` there until the collector says that it has all of it: without broker or
    collector nothing is lost. This runs beside the recorders, and may be ended and started at any time.

    \b
    Examples:
      rowsync hub --mqtt mqtt://collector.local
      rowsync hub --mqtt mqtts://gym@collector.local --name left-wall /srv/rower-1 /srv/rower-2
    """
    from rowsync.hub import run_hub
    from rowsync.slug import slug

    settings = current_settings()
    run_hub(mqtt_settings(settings, mqtt), folders or (settings.data,), slug(name or _host()), tell)


@click.command()
@broker_option
@shared_options
def collect(mqtt: str | None) -> None:
    """Take the sessions of many hubs, and store each as its hub would have.

    A hub is answered only for what is on this computer's disk. A session is stored once its hub says that it is over;
    one that falls silent for a quarter of an hour is stored as far as it came, and again when the rest comes.

    \b
    Examples:
      rowsync collect --mqtt mqtt://localhost
      rowsync collect --mqtt mqtts://gym@collector.local --data /srv/gym
    """
    from rowsync.collector import run_collect

    settings = current_settings()
    run_collect(mqtt_settings(settings, mqtt), settings.data, tell)


def _host() -> str:
    return socket.gethostname().partition(".")[0] or "hub"

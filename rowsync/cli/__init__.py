"""The command line.  Everything heavy is imported inside the command that needs it, so that `--help` is quick.

Results go to standard output, everything else to standard error.  Exit codes: 0 done, 1 our bug, 2 usage, 3 no such
rower or session, 4 bad input file, 5 cannot write, 130 interrupted.

From the ground up:

- `options`: those that many commands share, and what they must not be combined with
- `output`: results, and sentences beside them
- `access`: the settings and the store
- `pages`: `report` and `dashboard`
- `company`: who follows a row besides the terminal
- `plan`: `plan`
- `rowing`: `demo`, `row` and `scan`
- `watching`: `watch`
- `qr`: links as QR codes
- `room`: `room`
- `stickers`: `stickers`
- `collecting`: `hub` and `collect`
- `sessions`: `sessions`, `show`, `correct`, `felt`, `replay`, `recover` and `past`
- `machines`: `decode`, `doctor` and `machines`
- `leaders`: `leaderboard`
- `rebuilding`: `rebuild` and `pack`
- `checking`: `check`
- `imports`: `import`
- `export`: `export session` and `export calories`
- `uploading`: `upload`
- `athletes`: `athlete` and `energy`
- `programme`: `programme`
"""

from __future__ import annotations

import io
import sys
from typing import Any, NoReturn

import click

from rowsync import __version__
from rowsync.cli import (
    athletes,
    checking,
    collecting,
    export,
    imports,
    leaders,
    machines,
    pages,
    plan,
    programme,
    rebuilding,
    room,
    rowing,
    sessions,
    stickers,
    uploading,
    watching,
)
from rowsync.cli.options import shared_options
from rowsync.cli.output import tell
from rowsync.errors import RowsyncError, StoreError

COMMANDS: tuple[click.Command, ...] = (
    rowing.demo,
    rowing.row,
    plan.plan,
    watching.watch,
    room.room,
    stickers.stickers,
    rowing.scan,
    sessions.sessions,
    sessions.show,
    sessions.correct,
    sessions.felt,
    sessions.replay,
    sessions.recover,
    sessions.past,
    machines.decode,
    machines.doctor,
    machines.machines,
    pages.report,
    pages.dashboard,
    export.export,
    uploading.upload,
    leaders.leaderboard,
    rebuilding.rebuild,
    rebuilding.pack,
    checking.check,
    imports.import_,
    athletes.athlete,
    athletes.energy,
    programme.programme,
    collecting.hub,
    collecting.collect,
)
"""In the order in which `--help` lists them."""


class _AsListed(click.Group):
    """A group whose help lists its commands in the order in which they came."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(self.commands)


def main() -> NoReturn:
    """Run the command line and end the process."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a letter gets a question mark
    code: Any
    try:
        code = cli.main(standalone_mode=False, prog_name="rowsync")
    except RowsyncError as error:
        _trace()
        tell(str(error))
        code = error.exit_code
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        tell("Stopped. What was recorded is safe; a session cut short is stored at the next start.")
        code = 130
    except OSError as error:
        _trace()
        tell(f"{error.filename or 'The output'} can't be used: {error.strerror or error}.")
        code = StoreError.exit_code
    except SystemExit as ended:  # click ends so when the reader of our output has had enough, which is no error
        code = 0 if type(sys.stdout).__name__.endswith("PacifyFlushWrapper") else ended.code
    except Exception as error:
        if _debug():
            raise
        tell(
            f"This is a mistake in rowsync, not yours: {type(error).__name__}: {error}\nNo recorded data is lost. Run "
            "the command again with --debug and report what it prints."
        )
        code = 1
    sys.exit(code or 0)


@click.group(cls=_AsListed, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="rowsync")
@shared_options
def cli() -> None:
    """Guides, records and explains indoor rowing from any Bluetooth rower.

    \b
    Try it without a rower:   rowsync demo
    Row intervals:            rowsync row --plan intervals --mass 75
    Look back:                rowsync show    rowsync dashboard
    """


for _command in COMMANDS:
    cli.add_command(_command)


def _trace() -> None:
    """Show where an error came from, to those who asked."""
    if _debug():
        import traceback

        traceback.print_exc()


def _debug() -> bool:
    return "--debug" in sys.argv

"""A code for each machine of a room: `stickers`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import click

from rowsync.cli.access import current_settings
from rowsync.cli.company import WEB_PORT, lan_address, lan_name, room_token
from rowsync.cli.options import Name, shared_options
from rowsync.cli.output import tell
from rowsync.errors import MachineNotFound, StoreError
from rowsync.wording import outside_text

DEFAULT_FILE = "stickers.html"


@click.command()
@click.argument("addresses", type=Name(), nargs=-1, metavar="[ADDRESS]...")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default=DEFAULT_FILE, show_default=True, help="Where to."
)
@click.option("--by-name", is_flag=True, help="The codes lead to this computer's name, and not to its address.")
@click.option("--web-port", type=click.IntRange(1, 65535), default=WEB_PORT, show_default=True, help="The room's port.")
@click.option("--seconds", type=click.FloatRange(1, 120), default=10.0, show_default=True, help="How long to listen.")
@shared_options
def stickers(addresses: Sequence[str], output: Path, by_name: bool, web_port: int, seconds: float) -> None:
    """Write a page of QR codes to print, one for each rower that is near or named by its ADDRESS.

    Who scans the code on a machine says on their phone who rows there, while `rowsync room --lan` runs on this
    computer. The codes hold the room's secret, and this computer's address in your network: let your router give it
    the same one always, or use --by-name.

    \b
    Examples:
      rowsync stickers
      rowsync stickers F0:0D:00:00:00:01 F0:0D:00:00:00:02 -o gym.html
      rowsync stickers --by-name
    """
    from dashboards.stickers import Sticker, sticker_sheet
    from rowsync.cli.qr import printed_code
    from rowsync.files import replacing

    computer = lan_name() if by_name else lan_address()
    token = room_token(current_settings().data)

    def sticker(name: str, address: str) -> Sticker:
        link = f"http://{computer}:{web_port}/claim/{quote(address, safe=':')}#{token}"
        return Sticker(name, address, printed_code(link))

    sheet = sticker_sheet([sticker(*each) for each in _rowers(addresses, seconds)], f"{computer}:{web_port}")
    try:
        with replacing(output) as file:
            file.write(sheet.encode())
    except OSError as error:
        raise StoreError(f"{output} can't be written ({error.strerror}). Choose another place with -o.") from None
    click.echo(output)
    if not by_name:
        tell(f"The codes lead to {computer}: they are good for as long as this computer has that address.")


def _rowers(addresses: Sequence[str], seconds: float) -> list[tuple[str, str]]:
    """The names and addresses of those that are named, or else heard within so many seconds."""
    from rowsync.live import run_scan

    if addresses:
        return [("Rower", each.strip()) for each in dict.fromkeys(addresses)]
    heard = [(outside_text(each.label), each.address) for each in run_scan(seconds)]
    if not heard:
        raise MachineNotFound(
            "No rower answered. Wake the machines (pull the handles), and try again; or name them by their addresses, "
            "as `rowsync scan` shows them: rowsync stickers F0:0D:00:00:00:01"
        )
    return sorted(heard)

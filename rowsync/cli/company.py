"""Who follows a row besides the terminal: sound, the live page, a broker."""

from __future__ import annotations

import secrets
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from rowsync.errors import StoreError, UsageError

if TYPE_CHECKING:
    from rowsync.config import Settings
    from rowsync.live import Company, Do, RoomCompany
    from rowsync.mqtt import MqttSettings
    from rowsync.room import Room
    from rowsync.room import RoomScreen as Onlooker
    from rowsync.room_screen import RoomScreen
    from rowsync.rowing import Reader
    from rowsync.rowing_screen import RowingScreen

WEB_PORT = 8766

PAGE_OPTIONS = (
    click.option("--web", is_flag=True, help="Show what goes on as a page on this computer."),
    click.option("--lan", is_flag=True, help="The page for phone, tablet or TV too: a link and a QR code are shown."),
    click.option("--web-port", type=click.IntRange(1, 65535), default=WEB_PORT, show_default=True, help="Its port."),
)

OPTIONS = (
    *PAGE_OPTIONS,
    click.option(
        "--mqtt",
        metavar="[URL]",
        is_flag=False,
        flag_value="",
        help="Tell an MQTT broker and Home Assistant: mqtts://user@host [default: the settings' url].",
    ),
    click.option("--sound/--no-sound", default=True, help="Beep three, two, one and what begins. [default: sound]"),
    click.option("--voice", is_flag=True, help="Say it too, where the computer can speak."),
)


def company_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of commands that record."""
    return _with(OPTIONS, command)


def page_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a page alone."""
    return _with(PAGE_OPTIONS, command)


def _with(options: Sequence[Callable[..., Any]], command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(options):
        command = option(command)
    return command


def company(
    settings: Settings,
    *,
    fast: bool,
    web: bool,
    lan: bool,
    web_port: int,
    mqtt: str | None,
    sound: bool,
    voice: bool,
) -> list[Company]:
    """Who follows the row, as the options ask.

    Raises:
        UsageError: they make no sense, or the broker's settings don't.
    """
    if fast:
        _refuse_fast(web=web, lan=lan, mqtt=mqtt is not None, voice=voice)
        return []
    is_shown = page_is_wanted(web, lan)
    followers: list[Company] = []
    if sound or voice:
        followers.append(_sound(sound, voice))
    if is_shown:
        followers.append(_page(live_token(settings.data), web_port, lan))
    if mqtt is not None:
        followers.append(_broker(mqtt_settings(settings, mqtt or None), settings.data))
    return followers


def _refuse_fast(**asked: bool) -> None:
    for name, is_asked in asked.items():
        if is_asked:
            raise UsageError(f"--{name} needs a row at a rower's speed: leave --fast out.")


# --- sound ------------------------------------------------------------------------------------------------------------


def _sound(beeps: bool, voice: bool) -> Company:
    @asynccontextmanager
    async def come(do: Do, screen: RowingScreen) -> AsyncIterator[Reader]:
        from rowsync.sound import Sound

        with Sound(beeps=beeps, voice=voice, say=screen.say, bell=screen.bell) as reader:
            yield reader

    return come


# --- the live page ----------------------------------------------------------------------------------------------------


def live_token(folder: Path) -> str:
    """The secret of the live page's link; it stays the same, so that a bookmark on a tablet does.

    Raises:
        StoreError: it can't be kept.
    """
    return _token(folder, "live-token")


def room_token(folder: Path) -> str:
    """The secret of the room page's link, another one: stickers show it to everybody, and it leads nobody's row.

    Raises:
        StoreError: it can't be kept.
    """
    return _token(folder, "room-token")


def _token(folder: Path, name: str) -> str:
    from rowsync.files import replacing

    path = folder / name
    with suppress(OSError, UnicodeDecodeError):
        kept = path.read_text().strip()
        if len(kept) >= 22 and kept.isascii():
            return kept
    token = secrets.token_urlsafe(16)
    try:
        with replacing(path) as file:
            file.write(token.encode())
    except OSError as error:
        raise StoreError(f"{folder} can't be written ({error.strerror}). Choose another folder with --data.") from None
    return token


def _page(token: str, port: int, lan: bool) -> Company:
    @asynccontextmanager
    async def come(do: Do, screen: RowingScreen) -> AsyncIterator[Reader]:
        from dashboards.live import open_live_page

        place = _place(screen, port, lan, lambda link: screen.say(f"Live page: {link}"))
        async with open_live_page(do, token=token, **place) as page:
            yield page

    return come


def room_page(token: str, port: int, lan: bool) -> RoomCompany:
    """The page of a room, for this computer or for its network."""

    @asynccontextmanager
    async def come(room: Room, screen: RoomScreen) -> AsyncIterator[Onlooker]:
        from dashboards.room import open_room_page

        place = _place(screen, port, lan, lambda link: screen.keep(f"Room page: {link}"))
        async with open_room_page(room, token=token, **place) as page:
            yield page

    return come


def _place(screen: RowingScreen, port: int, lan: bool, tell: Callable[[str], None]) -> dict[str, Any]:
    """Where a page is served, under which names, and how its link is told, as a picture too for those of a network."""
    from dashboards.web import LOOPBACK_HOSTS
    from rowsync.cli.qr import terminal_code

    names = (lan_address(), socket.gethostname(), lan_name()) if lan else ()

    def announce(link: str) -> None:
        tell(link)
        if lan:
            screen.say(terminal_code(link))

    return {
        "host": "0.0.0.0" if lan else "127.0.0.1",
        "port": port,
        "allowed_hosts": (*names, *LOOPBACK_HOSTS),
        "announce": announce,
    }


def page_is_wanted(web: bool, lan: bool) -> bool:
    """Whether a page is to be served.

    Raises:
        UsageError: a port is typed, and no page asked for.
    """
    port_typed = click.get_current_context().get_parameter_source("web_port") is ParameterSource.COMMANDLINE
    if port_typed and not (web or lan):
        raise UsageError("--web-port goes with --web or --lan.")
    return web or lan


def lan_address() -> str:
    """This computer's address on the local network.

    Raises:
        UsageError: it has none.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address of nobody's (RFC 5737); nothing is sent
            return str(probe.getsockname()[0])
        except OSError:
            raise UsageError("This computer is on no network, so nobody else can be shown a page of its.") from None


def lan_name() -> str:
    """This computer's name on the local network, by mDNS (RFC 6762)."""
    return f"{socket.gethostname()}.local"


# --- the broker -------------------------------------------------------------------------------------------------------


def mqtt_settings(settings: Settings, url: str | None) -> MqttSettings:
    """How the broker is reached: the option, then the settings, and the password from the environment or its file.

    Raises:
        UsageError: nobody says where it is, or it makes no sense.
    """
    from rowsync.mqtt import PASSWORD, MqttSettings
    from rowsync.secret import named_file, read_secret

    table = dict(settings.mqtt)
    password_file = table.pop("password_file", None)
    where = url or table.pop("url", None)
    table.pop("url", None)
    if where is None:
        raise UsageError('Say where the broker is: --mqtt mqtt://host, or url = "mqtts://user@host" below [mqtt].')
    ca_file = table.pop("ca_file", None)
    return MqttSettings(
        url=where,
        password=read_secret("the MQTT password", PASSWORD, named_file("mqtt", "password_file", password_file)),
        ca_file=named_file("mqtt", "ca_file", ca_file),
        **table,
    )


def _broker(settings: MqttSettings, folder: Path) -> Company:
    @asynccontextmanager
    async def come(do: Do, screen: RowingScreen) -> AsyncIterator[Reader]:
        from rowsync.mqtt import open_mqtt
        from rowsync.remembered import remembered

        rower = remembered(folder).rower
        machine = rower.name if rower else None
        async with open_mqtt(do, settings, folder=folder, say=screen.say, machine=machine) as reader:
            yield reader

    return come

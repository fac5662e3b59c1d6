"""What may be asked for while a row goes on: from the page, from a key, over MQTT.

A command is a JSON object such as `{"command": "extend", "seconds": 30}`; a bare word (`next`) is one without details.
Whoever sends it, it becomes a note in the session's one stream, is journalled as such, and leads the guide from there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from rowsync.errors import UsageError
from rowsync.guide import BEGIN, EXTEND, MOST_EXTENSION, NEXT, PLAN
from rowsync.plan import parse_plan
from rowsync.telemetry import STOP
from rowsync.wording import outside_text

LARGEST_BYTES = 8192

START = "start"

COMMANDS: Mapping[str, Mapping[str, type]] = {
    START: {"plan": str},
    NEXT: {},
    EXTEND: {"seconds": float, "metres": float},
    STOP: {},
}
"""Every command, with the details that it may have."""


@dataclass(frozen=True, slots=True)
class Command:
    """Something that is asked for.

    Attributes:
        name: one of `COMMANDS`.
        details: checked.
    """

    name: str
    details: Mapping[str, Any] = field(default_factory=dict)


class Led(Protocol):
    """What a command is carried out on: a connection."""

    def tell(self, event: str, **details: Any) -> None:
        """Put a note into the stream."""


def read_command(content: bytes | str) -> Command:
    """Read a command from what somebody sent.

    Raises:
        UsageError: it is none; the message says what there is.
    """
    if len(content) > LARGEST_BYTES:
        raise UsageError("A command is no longer than a few words.")
    try:
        text = content.decode() if isinstance(content, bytes) else content
        asked = {"command": text.strip()} if text.strip() in COMMANDS else json.loads(text)
    except (ValueError, RecursionError):
        raise _unknown(content) from None
    if not isinstance(asked, dict) or asked.get("command") not in tuple(COMMANDS):
        raise _unknown(content)
    name = asked.pop("command")
    return Command(name, {key: _detail(name, key, value) for key, value in asked.items()})


@dataclass(frozen=True, slots=True)
class Claim:
    """Who is to row where, in a room.

    Attributes:
        name: the person's; None makes the lane free.
        lane: the lane's number; None where the rower is told by its address.
        address: the rower's.
    """

    name: str | None
    lane: int | None = None
    address: str = ""


def read_claim(content: bytes) -> Claim:
    """Read a claim, such as `{"lane": 3, "name": "anna"}` or `{"address": "F0:0D:00:00:00:03", "name": null}`.

    Raises:
        UsageError: it is none; the message says what one looks like.
    """
    try:
        asked = json.loads(content) if len(content) <= LARGEST_BYTES else None
    except (ValueError, RecursionError):
        asked = None
    if isinstance(asked, dict) and len(asked) == 2 and isinstance(asked.get("name", 0), str | None):
        lane, address = asked.get("lane"), asked.get("address")
        if isinstance(lane, int) and not isinstance(lane, bool):
            return Claim(asked["name"], lane)
        if isinstance(address, str):
            return Claim(asked["name"], address=address)
    raise UsageError('A claim is a lane or an address, and a name: {"lane": 3, "name": "anna"}.')


def read_begin(content: bytes) -> Command:
    """Read the one command that everybody in a room may give: that all begin the plan.

    Raises:
        UsageError: it is another, or none.
    """
    command = read_command(content)
    if command != Command(START):
        raise UsageError(f"From here a room can only be told to {START}. Lead it otherwise at its computer.")
    return command


def carry_out(command: Command, led: Led) -> None:
    """Do what is asked for."""
    if command.name == START and "plan" in command.details:
        led.tell(PLAN, text=command.details["plan"])
    else:
        led.tell(BEGIN if command.name == START else command.name, **command.details)


def _detail(name: str, key: str, value: Any) -> Any:
    kind = COMMANDS[name].get(key)
    if kind is None:
        known = ", ".join(COMMANDS[name]) or "none"
        raise UsageError(f"The command {name} has no detail {outside_text(key)!r}; it takes: {known}.")
    if kind is str and isinstance(value, str):
        return parse_plan(value).text
    if (
        kind is float
        and isinstance(value, (int, float))
        and not isinstance(value, bool)
        and 0 < value <= MOST_EXTENSION
    ):
        return float(value)
    raise UsageError(f"The command {name} can't take {outside_text(value)!r} for {key}.")


def _unknown(content: bytes | str) -> UsageError:
    text = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
    return UsageError(f'There is no command {outside_text(text)!r}. Send {{"command": "next"}}; {_ALL}.')


_ALL = "there are " + ", ".join(COMMANDS)

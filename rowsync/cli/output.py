"""What a command says: results on standard output, everything else on standard error."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import click


def tell(text: str) -> None:
    """Say a sentence on standard error."""
    with suppress(OSError):  # nobody may be listening
        click.echo(text, err=True)


def print_json(document: Any) -> None:
    """Print one JSON document."""
    import json

    click.echo(json.dumps(document, indent=2, allow_nan=False))


def print_summary(summary: dict[str, Any], as_json: bool) -> None:
    """Print what is known of a session."""
    if as_json:
        print_json(summary)
        return
    from rowsync.terminal import print_session

    print_session(summary)

"""Plans as files, and however else one is named: `intervals`, `pyramid.toml`, `10x45/75`.

name = "pyramid"                            # both may be left out
about = "Up to 3 min and down again."

plan = "5m + 1m,2m,3m,2m,1m/1m + 5m"        # as one types it; or as tables:

[[pieces]]
length = "5m"

[[pieces]]
repeat = 2
length = ["1m", "2m", "1m"]
target = ["24spm", "85%"]
then = "1mr"

Either becomes text in the language of `rowsync.plan` and is read from that, so that a recording's header holds it all.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from rowsync.errors import UsageError
from rowsync.intervals import Effort
from rowsync.plan import (
    EFFORT_WORDS,
    MOST_DEPTH,
    MOST_PIECES,
    Part,
    Plan,
    Term,
    easy_part,
    length_text,
    parse_plan,
    plan_text,
    terms_of,
    work_parts,
)
from rowsync.target import target_text
from rowsync.wording import outside_text

ENDING = ".toml"
MOST_BYTES = 1 << 14
"""No plan that somebody wrote is longer; Python's reader takes seconds for a few times as many dots in a key."""

KEYS = ("plan", "pieces", "name", "about")
WORK = ("length", "effort", "target")
THEN = ("then", "then_effort", "then_target")
PIECE_KEYS = ("repeat", *WORK, *THEN, "pieces")

_Found = TypeVar("_Found")


def option_plan(text: str) -> Plan:
    """The plan that somebody means: a file that ends in `.toml`, a named plan, or one as typed.

    Raises:
        UsageError: it is none of them.
    """
    typed = text.strip()
    return read_plan(Path(typed)) if typed.casefold().endswith(ENDING) else parse_plan(text)


# --- reading ----------------------------------------------------------------------------------------------------------


def read_plan(path: Path) -> Plan:
    """Read a plan from a TOML file.

    Raises:
        UsageError: there is no such file, or it is no plan; the message names the file and the key.
    """
    content = _content(path)
    try:
        return _plan(content)
    except UsageError as error:
        raise UsageError(f"In {_shown(path)}, {error}") from None


def _content(path: Path) -> dict[str, Any]:
    try:
        if not path.is_file():  # a pipe would never end
            what = "is a folder" if path.is_dir() else "isn't a file that can be read" if path.exists() else "is absent"
            raise UsageError(f"{_shown(path)} {what}: a plan's file is a text such as docs/plans.md shows.")
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise UsageError(f"{_shown(path)} is too long for a plan: {MOST_BYTES // 1024} KiB at most.")
        return tomllib.loads(content.decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        why = outside_text(getattr(error, "strerror", None) or error)
        raise UsageError(f"{_shown(path)} can't be read as TOML: {why}") from None


def _plan(content: Mapping[str, Any]) -> Plan:
    _refuse_unknown("", content, KEYS)
    if ("plan" in content) == ("pieces" in content):
        raise UsageError('there is either plan = "..." or [[pieces]].')
    text = _text("plan", content) if "plan" in content else plan_text(_terms("pieces", content["pieces"], 0))
    plan = _read("plan" if "plan" in content else "pieces", parse_plan, text)
    name, about = (_text(key, content) if key in content else getattr(plan, key) for key in ("name", "about"))
    return replace(plan, name=name, about=about)


def _read(key: str, read: Callable[[str], _Found], text: str) -> _Found:
    """What a text says; where it can't be read, the key is named."""
    try:
        return read(text)
    except UsageError as error:
        raise UsageError(f"{key}: {error}") from None


def _terms(key: str, tables: Any, depth: int) -> tuple[Term, ...]:
    if depth > MOST_DEPTH:
        raise UsageError(f"pieces stand in pieces at most {MOST_DEPTH} deep.")
    if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
        raise UsageError(f"{key} are written as tables: [[{key}]]")
    return tuple(_term(f"{key}[{number}]", table, depth) for number, table in enumerate(tables, start=1))


def _term(key: str, table: Mapping[str, Any], depth: int) -> Term:
    _refuse_unknown(f"{key}.", table, PIECE_KEYS)
    if ("length" in table) == ("pieces" in table):
        raise UsageError(f'{key} has either a length, such as "45s", or pieces of its own.')
    for needed, *others in (WORK, THEN):
        for other in others:
            if other in table and needed not in table:
                raise UsageError(f"{key}.{other} goes with {needed}.")
    repeat = _repeat(key, table)
    easy = _read(f"{key}.then", easy_part, _typed(key, table, *THEN)) if "then" in table else None
    if "pieces" in table:
        return Term(repeat, group=_terms(f"{key}.pieces", table["pieces"], depth + 1), easy=easy)
    parts = _read(f"{key}.length", work_parts, _typed(key, table, *WORK))
    if len(parts) == 1:
        is_round = easy is not None or isinstance(table["length"], list)
        return Term(repeat or (1 if is_round else None), parts, easy=easy)
    rounds = Term(parts=parts, easy=easy)
    return Term(repeat, group=(rounds,)) if repeat else rounds


def _repeat(key: str, table: Mapping[str, Any]) -> int | None:
    repeat = table.get("repeat")
    if repeat is not None and (type(repeat) is not int or not 0 < repeat <= MOST_PIECES):
        raise UsageError(f"{key}.repeat is a whole number from 1 to {MOST_PIECES}.")
    return repeat


def _typed(key: str, table: Mapping[str, Any], length: str, effort: str, target: str) -> str:
    """A length with what is said of it, as one would type it; whoever reads it refuses what makes no sense."""
    said = [_effort(f"{key}.{effort}", table[effort])] if effort in table else []
    targets = _texts(f"{key}.{target}", table[target]) if target in table else []
    lengths = _texts(f"{key}.{length}", table[length])
    if length == "then" and len(lengths) > 1:
        raise UsageError(f'{key}.then is one length, such as "75s", or "2mr" for a rest.')
    return ",".join(lengths) + "".join(f"@{each.lstrip('@ ')}" for each in (*said, *targets))


def _effort(key: str, effort: Any) -> str:
    if not isinstance(effort, str) or effort.lower() not in EFFORT_WORDS:
        raise UsageError(f"{key} is one of {', '.join(Effort)}.")
    return effort


def _texts(key: str, value: Any) -> list[str]:
    """A text or several; a plain number is one of seconds."""
    values = value if isinstance(value, list) else [value]
    texts = [str(each) if type(each) in (int, float) else each for each in values]
    if not texts or not all(isinstance(each, str) and each.strip() for each in texts):
        raise UsageError(f"{key} is a text in quotes, or a list of them.")
    return texts


def _text(key: str, content: Mapping[str, Any]) -> str:
    text = content[key]
    if not isinstance(text, str) or not text.strip():
        raise UsageError(f"{key} is a text in quotes.")
    return text


def _refuse_unknown(prefix: str, table: Mapping[str, Any], known: Sequence[str]) -> None:
    if unknown := sorted(set(table) - set(known)):
        raise UsageError(f"{prefix}{outside_text(unknown[0])} is unknown. Known are: {', '.join(known)}.")


def _shown(path: Path) -> str:
    return outside_text(path, 200)


# --- writing ----------------------------------------------------------------------------------------------------------


def plan_toml(plan: Plan) -> str:
    """A plan as a file that `read_plan` reads as the same pieces."""
    named = {"name": plan.name, "about": plan.about}
    head = "".join(f"{key} = {_quoted(value)}\n" for key, value in named.items() if value)
    return "\n".join(([head] if head else []) + list(_tables("pieces", terms_of(plan))))


def _tables(key: str, terms: Sequence[Term]) -> Iterator[str]:
    for term in terms:
        pairs = "".join(f"{name} = {_toml(value)}\n" for name, value in _pairs(term) if value)
        yield f"[[{key}]]\n{pairs}"
        yield from _tables(f"{key}.pieces", term.group)


def _pairs(term: Term) -> Iterator[tuple[str, Any]]:
    """The keys of a term's table, in the order in which a person would write them."""
    yield "repeat", term.repeat
    if term.parts:
        yield from _of_parts(term.parts)
    if term.easy is not None:
        rests = "r" if term.easy.effort is Effort.REST else ""
        yield "then", length_text(term.easy) + rests
        yield "then_effort", None if term.easy.effort in (Effort.EASY, Effort.REST) else str(term.easy.effort)
        yield "then_target", [target_text(target) for target in term.easy.targets]


def _of_parts(parts: Sequence[Part]) -> Iterator[tuple[str, Any]]:
    if len({(part.effort, part.targets) for part in parts}) > 1:
        yield "length", [_alone(part) for part in parts]
        return
    lengths = [length_text(part) for part in parts]
    yield "length", lengths if len(lengths) > 1 else lengths[0]
    yield "effort", str(parts[0].effort) if parts[0].effort else None
    yield "target", [target_text(target) for target in parts[0].targets]


def _alone(part: Part) -> str:
    """A part with what is said of it, as it is typed."""
    return plan_text([Term(parts=(part,))])


def _toml(value: int | str | Sequence[str]) -> str:
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _quoted(value)
    return _quoted(value[0]) if len(value) == 1 else f"[{', '.join(map(_quoted, value))}]"


def _quoted(text: str) -> str:
    """A text in TOML's quotes; what can't be written in UTF-8 is a question mark."""
    plain = text.encode("utf-8", "replace").decode().replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(letter if letter.isprintable() else f"\\U{ord(letter):08x}" for letter in plain) + '"'

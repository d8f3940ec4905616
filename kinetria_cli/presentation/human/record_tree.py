"""One record for people: its fields, then as a tree what hangs on it, then where to look next."""

import json
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from kinetria_cli.domain.constants import SECRET_FIELDS
from kinetria_cli.domain.entities import AuditLog, RefreshToken, SetRecord, User
from kinetria_cli.domain.trails import ExerciseTotals, ExerciseUse, SetTotals, WorkoutTotals
from kinetria_cli.presentation.branches import Figure, Node, draw
from kinetria_cli.presentation.screen import Screen
from kinetria_cli.presentation.text import Whole, moment, one_line
from kinetria_cli.usecases.lookup import brief, label
from kinetria_cli.usecases.tree import DEPTHS, Branch, RecordShown, Related

MAX_TEXT = 200
"""Characters of a field that are shown; --json has all."""

MAX_CELL = 60
MIN_ROOM = 20
ID_DIGITS = 16
"""What an id is shortened to in a line of the tree; `kinetria inspect` takes it. Ids of version 7 begin with the time,
and those of a seed with the user: eight digits would be the same for all records of a user."""


def render(result: RecordShown, screen: Screen) -> None:
    """Print a record for people."""
    width = max(len(field.name) for field in fields(result.item)) + 2
    for field in fields(result.item):
        secret = field.name in SECRET_FIELDS
        value = getattr(result.item, field.name)
        if secret and not result.reveal:
            value = "present" if value else "absent"
        for number, line in enumerate(_lines(value, max(screen.width - width, MIN_ROOM), whole=secret)):
            screen.line(f"{'' if number else field.name:<{width}}{line}")
    table = result.entity.replace("-", "_")
    if result.related:
        screen.line()
        draw(_SECTIONS[table](result.related), screen)
    screen.line()
    for command in _next_commands(table, result):
        screen.line(f"  kinetria inspect {command}")


def _lines(value: object, room: int, *, whole: bool) -> Sequence[str]:
    if isinstance(value, str) and not whole and len(value) > MAX_TEXT:
        value = f"{value[:MAX_TEXT]}... ({len(value):,} characters)"
    text = one_line(_text(value))
    return [text] if whole else textwrap.wrap(text, room, break_on_hyphens=False) or [""]


def _text(value: object) -> object:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, Mapping):
        text = json.dumps(value, ensure_ascii=False)
        return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}... ({len(text):,} characters)"
    return value


# The sections of each entity


def _of_user(related: Mapping[str, Any]) -> list[Node]:
    tokens, live = related["refresh_tokens"], related["live_tokens"]
    in_all = "" if tokens.total == live.total else f", {tokens.total:,} in all"
    return [
        Node(("sets", _totals(related["totals"]))),
        Node(("workouts", _count(related["workouts"])), [_workout(found) for found in related["workouts"].items]),
        Node(("sessions", _count(related["sessions"])), [_session(found) for found in related["sessions"].items]),
        Node(("live tokens", f"{_count(live)}{in_all}"), [_token(found) for found in live.items]),
        Node(("audit trail", _count(related["audit_log"])), [_audit(found) for found in related["audit_log"].items]),
    ]


def _of_workout(related: Mapping[str, Any]) -> list[Node]:
    return [
        _parent("user", related["user"]),
        Node(("sessions", _count(related["sessions"])), [_session(found) for found in related["sessions"].items]),
    ]


def _of_exercise(related: Mapping[str, Any]) -> list[Node]:
    use: ExerciseUse = related["totals"]
    sets = related["set_records"]
    return [
        Node(("sessions", _span(use))),
        Node(("users", f"{use.users:,}")),
        Node(("heaviest", _weight(use.heaviest_kg))),
        Node(("sets", _count(sets)), [_set_of_exercise(found) for found in sets.items]),
    ]


def _of_session(related: Mapping[str, Any]) -> list[Node]:
    sets = related["set_records"]
    cut = f", the newest {len(sets.items)} are shown" if len(sets.items) < sets.total else ""
    return [
        _parent("user", related["user"]),
        _parent("workout", related["workout"]),
        Node(("sets", f"{_totals(related['totals'])}{cut}"), _exercises(related)),
    ]


def _of_parents(related: Mapping[str, Any]) -> list[Node]:
    return [_parent(name, record) for name, record in related.items()]


_SECTIONS: dict[str, Callable[[Mapping[str, Any]], list[Node]]] = {
    "users": _of_user,
    "workouts": _of_workout,
    "exercises": _of_exercise,
    "sessions": _of_session,
    "set_records": _of_parents,
    "refresh_tokens": _of_parents,
    "audit_log": _of_parents,
}


# The lines of one record each


def _parent(name: str, record: Any) -> Node:
    if record is None:
        return Node((name, "is not there: kinetria db check"))
    return Node((name, f"{brief(label(record), MAX_CELL)}", Whole(record.id)))


def _workout(branch: Branch) -> Node:
    workout = branch.item
    totals: WorkoutTotals = branch.related["totals"]
    sessions: Related | None = branch.related.get("sessions")
    last = Whole(f"last {moment(totals.last_started_at)}" if totals.last_started_at else "never done")
    cells = (_id(workout), brief(workout.name), workout.status, _part(sessions, totals.sessions, "session"), last)
    return Node(cells, [_session(found) for found in sessions.items] if sessions else ())


def _session(branch: Branch) -> Node:
    session = branch.item
    totals: SetTotals = branch.related["totals"]
    sets: Related | None = branch.related.get("set_records")
    volume = Figure(f"{totals.volume_kg:,} kg")
    cells = (_id(session), moment(session.started_at), session.status, _part(sets, totals.sets, "set"), volume)
    return Node(cells, _exercises(branch.related) if sets else ())


def _exercises(related: Mapping[str, Any]) -> list[Node]:
    """Return a session's exercises with their sets; what is cut from either is said in the line above."""
    sets: dict[Any, list[SetRecord]] = {}
    for record in related["set_records"].items:
        sets.setdefault(record.exercise_id, []).append(record)
    return [_exercise(done, sets.get(done.exercise_id, [])) for done in related["exercises"].items]


def _exercise(done: ExerciseTotals, sets: Sequence[SetRecord]) -> Node:
    cells = (brief(done.name), _plural(done.sets, "set"), Figure(f"{done.volume_kg:,} kg"))
    ordered = sorted(sets, key=lambda record: (record.set_number, record.created_at))
    return Node(cells, [Node((_id(record), *_effort(record))) for record in ordered])


def _set_of_exercise(found: SetRecord | Branch) -> Node:
    record = found.item if isinstance(found, Branch) else found
    above = found.related if isinstance(found, Branch) else {}
    whose = (brief(above["user"].email),) if "user" in above else ()
    when = above["session"].started_at if "session" in above else record.created_at
    return Node((_id(record), moment(when), *_effort(record)[:2], *whose))


def _effort(record: SetRecord) -> tuple[str, str, str]:
    parts = [f"{record.reps:,} reps"] if record.reps is not None else []
    if record.weight_kg is not None:
        parts.append(_weight(record.weight_kg))
    if record.duration_seconds is not None:
        parts.append(f"{record.duration_seconds:,} s")
    return (Figure(f"set {record.set_number}"), ", ".join(parts) or "-", brief(record.notes or ""))


def _token(token: RefreshToken) -> Node:
    return Node((_id(token), f"made {moment(token.created_at)}", f"expires {moment(token.expires_at)}"))


def _audit(row: AuditLog) -> Node:
    entity = Whole(row.entity_id.hex[:ID_DIGITS]) if row.entity_id else Whole("")
    return Node((_id(row), moment(row.created_at), row.action, brief(row.entity_type or ""), entity))


def _id(record: Any) -> Whole:
    return Whole(record.id.hex[:ID_DIGITS])


# Counts and units


def _count(related: Related) -> str:
    shown = len(related.items)
    return f"{related.total:,}" if shown == related.total else f"{shown:,} of {related.total:,}"


def _part(related: Related | None, total: int, noun: str) -> Figure:
    """Return `12 sets`, or `5 of 12 sets` where some are below."""
    shown = f"{len(related.items):,} of " if related and 0 < len(related.items) < total else ""
    return Figure(f"{shown}{_plural(total, noun)}")


def _plural(count: int, noun: str) -> Figure:
    return Figure(f"{count:,} {noun}{'' if count == 1 else 's'}")


def _totals(totals: SetTotals) -> str:
    return f"{totals.sets:,}, {totals.volume_kg:,} kg in all"


def _weight(weight: object) -> str:
    return "-" if weight is None else f"{weight:,} kg"


def _span(use: ExerciseUse) -> str:
    if use.first_started_at is None or use.last_started_at is None:
        return "0"
    return f"{use.sessions:,}, from {moment(use.first_started_at)} to {moment(use.last_started_at)}"


# What to look at next


def _next_commands(table: str, result: RecordShown) -> Sequence[str]:
    item = result.item
    deeper = f"{result.entity} {item.id} --depth {result.depth + 1}"
    further = [deeper] if result.depth < DEPTHS[table] else []
    return [*_NEXT[table](item), *further]


def _users_next(user: User) -> list[str]:
    return [f"sessions --user {user.id}", f"audit-log --user {user.id}"]


_NEXT: dict[str, Callable[[Any], list[str]]] = {
    "users": _users_next,
    "workouts": lambda workout: [f"sessions --workout {workout.id}"],
    "exercises": lambda exercise: [f"set-records --exercise {exercise.id}"],
    "sessions": lambda session: [f"set-records --session {session.id}"],
    "set_records": lambda record: [f"sessions {record.session_id}"],
    "refresh_tokens": lambda token: [f"refresh-tokens --user {token.user_id}"],
    "audit_log": lambda row: [f"audit-log --user {row.user_id}"] if row.user_id else [],
}

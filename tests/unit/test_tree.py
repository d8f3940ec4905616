"""One record with what hangs on it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.errors import MalformedParameters, RecordNotFound
from kinetria_cli.domain.trails import SetTotals
from kinetria_cli.presentation.encoder import encode
from kinetria_cli.usecases.tree import DEPTHS, Branch, RecordShown, Related, show_record
from tests.fake_repositories import FakeRepositories
from tests.seed_entities import build_profile

NOBODY = "00000000-0000-4000-8000-000000000000"
NOW = datetime(2026, 11, 16, 18, 30, tzinfo=UTC)


def demo() -> FakeRepositories:
    repositories = FakeRepositories()
    for table, records in build_profile("demo", 42).items():
        repositories.rows[table] = {record.id: record for record in records}
    return repositories


@pytest.fixture(scope="module")
def gym() -> FakeRepositories:
    """The demo gym; no test changes it."""
    return demo()


def first(gym: FakeRepositories, table: str) -> Any:
    return next(iter(gym.rows[table].values()))


def show(gym: FakeRepositories, record: Any, table: str, depth: int = 1) -> RecordShown:
    entity = table.replace("_", "-")
    return show_record(entity, str(record.id), repositories=gym, now=NOW, depth=depth)


def having(gym: FakeRepositories, table: str, **values: object) -> list[Any]:
    return [
        row for row in gym.rows[table].values() if all(getattr(row, name) == value for name, value in values.items())
    ]


def deepest(related: Mapping[str, Any]) -> int:
    """How many levels of records hang below each other."""
    below = [0]
    for found in related.values():
        if isinstance(found, Related):
            inner = [item.related for item in found.items if isinstance(item, Branch)]
            below.append(1 + max((deepest(more) for more in inner), default=0))
    return max(below)


@pytest.mark.parametrize("table", TABLES)
def test_an_unknown_id_is_not_found(gym: FakeRepositories, table: str) -> None:
    with pytest.raises(RecordNotFound):
        show_record(table.replace("_", "-"), NOBODY, repositories=gym, now=NOW)


@pytest.mark.parametrize(
    ("table", "related"),
    [
        ("users", {"totals", "workouts", "sessions", "refresh_tokens", "live_tokens", "audit_log"}),
        ("workouts", {"user", "totals", "sessions"}),
        ("exercises", {"totals", "set_records"}),
        ("sessions", {"user", "workout", "totals", "exercises", "set_records"}),
        ("set_records", {"session", "exercise", "user"}),
        ("refresh_tokens", {"user"}),
        ("audit_log", {"user", "entity"}),
    ],
)
def test_a_record_is_shown_with_what_hangs_on_it(gym: FakeRepositories, table: str, related: set[str]) -> None:
    record = first(gym, table)
    for depth in range(1, DEPTHS[table] + 1):
        shown = show(gym, record, table, depth)
        assert shown.item == record
        assert set(shown.related) == related
    assert show(gym, record, table, 0).related == {}


@pytest.mark.parametrize("table", TABLES)
def test_a_depth_that_does_not_exist_is_malformed(gym: FakeRepositories, table: str) -> None:
    for depth in (-1, DEPTHS[table] + 1, 10**30):
        with pytest.raises(MalformedParameters) as caught:
            show(gym, first(gym, table), table, depth)
        assert caught.value.message == f"--depth is {depth}"
        assert caught.value.hint is not None
        assert caught.value.hint.startswith(f"a number from 0 to {DEPTHS[table]}: ")


@pytest.mark.parametrize(("table", "levels"), [("users", [0, 1, 2, 3]), ("workouts", [0, 1, 2])])
def test_each_depth_has_a_level_more(gym: FakeRepositories, table: str, levels: list[int]) -> None:
    assert [deepest(show(gym, first(gym, table), table, depth).related) for depth in levels] == levels


def test_what_hangs_on_a_user_is_counted_and_the_newest_five_are_shown(gym: FakeRepositories) -> None:
    user = first(gym, "users")
    sessions = having(gym, "sessions", user_id=user.id)
    newest = sorted(sessions, key=lambda session: (session.started_at, session.id), reverse=True)[:5]
    found = show(gym, user, "users").related["sessions"]
    assert (found.total, [branch.item for branch in found.items]) == (len(sessions), newest)
    for branch in found.items:
        assert branch.related["totals"].sets == len(having(gym, "set_records", session_id=branch.item.id))


def test_the_workouts_of_a_user_say_how_often_they_were_done(gym: FakeRepositories) -> None:
    user = first(gym, "users")
    found = show(gym, user, "users").related["workouts"]
    assert found.total == len(found.items) == 3
    for branch in found.items:
        done = having(gym, "sessions", workout_id=branch.item.id)
        assert branch.related["totals"].sessions == len(done)
        assert branch.related["totals"].last_started_at == max((row.started_at for row in done), default=None)


def test_only_tokens_that_can_be_used_now_are_live(gym: FakeRepositories) -> None:
    for user in gym.rows["users"].values():
        related = show(gym, user, "users").related
        own = having(gym, "refresh_tokens", user_id=user.id)
        live = {token.id for token in own if not token.revoked and token.expires_at >= NOW}
        assert related["refresh_tokens"].total == len(own)
        assert {token.id for token in related["live_tokens"].items} == live
        assert related["live_tokens"].total == len(live)


def test_a_session_shows_its_sets_by_exercise(gym: FakeRepositories) -> None:
    session = first(gym, "sessions")
    sets = having(gym, "set_records", session_id=session.id)
    related = show(gym, session, "sessions").related
    assert related["set_records"].total == len(sets) == len(related["set_records"].items)
    assert related["workout"].id == session.workout_id
    groups = related["exercises"]
    assert groups.total == len(groups.items) == len({row.exercise_id for row in sets})
    for group in groups.items:
        own = [row for row in sets if row.exercise_id == group.exercise_id]
        weighed = [row.reps * row.weight_kg for row in own if row.reps and row.weight_kg]
        assert (group.sets, group.volume_kg) == (len(own), sum(weighed, Decimal(0)))
    assert related["totals"] == SetTotals(len(sets), sum((group.volume_kg for group in groups.items), Decimal(0)))


def test_deeper_sessions_are_the_same_as_by_themselves(gym: FakeRepositories) -> None:
    user = first(gym, "users")
    for branch in show(gym, user, "users", 2).related["sessions"].items:
        alone = show(gym, branch.item, "sessions").related
        assert {name: alone[name] for name in branch.related} == branch.related
    deep = show(gym, user, "users", 3).related["workouts"].items
    for branch in deep:
        alone = show(gym, branch.item, "workouts", 2).related
        assert {name: alone[name] for name in branch.related} == branch.related


def test_the_sets_of_an_exercise_say_whose_they_are_where_it_goes_deeper(gym: FakeRepositories) -> None:
    exercise = gym.exercises.get(first(gym, "set_records").exercise_id)
    shallow, deep = (show(gym, exercise, "exercises", depth).related["set_records"] for depth in (1, 2))
    assert shallow.total == deep.total == len(having(gym, "set_records", exercise_id=exercise.id))
    assert [branch.item for branch in deep.items] == [*shallow.items]
    for branch in deep.items:
        session, user = branch.related["session"], branch.related["user"]
        assert (session.id, user.id) == (branch.item.session_id, session.user_id)


def test_in_json_what_hangs_on_a_branch_stands_among_its_fields(gym: FakeRepositories) -> None:
    workout = first(gym, "workouts")
    branch = Branch(workout, {"totals": SetTotals(1, Decimal("2.50"))})
    assert encode(branch) == {**encode(workout), "related": {"totals": {"sets": 1, "volume_kg": "2.50"}}}


def test_an_audit_row_whose_user_is_gone_is_shown_without_one() -> None:
    gym = demo()
    row = first(gym, "audit_log")
    gym.users.delete(row.user_id)
    assert set(show(gym, row, "audit_log").related) <= {"entity"}


@pytest.mark.parametrize(
    ("named", "table"), [("session", "sessions"), ("sessions", "sessions"), ("set_record", "set_records")]
)
def test_an_audit_row_leads_to_the_record_that_it_names(gym: FakeRepositories, named: str, table: str) -> None:
    from dataclasses import replace

    other = demo()
    row = first(other, "audit_log")
    record = first(other, table)
    for entity_type, entity_id, found in (
        (named, record.id, record),
        (named, row.id, None),
        ("no table", record.id, None),
        (None, record.id, None),
        (named, None, None),
    ):
        other.rows["audit_log"][row.id] = replace(row, entity_type=entity_type, entity_id=entity_id)
        assert show(other, row, "audit_log").related.get("entity") == found

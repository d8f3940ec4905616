"""`kinetria inspect ENTITY`: orders, columns, the table, the next command, and a schema changed by hand."""

import re
import shlex
from pathlib import Path

import pytest

from kinetria_cli.domain.fields import fields_of
from kinetria_cli.domain.records import sortable
from kinetria_cli.domain.stack import ConnectionParams
from tests.cli.answers import ANA, ENTITIES, failed, succeeded
from tests.cli.test_terminal import on_a_terminal, variables
from tests.integration import rows
from tests.integration.rows import Sql
from tests.world import Cli

# Order and columns


@pytest.mark.parametrize("sort", ["completed_at", "-completed_at", "workout_id", "-status"])
def test_following_the_cursor_in_an_order_shows_each_row_once(varied: Cli, varied_sql: Sql, sort: str) -> None:
    direction = "DESC" if sort.startswith("-") else "ASC"
    query = f"SELECT id::text FROM sessions ORDER BY {sort.strip('-')} {direction} NULLS LAST, id {direction}"
    seen: list[str] = []
    after: tuple[str, ...] = ()
    while True:
        data = succeeded(varied("inspect", "sessions", "--sort", sort, "--limit", "50", *after, "--json"))
        seen += [item["id"] for item in data["items"]]
        if data["next_cursor"] is None:
            break
        after = ("--after", data["next_cursor"])
    assert seen == [found for (found,) in varied_sql.execute(query.encode())]


def test_a_cursor_of_another_order_exits_2_and_names_its_own(gym: Cli) -> None:
    after = succeeded(gym("inspect", "users", "--sort", "name", "--limit", "1", "--json"))["next_cursor"]
    answer = gym("inspect", "users", "--after", after, "--json")
    message = failed(answer, 2, "parameters.malformed")
    assert message == "--after is a cursor of the list sorted by name, not by -created_at"
    assert answer.error["hint"] == "add --sort=name, or begin without --after"


@pytest.mark.parametrize("option", ["--sort", "--columns"])
def test_an_unknown_column_exits_2_names_them_all_and_guesses(gym: Cli, option: str) -> None:
    answer = gym("inspect", "sessions", option, "complete_at", "--json")
    assert failed(answer, 2, "parameters.malformed") == f"{option}: there is no column 'complete_at'"
    names = ", ".join(sortable("sessions") if option == "--sort" else fields_of("sessions"))
    assert answer.error["hint"] == f"did you mean completed_at? columns: {names}"


@pytest.mark.parametrize("entity", ENTITIES)
def test_chosen_columns_are_the_keys_and_the_headings_in_their_order(gym: Cli, entity: str) -> None:
    names = [*fields_of(entity.replace("-", "_"))]
    whole = succeeded(gym("inspect", entity, "--limit", "2", "--json"))["items"]
    for columns in (names[::-1], names[1:3], [names[0]]):
        items = succeeded(gym("inspect", entity, "--limit", "2", "--columns", ",".join(columns), "--json"))["items"]
        assert [list(item) for item in items] == [columns] * 2
        assert items == [{name: item[name] for name in columns} for item in whole]
    assert succeeded(gym("inspect", entity, "--limit", "2", "--columns", "all", "--json"))["items"] == whole
    header, first, *_ = gym("inspect", entity, "--limit", "2", "--columns", "id").out.splitlines()
    assert (header, first) == ("id", whole[0]["id"])


def test_a_chosen_secret_is_shown_as_present(new: Cli, sql: Sql) -> None:
    rows.user(sql, password_hash="$argon2id$SENTINEL")
    assert new("inspect", "users", "--columns", "password_hash").out.split() == ["password", "hash", "present"]
    items = succeeded(new("inspect", "users", "--columns", "password_hash", "--json"))["items"]
    assert items == [{"password_hash": "present"}]


@pytest.mark.parametrize("option", [("--sort", "id"), ("--columns", "id"), ("--since", "7d"), ("--count",)])
def test_an_option_of_lists_beside_an_id_exits_2(gym: Cli, option: tuple[str, ...]) -> None:
    message = failed(gym("inspect", "users", ANA, *option, "--json"), 2, "parameters.malformed")
    assert message == "an id shows one record; filters, --limit, --sort, --columns, --after and --count are for lists"


# For people


def test_the_next_command_can_be_typed_and_goes_on(varied: Cli) -> None:
    asked = shlex.split("inspect workouts --search ' OFF' --sort -name --columns name --limit 1 --since=2026-01-01")
    seen = []
    while True:
        answer = varied(*asked)
        assert (answer.code, answer.err) == (0, "")
        seen.append(answer.out.splitlines()[1])
        more = re.search(r"^more: kinetria (.*)$", answer.out, re.MULTILINE)
        if more is None:
            break
        asked = shlex.split(more[1])
    assert seen == ["50% off", "50 off"]


def test_the_next_command_repeats_flags_and_the_file_of_settings(new: Cli, sql: Sql, tmp_path: Path) -> None:
    owner = rows.user(sql)
    for _ in range(2):
        rows.refresh_token(sql, owner)
    file = tmp_path / "my settings.env"
    file.write_text("APP_NAME=kinetria\n", "utf-8")
    answer = new("inspect", "refresh-tokens", "--live", "--not-revoked", "--limit", "1", "--env-file", str(file))
    more = answer.out.splitlines()[-1]
    start = f"more: kinetria inspect refresh-tokens --live --not-revoked --env-file '{file}' --limit 1 --after "
    assert more.startswith(start)


def test_an_empty_list_says_in_words_what_matched_nothing(gym: Cli) -> None:
    answer = gym("inspect", "sessions", "--user", ANA, "--status", "cancelled", "--completed-since", "+7d")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == f"no sessions match: user {ANA}, status cancelled, completed since +7d\n"
    assert gym("inspect", "audit-log", "--entity-type", "").out == "no audit rows match: entity type ''\n"
    assert gym("inspect", "audit-log", "--search", "\x1b[31m").out == "no audit rows match: search \\x1b[31m\n"


@pytest.mark.parametrize("entity", ENTITIES)
def test_a_list_fits_the_terminal_and_its_ids_are_of_use(
    varied_params: ConnectionParams, varied: Cli, entity: str
) -> None:
    environment = {**variables(varied_params), "COLUMNS": "80"}
    shown = on_a_terminal("inspect", entity, "--limit", "10", env=environment)
    lines = [line for line in shown.splitlines() if not line.startswith("more: ")]
    assert len(lines) == 11
    assert all(len(line) <= 80 for line in lines)
    if lines[0].startswith("id "):
        wanted = [item["id"] for item in succeeded(varied("inspect", entity, "--limit", "10", "--json"))["items"]]
        assert all(full.startswith(line.split()[0]) for full, line in zip(wanted, lines[1:], strict=True))
        assert all(len(line.split()[0]) >= 8 for line in lines[1:])


@pytest.mark.parametrize("columns", ["80", "40", "10"])
def test_more_columns_than_a_terminal_has_room_for_stand_below_each_other(
    varied_params: ConnectionParams, columns: str
) -> None:
    environment = {**variables(varied_params), "COLUMNS": columns}
    shown = on_a_terminal("inspect", "exercises", "--columns", "all", "--limit", "2", env=environment)
    lines = [line for line in shown.splitlines() if not line.startswith("more: ")]
    assert all(len(line) <= int(columns) for line in lines)
    assert len(lines) == 2 * len(fields_of("exercises")) + 1


def test_in_a_pipe_ids_are_whole(gym: Cli) -> None:
    for line in gym("inspect", "workouts", "--limit", "3").out.splitlines()[1:4]:
        assert [len(word) for word in line.split() if word.count("-") == 4] == [36, 36]


def test_a_document_is_shown_as_json(gym: Cli) -> None:
    shown = gym("inspect", "audit-log", "--columns", "metadata", "--limit", "1").out.splitlines()[1]
    assert shown == '{"source": "app", "version": "2.4.1"}'


def test_names_of_wide_characters_line_up(new: Cli, sql: Sql) -> None:
    from rich.cells import cell_len

    for number, name in enumerate(("列車", "Ana", "🚴 lift", "Zoë e\u0301", "two\nlines")):
        rows.user(sql, name=name, email=f"{number}@example.com")
    lines = new("inspect", "users", "--columns", "name,email", "--sort", "email").out.splitlines()
    assert {cell_len(line) for line in lines[1:]} == {cell_len(lines[1])}
    assert lines[5].startswith("two\\nlines  ")


# A database that is not as the code has it


def test_a_word_that_the_code_does_not_know_is_shown_as_it_is(new: Cli, sql: Sql) -> None:
    sql.execute("ALTER TYPE workout_status ADD VALUE 'half-baked'")
    rows.workout(sql, rows.user(sql), status="half-baked")
    assert "half-baked" in new("inspect", "workouts").out
    data = succeeded(new("inspect", "workouts", "--sort", "status", "--json"))
    assert data["items"][0]["status"] == "half-baked"


def test_a_table_dropped_by_hand_is_named_and_leads_to_the_migrations(new: Cli, sql: Sql) -> None:
    sql.execute("DROP TABLE audit_log")
    answer = new("inspect", "audit-log", "--json")
    assert failed(answer, 1, "database.schema_missing") == 'relation "audit_log" does not exist  (42P01)'
    assert answer.error["hint"] == "kinetria db check"
    assert new("inspect", "users").code == 0


def test_a_column_dropped_by_hand_is_named_with_its_table(new: Cli, sql: Sql) -> None:
    sql.execute("ALTER TABLE sessions DROP COLUMN notes")
    for arguments in ((), ("--notes", "x")):
        answer = new("inspect", "sessions", *arguments, "--json")
        assert failed(answer, 1, "database.schema_missing") == "column sessions.notes does not exist  (42703)"


def test_a_column_added_by_hand_is_no_matter(new: Cli, sql: Sql) -> None:
    sql.execute("ALTER TABLE users ADD COLUMN nickname text DEFAULT 'x'")
    rows.user(sql)
    (item,) = succeeded(new("inspect", "users", "--json"))["items"]
    assert list(item) == list(fields_of("users"))


def test_the_next_page_of_revealed_secrets_reveals_them_too(new: Cli, sql: Sql) -> None:
    for _ in range(3):
        rows.user(sql)
    more = new("inspect", "users", "--limit", "2", "--reveal").out.splitlines()[-1]
    command = more.removeprefix("more: kinetria ").split()
    assert "--reveal" in command
    assert new(*command).code == 0


def test_a_column_of_text_without_end_is_no_order(gym: Cli) -> None:
    answer = gym("inspect", "sessions", "--sort", "notes", "--json")
    assert "notes" in failed(answer, 2, "parameters.malformed")

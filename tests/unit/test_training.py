"""`inspect --chart` without a database: the use case, and the exact words of the charts in a fixed world."""

import io
import os
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from kinetria_cli.domain.errors import EngineUnavailable, MalformedParameters, RecordNotFound
from kinetria_cli.domain.extras import install_command
from kinetria_cli.domain.insight import MAX_WEEKS, Figures, PersonalRecord, Training, Week
from kinetria_cli.domain.records import Filters
from kinetria_cli.presentation.human import render
from kinetria_cli.presentation.screen import Screen
from kinetria_cli.usecases.insight import training
from tests.fake_repositories import FakeRepositories
from tests.world import GOLDEN

MONDAY = date(2026, 11, 16)
SESSIONS = (0, 2, 3, 3, 0, 0, 1, 2, 4, 3, 2, 3, 1)
RECORDS = (
    PersonalRecord("Leg Press", Decimal("182.50"), 9, datetime(2026, 10, 30, 7, 8, tzinfo=UTC), "ana@example.com"),
    PersonalRecord("Squat", Decimal("77.50"), None, datetime(2026, 10, 26, 18, 15, tzinfo=UTC), "li@example.com"),
)


def weeks_of(sessions: tuple[int, ...]) -> tuple[Week, ...]:
    """Weeks up to the fixed Monday: 10 sets a session, more weight in each."""
    first = MONDAY - timedelta(weeks=len(sessions) - 1)
    return tuple(
        Week(first + timedelta(weeks=place), done, done * 10, Decimal(f"{done * (1000 + 10 * place)}.00"), done // 2)
        for place, done in enumerate(sessions)
    )


TRAINING = Training.of(Figures(weeks_of(SESSIONS), RECORDS), entity="sessions", user=None)


class Terminal(io.StringIO):
    """A stream that is a terminal of this encoding."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def shown(result: Training, stream: io.StringIO, *, utf8: bool = True) -> str:
    render(result, Screen(stream, no_color=True, force_color=False, utf8=utf8, essential=True))
    return stream.getvalue()


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("utf8", [True, False], ids=["utf8", "ascii"])
@pytest.mark.parametrize("number", [13, 26, 52, 150])
def test_charts_look_the_same_as_before(monkeypatch: pytest.MonkeyPatch, width: int, utf8: bool, number: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    sessions = (SESSIONS * -(-number // len(SESSIONS)))[-number:]
    result = Training.of(Figures(weeks_of(sessions), RECORDS), entity="sessions", user=None)
    text = shown(result, Terminal(), utf8=utf8)
    golden = GOLDEN / "charts" / f"{number}-weeks-{width}-{'utf8' if utf8 else 'ascii'}.txt"
    if os.environ.get("REWRITE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, "utf-8")
    assert text == golden.read_text("utf-8")
    assert max(map(len, text.splitlines())) <= width
    assert "\x1b" not in text
    assert utf8 or text.isascii()


def test_a_pipe_gets_the_words_of_a_terminal_that_is_not_utf_8(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert shown(TRAINING, io.StringIO()) == shown(TRAINING, Terminal(), utf8=False)


def bars_of(text: str, title: str) -> list[str]:
    """The columns of a chart, each from the bottom up, its axis left out."""
    lines = text.split(f"{title} a week\n")[1].split("\n\n", maxsplit=1)[0].splitlines()
    axis = lines[0].index("+") + 1
    drawn = [line[axis:] for line in lines if not set(line[axis:]) & set("-0123456789")]
    return ["".join(column) for column in zip(*(line.ljust(90) for line in reversed(drawn)), strict=True)]


def test_the_height_of_a_bar_is_the_number_that_json_gives() -> None:
    columns = bars_of(shown(TRAINING, io.StringIO()), "completed sessions")
    step = 6
    for place, week in enumerate(TRAINING.weeks):
        bar = columns[place * step : place * step + step - 1]
        wanted = 0 if week.sessions == 0 else week.sessions + 1  # the bottom row is 0, and a bar stands on it
        assert [column.count("#") for column in bar] == [wanted] * (step - 1)
        assert columns[place * step + step - 1].strip() == ""  # the gap


def test_totals_are_the_sums_of_the_weeks() -> None:
    line = shown(TRAINING, io.StringIO()).splitlines()[2]
    volume = sum(week.volume_kg for week in TRAINING.weeks)
    assert line == (f"{volume:,} kg, 24 completed sessions, 240 sets, 9 new personal records")


def test_hostile_names_are_printed_as_text() -> None:
    name = "[/red]\x1b]52;c;x\x07\u202e\n50%"
    hostile = replace(RECORDS[0], exercise=name, user="[bold]\x9b@x")
    result = replace(TRAINING, personal_records=(hostile,), user=None)
    for text in (shown(result, io.StringIO()), shown(result, Terminal())):
        assert r"[/red]\x1b]52;c;x\x07\x202e\n50%" in text
        assert r"[bold]\x9b@x" in text
        assert not set(text) & set("\x1b\x07\x9b\u202e")


def test_a_user_of_a_hostile_name_is_printed_as_text() -> None:
    text = shown(replace(TRAINING, user="[red]\x1b[2J@x"), io.StringIO())
    assert text.startswith("training of [red]\\x1b[2J@x\n13 weeks from Monday 2026-08-24 to 2026-11-22 (UTC)")


def test_of_one_user_the_table_has_no_column_for_it() -> None:
    text = shown(replace(TRAINING, user="ana@example.com"), io.StringIO())
    assert "li@example.com" not in text
    assert "li@example.com" in shown(TRAINING, io.StringIO())


def test_without_training_there_is_one_line() -> None:
    nothing = Training.of(Figures(), entity="users", user="ana@example.com")
    assert (nothing.since, nothing.until) == (None, None)
    assert shown(nothing, io.StringIO()) == (
        "no training to draw for ana@example.com: no session matches that is completed or still runs\n"
    )


def test_what_is_zero_in_every_week_is_said_rather_than_drawn() -> None:
    weeks = (Week(MONDAY, 0, 2, Decimal("0.00"), 0),)
    text = shown(Training.of(Figures(weeks), entity="sessions", user=None), io.StringIO())
    assert text.splitlines()[3:] == [
        "",
        "volume, kg: no weight was lifted",
        "",
        "completed sessions: no session was completed",
        "",
        "new personal records: no record was beaten",
        "",
        "personal records: no weight was lifted",
    ]


def test_many_records_are_cut_and_counted() -> None:
    result = replace(TRAINING, personal_records=RECORDS * 10)
    assert shown(result, io.StringIO()).splitlines()[-1] == "and 5 lighter ones: --json"


def test_without_the_library_there_is_an_error_and_no_half_of_a_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "plotext", None)
    stream = io.StringIO()
    with pytest.raises(EngineUnavailable, match="plotext, which draws the charts, is not installed") as failure:
        shown(TRAINING, stream)
    assert failure.value.hint == f"{install_command('chart')}     the numbers without charts: --json"
    assert stream.getvalue() == ""


class Log:
    """See `TrainingLog`; remembers what was asked."""

    def __init__(self) -> None:
        self.asked: tuple[Filters, int] | None = None

    def figures(self, filters: Filters, *, weeks: int) -> Figures:
        """See `TrainingLog.figures`."""
        self.asked = (filters, weeks)
        return Figures(TRAINING.weeks, RECORDS)


def ask(user: str | None = None, weeks: int = 13) -> tuple[Training, Log]:
    log = Log()
    filters = {"status": "completed"}
    result = training("sessions", repositories=FakeRepositories(), log=log, user=user, filters=filters, weeks=weeks)
    return result, log


def test_the_result_says_which_days_are_shown() -> None:
    result, log = ask()
    assert (result.entity, result.user) == ("sessions", None)
    assert (result.since, result.until) == (date(2026, 8, 24), date(2026, 11, 22))
    assert (result.weeks, result.personal_records) == (TRAINING.weeks, RECORDS)
    assert log.asked == ({"status": "completed"}, 13)


@pytest.mark.parametrize("weeks", [-1, 0, MAX_WEEKS + 1, 10**400])
def test_a_number_of_weeks_that_cannot_be_is_refused(weeks: int) -> None:
    with pytest.raises(MalformedParameters, match="--weeks is ") as failure:
        ask(weeks=weeks)
    assert failure.value.hint == f"a number from 1 to {MAX_WEEKS}"


def test_a_user_who_is_not_there_is_an_error() -> None:
    with pytest.raises(RecordNotFound):
        ask(user=str(UUID(int=1)))

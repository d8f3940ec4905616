"""What it takes before something is destroyed."""

import pytest

from kinetria_cli.domain.errors import ConfirmationRequired
from kinetria_cli.usecases.confirm import require_confirmation
from tests.fakes import FakePrompt

WHAT = "All data will be deleted. On ana@db:5432/gym (the environment)."


def ask(
    prompt: FakePrompt, *, own: bool = True, production: bool = False, yes: bool = False, confirm: str | None = None
) -> list[str]:
    require_confirmation(prompt, WHAT, name="gym", own=own, production=production, yes=yes, confirm=confirm)
    return prompt.questions


def refusal(
    prompt: FakePrompt, *, own: bool = True, production: bool = False, yes: bool = False, confirm: str | None = None
) -> ConfirmationRequired:
    with pytest.raises(ConfirmationRequired) as caught:
        ask(prompt, own=own, production=production, yes=yes, confirm=confirm)
    assert caught.value.exit_code == 5
    return caught.value


def test_yes_is_enough_on_the_projects_own_database() -> None:
    assert ask(FakePrompt("no"), yes=True) == []


@pytest.mark.parametrize("answer", ["y\n", "yes\n", " Y \n", "YES"])
def test_a_person_says_yes(answer: str) -> None:
    assert ask(FakePrompt(answer)) == [f"{WHAT}\nGo on? [y/N] "]


@pytest.mark.parametrize("answer", ["\n", "", "n\n", "no", "yess", "gym"])
def test_anything_else_is_no(answer: str) -> None:
    error = refusal(FakePrompt(answer))
    assert error.message == "not confirmed; nothing was changed"
    assert error.hint == "answer y, or add --yes"


def test_nobody_to_ask_names_the_option() -> None:
    error = refusal(FakePrompt())
    assert error.message == f"{WHAT} Not confirmed."
    assert error.hint == "add --yes"


@pytest.mark.parametrize(
    ("own", "production", "why"),
    [
        (False, False, "kinetria up of this project did not start this database"),
        (True, True, "ENVIRONMENT is production"),
        (False, True, "ENVIRONMENT is production"),
    ],
)
class TestWhereYesIsNotEnough:
    def test_nobody_to_ask_names_the_option(self, own: bool, production: bool, why: str) -> None:
        error = refusal(FakePrompt(), own=own, production=production, yes=True)
        assert error.message == f"{WHAT} Not confirmed, and {why}."
        assert error.hint == "add --confirm gym"

    def test_the_name_is_typed(self, own: bool, production: bool, why: str) -> None:
        questions = ask(FakePrompt(" gym \n"), own=own, production=production, yes=True)
        assert questions == [f"{WHAT}\n{why[0].upper()}{why[1:]}: type the database's name to go on: "]

    @pytest.mark.parametrize("answer", ["y\n", "yes\n", "GYM\n", "\n"])
    def test_another_word_is_no(self, own: bool, production: bool, why: str, answer: str) -> None:
        error = refusal(FakePrompt(answer), own=own, production=production, yes=True)
        assert error.message == "not confirmed; nothing was changed"
        assert error.hint == "type gym, or add --confirm gym"

    def test_the_name_may_be_given(self, own: bool, production: bool, why: str) -> None:
        assert ask(FakePrompt("no"), own=own, production=production, confirm="gym") == []


@pytest.mark.parametrize("given", ["other", "", "Gym", "gym "])
@pytest.mark.parametrize("own", [True, False])
def test_a_wrong_name_is_refused_even_with_yes(given: str, own: bool) -> None:
    error = refusal(FakePrompt("gym"), own=own, yes=True, confirm=given)
    assert error.message == f"--confirm names {given!r}, the database is 'gym'"
    assert error.hint == "--confirm gym"

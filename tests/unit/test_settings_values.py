"""What a setting's text becomes."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinetria_cli import settings_values as values


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("5s", 5.0), ("1m", 60.0), ("2h", 7200.0), ("5", 5.0), ("1.5s", 1.5), (" 5s ", 5.0), ("0.5", 0.5)],
)
def test_a_duration_is_seconds(text: str, seconds: float) -> None:
    assert values.duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", "0", "0s", "-1s", "5 s", "s", "1d", "1e3", "nan", "inf", "1m30s", "5S", "\u0665s", "9" * 30]
)
def test_what_is_not_a_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a duration like 500ms, 5s or 1m$") as caught:
        values.duration(text)
    assert str(caught.value).startswith(f"is {text!r}, ")


@given(st.integers(1, 10**6), st.sampled_from(["ms", "s", "m"]))
def test_a_duration_is_its_number_times_its_unit(number: int, unit: str) -> None:
    factor = {"ms": 0.001, "s": 1, "m": 60}[unit]
    assert values.duration(f"{number}{unit}") == pytest.approx(number * factor)


@given(st.integers(1, 10**6))
def test_a_duration_without_a_unit_is_seconds(number: int) -> None:
    assert values.duration(str(number)) == values.duration(f"{number}s")


@given(st.text())
def test_any_text_is_a_positive_duration_or_refused(text: str) -> None:
    try:
        assert values.duration(text) > 0
    except ValueError as error:
        assert "not a duration" in str(error)


@pytest.mark.parametrize(("text", "seconds"), [("0", 0.0), ("0s", 0.0), ("00ms", 0.0), ("3", 3.0), ("1m", 60.0)])
def test_a_wait_may_be_nothing(text: str, seconds: float) -> None:
    assert values.wait(text) == seconds


@pytest.mark.parametrize("text", ["localhost", "127.0.0.1", "0.0.0.0", "::", "fe80::1%eth0", "app_1", "bücher.example"])
def test_a_host_is_a_name_or_an_address(text: str) -> None:
    assert values.host(text) == text


@pytest.mark.parametrize(
    "text", ["", "a..b", "x" * 64, "x/y", "u@h", "h#", "h?x", "[::1]", "h1,h2", "a b", "h\n", "h\\"]
)
def test_what_is_not_a_host_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f"^is {re.escape(repr(text))}, not one host name or address$"):
        values.host(text)


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("65535", 65535), ("05432", 5432)])
def test_a_port_is_a_number(text: str, number: int) -> None:
    assert values.port(text) == number


@pytest.mark.parametrize("text", ["", "0", "65536", "-1", "+1", " 1", "1.0", "5432,5433", "\u0661", "1\n", "999999"])
def test_what_is_not_a_port_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a port from 1 to 65535$"):
        values.port(text)


@pytest.mark.parametrize("text", ["", "0", "10001", "-1", "1.5", "ten"])
def test_what_is_not_a_count_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a whole number from 1 to 10000$"):
        values.count(text)


def test_a_count_is_a_number() -> None:
    assert [values.count("1"), values.count("10000")] == [1, 10_000]


@pytest.mark.parametrize("text", ["kinetria", "a", "0", "my-gym_2", "a" * 63])
def test_a_project_name_is_taken_as_it_is(text: str) -> None:
    assert values.project(text) == text


@pytest.mark.parametrize("text", ["", "A", "-a", "_a", "a b", "a/b", "..", "a" * 64, "\u00e9", "a\n"])
def test_what_is_not_a_project_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a name has lower-case letters, digits, - and _"):
        values.project(text)


@pytest.mark.parametrize("parser", [values.plain, values.path])
def test_a_nul_is_refused_without_the_value(parser: Callable[[str], object]) -> None:
    with pytest.raises(ValueError, match=r"^holds a NUL character$"):
        parser("s3cret\0")


def test_a_path_is_absolute(tmp_path: Path) -> None:
    assert values.path("x/y") == tmp_path / "work" / "x" / "y"
    assert values.path("~/x") == tmp_path / "home" / "x"
    assert values.path("/x") == Path("/x")


def test_a_choice_is_one_of_its_words() -> None:
    parse = values.choice("red", "blue")
    assert parse("blue") == "blue"
    with pytest.raises(ValueError, match=r"^is 'Blue', not one of red, blue$"):
        parse("Blue")


@pytest.mark.parametrize("text", ["abc", "a.b_c~d+e/f=", "!#$%&'*"])
def test_a_token_is_what_a_header_carries(text: str) -> None:
    assert values.token(text) == text


@pytest.mark.parametrize("text", ["two words", "tab\there", "line\n", "schl\u00fcssel", "nul\0"])
def test_a_token_that_no_header_carries_is_refused_without_its_value(text: str) -> None:
    with pytest.raises(ValueError, match="which no HTTP header carries") as refused:
        values.token(text)
    assert text not in str(refused.value)

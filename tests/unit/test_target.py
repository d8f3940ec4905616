"""Which database a command talks to."""

from dataclasses import replace

import pytest

from kinetria_cli.domain.errors import ConfigMissing
from kinetria_cli.domain.stack import ConnectionParams, NamedDatabase
from kinetria_cli.usecases.target import Target, choose_target
from tests.fakes import PARAMS, RECORD

OTHER = ConnectionParams("db.example.com", 6543, "ana", "other-s3cret", "gym", "require")
NAMED = NamedDatabase(OTHER, "/srv/gym/.env line 3", sslmode_given=False)


def test_what_the_settings_name_is_used() -> None:
    assert choose_target(NAMED, None, running=False) == Target(OTHER, "/srv/gym/.env line 3", own=False)


def test_a_recorded_stack_that_does_not_run_is_not_worth_a_warning() -> None:
    assert choose_target(NAMED, RECORD, running=False) == Target(OTHER, "/srv/gym/.env line 3", own=False)


def test_another_stack_that_runs_is_told_in_one_line() -> None:
    target = choose_target(NAMED, RECORD, running=True)
    assert (target.params, target.own) == (OTHER, False)
    assert target.warning == (
        "using ana@db.example.com:6543/gym (from /srv/gym/.env line 3), not the running stack at 127.0.0.1:5432;"
        ' for that stack: eval "$(kinetria env --own)"'
    )


@pytest.mark.parametrize("running", [True, False])
def test_without_a_named_database_the_recorded_stack_is_used_as_a_whole(running: bool) -> None:
    assert choose_target(None, RECORD, running=running) == Target(PARAMS, "recorded by kinetria up", own=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_a_named_database_that_is_the_running_stack_counts_as_it(host: str) -> None:
    named = NamedDatabase(replace(PARAMS, host=host, user="ana", sslmode="require"), "the environment", False)
    target = choose_target(named, RECORD, running=True)
    assert target == Target(replace(PARAMS, host=host, user="ana", sslmode="disable"), "the environment", own=True)


def test_a_tls_mode_that_was_set_is_kept() -> None:
    named = NamedDatabase(replace(PARAMS, sslmode="require"), "the environment", sslmode_given=True)
    assert choose_target(named, RECORD, running=True).params.sslmode == "require"


@pytest.mark.parametrize(
    "other", [replace(PARAMS, host="10.0.0.1"), replace(PARAMS, port=5433), replace(PARAMS, dbname="gym")]
)
def test_another_host_port_or_name_is_another_database(other: ConnectionParams) -> None:
    target = choose_target(NamedDatabase(other, "the environment", False), RECORD, running=True)
    assert target.own is False
    assert target.warning is not None


def test_with_neither_both_ways_out_are_named() -> None:
    with pytest.raises(ConfigMissing) as caught:
        choose_target(None, None, running=False, missing=("DB_HOST is not set", "DB_USER is not set"))
    assert caught.value.message == "failed to parse config: DB_HOST is not set; DB_USER is not set"
    assert caught.value.hint == ("kinetria up     a database of your own: set DB_HOST, DB_USER, DB_PASSWORD, DB_NAME")
    assert caught.value.exit_code == 3


def test_a_label_has_everything_but_the_password() -> None:
    target = Target(OTHER, "the environment", own=False)
    assert target.label == "ana@db.example.com:6543/gym (the environment)"
    assert "other-s3cret" not in repr(target)

"""Making a bundle: what cannot be had says so in its place and never costs the rest."""

import io
import json
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from kinetria_cli.domain.bundle import Part, PartOutcome, PartStatus
from kinetria_cli.domain.errors import EngineUnavailable, Refused
from kinetria_cli.domain.redaction import Scrubber
from kinetria_cli.presentation.human.bundle import render
from kinetria_cli.presentation.screen import Screen
from kinetria_cli.usecases.bundle import README, make_bundle

PLACE = Path("bundle.zip")


class Shelf:
    """Keeps what is written; `refusal` is raised by `check`."""

    def __init__(self, refusal: Refused | None = None) -> None:
        self.members: dict[str, str] = {}
        self._refusal = refusal

    def check(self, path: Path, *, force: bool) -> None:
        if self._refusal:
            raise self._refusal

    def write(self, path: Path, members: Mapping[str, str], *, force: bool) -> int:
        self.members = dict(members)
        return 7


def refuse() -> str:
    raise EngineUnavailable("no daemon answers at tcp://u:hunter2@h", details=["because hunter2"])


def test_every_part_is_best_effort_and_has_a_deadline() -> None:
    never = threading.Event()
    parts = (
        Part("good.json", "good", lambda: {"say": "hunter2", "n": 1}),
        Part("refused.json", "refused", refuse),
        Part("broken.log", "broken", lambda: str(1 // 0)),
        Part("hangs.log", "hangs", lambda: str(never.wait())),
        Part("good.log", "good log", lambda: "a\nhunter2\n"),
    )
    shelf = Shelf()
    try:
        report = make_bundle(parts, PLACE, scrubber=Scrubber(["hunter2"]), archive=shelf, seconds=2, force=False)
    finally:
        never.set()
    assert report.parts == (
        PartOutcome("good.json", PartStatus.WRITTEN),
        PartOutcome("refused.json", PartStatus.FAILED, "no daemon answers at tcp://u:***@h"),
        PartOutcome("broken.log", PartStatus.FAILED, "ZeroDivisionError: integer division or modulo by zero"),
        PartOutcome("hangs.log", PartStatus.TIMED_OUT, "no answer within 2 s"),
        PartOutcome("good.log", PartStatus.WRITTEN),
    )
    assert (report.path, report.size_bytes) == ("bundle.zip", 7)
    assert list(shelf.members) == [README, *(part.name for part in parts)]
    shown = io.StringIO()
    render(report, Screen(shown, no_color=True, force_color=False, utf8=False, essential=True))
    assert shown.getvalue().splitlines()[1:4] == [
        "?? refused.json no daemon answers at tcp://u:***@h",
        "?? broken.log   ZeroDivisionError: integer division or modulo by zero",
        "?? hangs.log    no answer within 2 s",
    ]
    assert json.loads(shelf.members["good.json"]) == {"say": "***", "n": 1}
    assert json.loads(shelf.members["refused.json"]) == {"error": "no daemon answers at tcp://u:***@h\nbecause ***"}
    assert shelf.members["hangs.log"] == "could not be had: no answer within 2 s\n"
    assert shelf.members["good.log"] == "a\n***\n"
    about = shelf.members[README]
    assert "READ IT BEFORE YOU SEND IT" in about
    assert "hangs.log     hangs - COULD NOT BE HAD: no answer within 2 s" in about
    assert f"{report.redacted['known secrets']:>5} x known secrets" in about
    assert "hunter2" not in "".join(shelf.members.values())


def test_nothing_is_read_where_nothing_could_be_written() -> None:
    read: list[str] = []
    part = Part("a.log", "a", lambda: read.append("a") or "")  # type: ignore[func-returns-value]
    with pytest.raises(Refused):
        make_bundle((part,), PLACE, scrubber=Scrubber([]), archive=Shelf(Refused("no")), seconds=30, force=False)
    assert read == []


def test_a_bundle_without_anything_hidden_says_so() -> None:
    shelf = Shelf()
    parts = (Part("a.log", "a", lambda: "plain"),)
    make_bundle(parts, PLACE, scrubber=Scrubber(["hunter2"]), archive=shelf, seconds=30, force=False)
    assert shelf.members[README].endswith("shown as ***:\n\n  nothing\n")

"""Proving that every rollback is exact, and comparing a database with what the migrations make."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from kinetria_cli.domain.catalog import Difference, differences
from kinetria_cli.domain.errors import MigrationFailed, NotOnServer
from kinetria_cli.domain.verify import FileToProve, RollbackProof, VerifyResult

if TYPE_CHECKING:
    from kinetria_cli.domain.catalog import Fingerprint
    from kinetria_cli.domain.verify import ScratchDatabase, ScratchServer, Workbench

PUBLIC = "schema public"


def verify(*, workbench: Workbench, to: str | None) -> VerifyResult:
    """Apply, undo and apply again each migration on an empty database, then all of them in one go.

    After each undoing the catalog must be as before the migration, after each applying as after the first time.
    Where it is not, the database is made anew for the files behind it.

    Args:
        workbench: The files, and where to try them.
        to: The last migration, by id or number; None for all.

    Raises:
        MigrationFailed: A migration cannot be applied at all.
        Whatever `Workbench.files` and `Workbench.server` raise.
    """
    started = time.monotonic()
    files = workbench.files(to)
    with workbench.server(tuple(file.id for file in files)) as server:
        proofs, whole = _prove_all(server, files)
    return VerifyResult(proofs, server.place, round(time.monotonic() - started, 3), whole)


def compare_with_migrations(*, workbench: Workbench, to: str | None) -> tuple[Difference, ...]:
    """Return how the schema public of the database that the settings name differs from what the migrations make.

    In each difference `before` is the database's definition, `after` the migrations'. Our own bookkeeping is left out.

    Args:
        workbench: The files, the database, and where to try them.
        to: The last migration, by id or number; None for all.

    Raises:
        ConfigMissing: No database is named.
        Whatever `verify` raises.
    """
    target = workbench.target_fingerprint()
    files = workbench.files(to)
    with workbench.server(tuple(file.id for file in files)) as server, server.database() as database:
        apply_all(database, files[-1].id)
        made = database.fingerprint()
    return differences(target.within(PUBLIC), made.within(PUBLIC))


def _prove_all(
    server: ScratchServer, files: tuple[FileToProve, ...]
) -> tuple[tuple[RollbackProof, ...], tuple[Difference, ...]]:
    proofs: tuple[RollbackProof, ...] = ()
    whole: tuple[Difference, ...] = ()
    while len(proofs) < len(files):
        with server.database() as database:
            empty = database.fingerprint()
            if proofs:
                apply_all(database, proofs[-1].id)
            proofs += _prove(database, files[len(proofs) :])
            if len(proofs) == len(files) and all(proof.exact for proof in proofs):
                whole = _prove_whole(database, tuple(file.id for file in files), empty)
    return proofs, whole


def _prove(database: ScratchDatabase, files: tuple[FileToProve, ...]) -> tuple[RollbackProof, ...]:
    """Prove one file after the other, until one leaves the database other than it should be."""
    proofs: list[RollbackProof] = []
    before = database.fingerprint()
    for file in files:
        started = time.monotonic()
        apply_all(database, file.id)
        after = database.fingerprint()
        exact, found, problem, details = (
            _undo_and_redo(database, file.id, before, after) if file.reversible else _NO_ROLLBACK
        )
        proofs.append(RollbackProof(file.id, exact, found, round(time.monotonic() - started, 3), problem, details))
        if exact is False:
            break
        before = after
    return tuple(proofs)


_Outcome = tuple[bool | None, tuple[Difference, ...], str | None, tuple[str, ...]]
_NO_ROLLBACK: _Outcome = (None, (), "it has no rollback file", ())
_EXACT: _Outcome = (True, (), None, ())


def _undo_and_redo(database: ScratchDatabase, name: str, before: Fingerprint, after: Fingerprint) -> _Outcome:
    try:
        database.roll_back((name,))
    except MigrationFailed as error:
        return False, (), "its rollback fails", _lines(error)
    if found := differences(before, database.fingerprint()):
        return False, found, None, ()
    try:
        database.apply(name)
    except MigrationFailed as error:
        return False, (), "it cannot be applied again after its rollback", _lines(error)
    if found := differences(after, database.fingerprint()):
        return False, found, "applied again after its rollback, it makes something else", ()
    return _EXACT


def _lines(error: MigrationFailed) -> tuple[str, ...]:
    return (*error.details, error.message) if isinstance(error, NotOnServer) else error.details


def _prove_whole(database: ScratchDatabase, ids: tuple[str, ...], empty: Fingerprint) -> tuple[Difference, ...]:
    full = database.fingerprint()
    database.roll_back(ids[::-1])
    found = differences(empty, database.fingerprint())
    database.apply(ids[-1])
    return found + differences(full, database.fingerprint())


def apply_all(database: ScratchDatabase, name: str) -> None:
    """Apply the migrations up to one to a throw-away database.

    Raises:
        MigrationFailed: One cannot be applied; NotOnServer where the server is what is wrong.
    """
    try:
        database.apply(name)
    except NotOnServer:
        raise
    except MigrationFailed as error:
        raise MigrationFailed(
            f"the migrations up to {name} cannot be applied to an empty database",
            hint="edit the file, then: kinetria migrate verify",
            details=error.details,
        ) from error

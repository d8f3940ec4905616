"""kinetria seed."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from kinetria_cli.commands.base import Run, command
from kinetria_cli.commands.options import ConfirmOption, DryRunOption, YesOption, completing
from kinetria_cli.usecases.confirm import asking
from kinetria_cli.usecases.profiles import PROFILES
from kinetria_cli.usecases.seeding.contract import check_contract
from kinetria_cli.usecases.seeding.remove import remove_seed
from kinetria_cli.usecases.seeding.seed import SeedRequest
from kinetria_cli.usecases.seeding.seed import seed as run_seed
from kinetria_cli.usecases.seeding.verify import verify_seed
from kinetria_cli.usecases.seeding.wish import SeedWish


@command(writes=True)
def seed(
    run: Run,
    profile: Annotated[
        str,
        typer.Option(
            "--profile",
            metavar="NAME|FILE",
            help="minimal, demo, load, or a TOML file of your own.",
            autocompletion=completing(PROFILES),
        ),
    ] = "demo",
    users: Annotated[
        int | None, typer.Option("--users", metavar="N", help="How many; not for minimal and demo.")
    ] = None,
    random_seed: Annotated[int, typer.Option("--random-seed", help="The same number gives the same records.")] = 42,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="TIME", help="What the records lead up to.  [default: fixed per profile]"),
    ] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Compare what is there with the profile.")] = False,
    restore: Annotated[bool, typer.Option("--restore", help="Set rows back that were changed.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Delete the profile's rows, after asking.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Compare the generators with the schema, no records.")] = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    confirm: ConfirmOption = None,
) -> None:
    """Insert a profile's records that are not there yet; running it again changes nothing."""
    wish = SeedWish(profile, random_seed, users, as_of, verify, remove, restore, check, dry_run)
    mode, time = wish.mode, wish.time(datetime.now(UTC))
    container = run.container
    # What only looks may look at a standby.
    target = run.target if mode in ("check", "verify") else run.primary
    if mode == "check":
        contract = check_contract(container.checks.inspector(target.params))
        run.finish(contract, exit_code=0 if contract.ok else 1)
        return
    if mode == "remove":  # all rows, however many users and whatever their times
        found = container.seeds.profile(profile, random_seed=random_seed)
    else:
        found = container.seeds.profile_here(target.params, profile, random_seed=random_seed, users=users, as_of=time)
    agree = asking(
        run.prompt,
        target,
        destroys=mode == "remove",
        production=container.settings.production,
        yes=yes,
        confirm=confirm,
    )
    with container.seeds.opened(target.params, found, engine=container.target_engine, tell=run.tell) as ports:
        if mode == "verify":
            proof = verify_seed(
                found, users=users, source=ports.source, store=ports.store, progress=run.output.progress()
            )
            run.finish(proof, exit_code=0 if proof.ok else 1)
        elif mode == "remove":
            run.finish(
                remove_seed(found.name, random_seed, store=ports.store, agree=agree, dry_run=dry_run),
                change=not dry_run,
            )
        else:
            request, progress = SeedRequest(restore, dry_run), run.output.progress()
            result = run_seed(request, profile=found, ports=ports, progress=progress, agree=agree)
            run.finish(result, change=not dry_run)

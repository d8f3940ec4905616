"""Who may import whom, and where each library belongs."""

import ast
import sys
from pathlib import Path

import pytest

from tests.world import CHECKOUT

PACKAGE = CHECKOUT / "kinetria_cli"
MODULES = sorted(PACKAGE.rglob("*.py"))
STANDARD = sys.stdlib_module_names

# Layer -> the parts of our own package that it may import. A gateway's own folder is added below.
ALLOWED = {
    "domain": {"domain"},
    "usecases": {"domain", "usecases", "data"},
    "gateways": {"domain", "gateways.files", "gateways.pooling", "gateways.engines.common"},
    "presentation": {"domain", "usecases", "presentation"},
    "settings": {
        "domain",
        "settings",
        "settings_database",
        "settings_sources",
        "settings_url",
        "settings_values",
    },
    "commands": {
        "domain",
        "usecases",
        "commands",
        "settings",
        "settings_sources",
        "settings_values",
        "presentation",
        "bootstrap",
    },
    "bootstrap": {
        "",
        "bootstrap_bundle",
        "bootstrap_checks",
        "bootstrap_doctor",
        "bootstrap_engines",
        "bootstrap_health",
        "bootstrap_migrations",
        "bootstrap_seeding",
        "bootstrap_seeds",
        "bootstrap_service",
        "domain",
        "usecases",
        "gateways",
        "settings",
        "settings_sources",
    },
    "app": {"", "commands"},
    "data": set(),
}
ONLY_BASE_IMPORTS = {"settings", "settings_sources", "settings_values", "presentation", "bootstrap"}
LIBRARIES = {
    "psycopg": ("gateways.postgres", "gateways.migrations", "gateways.pooling"),
    "psycopg_pool": ("gateways.postgres",),
    "yoyo": ("gateways.migrations",),
    "sqlparse": ("gateways.migrations",),
    "rich": ("presentation",),
    "plotext": ("presentation",),
    "dotenv": ("settings_sources",),
    "psutil": ("gateways.engines",),
    "docker": ("gateways.engines.docker",),
    "requests": ("gateways.engines.docker",),
    "starlette": ("gateways.http",),
    "h11": ("gateways.http",),
    "uvicorn": ("gateways.http",),
    "prometheus_client": ("gateways.http",),
    "typer": ("commands", "app"),
}


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imports_of(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            # `from package import module`: the module is what is imported.
            package = CHECKOUT / (node.module or "").replace(".", "/")
            for alias in node.names:
                is_module = (package / f"{alias.name}.py").exists()
                found.add(f"{node.module}.{alias.name}" if is_module else node.module or "")
    return found


def layer_of(module: str) -> str:
    first = module.split(".", maxsplit=1)[0]
    return next((name for name in ("settings", "bootstrap") if first.startswith(name)), first)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_module_imports_only_what_its_layer_may(path: Path) -> None:
    module = name_of(path)
    layer = layer_of(module)
    if module in ("", "__main__"):
        return
    allowed = set(ALLOWED[layer])
    if layer == "gateways" and module.count("."):
        folder = ".".join(module.split(".")[:3] if module.startswith("gateways.engines.") else module.split(".")[:2])
        allowed.add(folder)
    if layer == "commands" and module != "commands.base":
        allowed -= ONLY_BASE_IMPORTS
    for imported in imports_of(path):
        top = imported.split(".")[0]
        if top == "kinetria_cli":
            target = imported.removeprefix("kinetria_cli").lstrip(".")
            assert any(target == name or (name and target.startswith(f"{name}.")) for name in allowed), (
                f"{module} may not import {imported}"
            )
        elif top not in STANDARD:
            assert top in LIBRARIES, f"{module} imports {top}, which has no place yet"
            assert module.startswith(LIBRARIES[top]), f"{top} does not belong in {module}"


def test_domain_uses_the_standard_library_alone() -> None:
    for path in (PACKAGE / "domain").glob("*.py"):
        for imported in imports_of(path):
            assert imported.split(".")[0] in STANDARD | {"kinetria_cli"}


def test_help_version_and_completion_import_nothing_heavy() -> None:
    import subprocess

    script = (
        "import sys; sys.argv = ['kinetria', {!r}]\n"
        "from kinetria_cli.app import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert end.code in (0, None), end.code\n"
        "heavy = {{'psycopg', 'yoyo', 'docker', 'rich', 'starlette', 'uvicorn', 'psutil', 'prometheus_client',"
        " 'plotext'}} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    for argument in ("--help", "--version", "--show-completion"):
        subprocess.run([sys.executable, "-c", script.format(argument)], check=True, capture_output=True)

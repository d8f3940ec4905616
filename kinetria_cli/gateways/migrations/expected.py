"""What a build expects of a database's migrations: read once, so that no look at the database opens a file."""

from pathlib import Path

from kinetria_cli.gateways.migrations.compare import texts_of
from kinetria_cli.gateways.migrations.files import read_folder


def read_expected(folder: Path) -> dict[str, str]:
    """Return the checksum of each migration in a folder by its id; see `content.checksum`.

    Raises:
        MigrationFileInvalid: The folder, a name or a file breaks a rule.
    """
    return {file.id: texts_of(file).checksum for file in read_folder(folder)}

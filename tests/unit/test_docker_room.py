"""What `df -P -k` prints in a container, as room on a disk."""

import pytest

from kinetria_cli.domain.stack import DiskSpace
from kinetria_cli.gateways.engines.docker.found import room_of

HEAD = "Filesystem           1024-blocks    Used Available Capacity Mounted on\n"


@pytest.mark.parametrize(
    ("printed", "room"),
    [
        (HEAD + "/dev/sda1  1000 600 300  67% /var/lib/postgresql/data\n", DiskSpace(300 * 1024, 900 * 1024)),
        (HEAD + "a disk of blanks  1000 0 1000   0% /var/lib/postgresql/data\n", DiskSpace(1000 * 1024, 1000 * 1024)),
        (HEAD, None),
        ("df: /var/lib/postgresql/data: No such file or directory\n", None),
        ("", None),
    ],
)
def test_used_and_available_are_read_whatever_the_disk_is_called(printed: str, room: DiskSpace | None) -> None:
    assert room_of(printed) == room

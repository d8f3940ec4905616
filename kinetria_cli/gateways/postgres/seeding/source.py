"""The port `SeedSource` in this process."""

from collections.abc import Generator, Mapping, Sequence

from kinetria_cli.domain.seeding import Block, Fingerprint, Profile, buckets, users_of
from kinetria_cli.gateways.postgres.seeding.images import fingerprint_of, images

ID_AT = slice(6, 22)
"""Where the id is in an image: behind the count of fields and its own length."""


class LocalSource:
    """See `SeedSource`.

    Args:
        profile: Whose rows.
    """

    def __init__(self, profile: Profile) -> None:
        self._profile = profile

    def blocks(self, tables: Sequence[str], users: range, *, data: bool = True) -> Generator[Block, None, None]:
        """See `SeedSource.blocks`."""
        for table in tables:
            for bucket in buckets(users_of(table, users), self._profile.bucket):
                made = list(images(table, self._profile.rows(table, bucket)))
                fingerprint = fingerprint_of(made)
                if fingerprint != Fingerprint():
                    yield Block(table, bucket, fingerprint, b"".join(made) if data else b"")

    def images(self, table: str, users: range) -> Mapping[bytes, bytes]:
        """See `SeedSource.images`."""
        return {image[ID_AT]: image for image in images(table, self._profile.rows(table, users))}

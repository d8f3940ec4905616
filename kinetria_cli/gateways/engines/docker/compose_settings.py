"""What the user's settings say about the Compose file and the images."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ComposeSettings:
    """Where the Compose file and what the image is made of lie, and which images the user prefers.

    Args:
        folder: Holds compose.yaml and the Dockerfile.
        sources: Name in the build context -> file or folder.
        version: Of the app.
        image: The app's image, or empty to build it.
        postgres_image, python_image: Others than the files' own, or empty.
    """

    folder: Path
    sources: Mapping[str, Path]
    version: str
    image: str = ""
    postgres_image: str = ""
    python_image: str = ""

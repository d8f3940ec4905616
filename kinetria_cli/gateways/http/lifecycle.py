"""Where the service is in its life."""


class Lifecycle:
    """Whether the service is about to end, for those who answer meanwhile."""

    def __init__(self) -> None:
        self.stopping = False

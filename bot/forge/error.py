"""The one error that reading from or writing to GitHub raises."""


class ForgeError(Exception):
    """A request that failed: why, whether trying again can help, and after how many seconds."""

    def __init__(self, reason: str, *, retry: bool, after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry = retry
        self.after = after

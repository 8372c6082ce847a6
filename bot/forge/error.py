"""The one error that reading from or writing to GitHub raises."""


class ForgeError(Exception):
    """A request that failed: why, whether trying again can help, and after how many seconds.

    `reason` starts with a word or two that name the kind, for counting: "rate limit: …". `status`
    is the HTTP status that GitHub answered with, or what stands for it; None where it did not.
    """

    def __init__(
        self, reason: str, *, retry: bool, after: float | None = None, status: int | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry = retry
        self.after = after
        self.status = status

    @property
    def gone(self) -> bool:
        """Whether what was asked for does not exist, or not for the App."""
        return self.status in {404, 410, 451}

    @property
    def heavy(self) -> bool:
        """Whether asking for less at a time may help."""
        return self.status in {500, 502, 503, 504}

    @property
    def unsure(self) -> bool:
        """Whether a write that failed so may be done all the same, and only in a while."""
        return self.status is None or self.status >= 500

    @property
    def refused(self) -> bool:
        """Whether GitHub understood a write and does not take it as it is."""
        return self.status == 422

"""Who uses the admin listener: the operator, or an application's own user."""

from __future__ import annotations

from dataclasses import dataclass

from mm7zeep.receiver import Refusal


@dataclass(frozen=True, slots=True)
class User:
    """Who asks. An ``application``'s own user sees its messages only, and acts on them; the operator (None) on all."""

    name: str
    application: str | None = None

    @property
    def is_operator(self) -> bool:
        """Whether everything may be seen and done."""
        return self.application is None

    def sees(self, application: str) -> bool:
        """Whether what belongs to ``application`` is this user's, too."""
        return self.application in (None, application)

    def application_filter(self, application: str | None) -> str | None:
        """Whose messages a list shows, where it is asked for those of ``application``; None for everybody's.

        Raises ``Refusal`` (403) for another application than the user's own, whether it exists or not.
        """
        if self.application is None or application == self.application:
            return application
        if application is not None:
            words = f"this log-in is that of the application {self.application!r} alone; leave out application"
            raise Refusal(403, words)
        return self.application


OPERATOR = User("operator")
"""Who asks where no password is configured."""

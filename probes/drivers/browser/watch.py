"""Signs that a step cannot succeed any more, looked for while it waits: so it ends now, not at its timeout."""

from collections.abc import Sequence
from dataclasses import dataclass

from collector.model.run import Outcome
from probes.drivers.browser.failure import not_loaded
from probes.drivers.browser.network import NetworkLog
from probes.drivers.http.failure import StepEnded
from probes.journey.file import Step

# As the large identity providers write them; a site adds its own in the driver's settings.
SECOND_FACTOR = (
    "Approve sign in request",
    "Open your Authenticator app",
    "We've sent a notification to your mobile device",
    "Pushed a login request to your device",
    "Check for a Duo Push",
    "Push notification sent",
)
CONDITIONAL_ACCESS = (
    "You cannot access this right now",
    "You can't get there from here",
    "does not meet the criteria to access this resource",
    "Set up your device to get access",
    "AADSTS53000",
    "AADSTS53001",
    "AADSTS53003",
)
_EXEMPTIONS = {
    "second_factor": (
        "the identity provider asks a person to approve the sign-in: ask for an exemption of the probe's account "
        "from push approval, or for a second factor by code (TOTP)"
    ),
    "conditional_access": (
        "a conditional access rule refuses this endpoint: ask for an exemption of the probe's account, "
        "named for this device and this application"
    ),
}


@dataclass(slots=True, kw_only=True)
class Watch:
    """Watches one step. ``secret_used_at`` is the browser's time at which a secret was first given."""

    step: Step
    log: NetworkLog
    second_factor: Sequence[str]
    conditional_access: Sequence[str]
    secret_used_at: float | None = None

    @property
    def signing_in(self) -> bool:
        """Say whether what the page shows may be the answer to a sign-in."""
        return self.step.sign_in and self.secret_used_at is not None

    def network(self) -> None:
        """Raise StepEnded when a document failed, or an answer refuses the sign-in."""
        refused = self._refused_by()
        if refused is not None:
            raise StepEnded(Outcome.FAILED, "authentication", f"the sign-in was refused with status {refused}")
        last = self.log.documents[-1] if self.log.documents else None
        if last is None:
            return
        if last.status is not None and last.status >= 400:  # without a body it is an error to the browser as well
            raise StepEnded(Outcome.FAILED, "status", f"answered {last.status}, expected a page")
        if last.error is not None and not last.cancelled:
            raise not_loaded(last.error)

    def _refused_by(self) -> int | None:
        if not self.signing_in or self.secret_used_at is None:
            return None
        statuses = self.step.authentication_failure.status
        return next(
            (
                one.status
                for one in self.log.exchanges
                if one.status in statuses and one.started >= self.secret_used_at and one.kind in _ASKS
            ),
            None,
        )

    def text(self, shown: str) -> None:
        """Raise StepEnded when the page refuses the sign-in, or asks for what a probe cannot give."""
        if not self.step.sign_in:
            return
        if self.signing_in and any(words in shown for words in self.step.authentication_failure.text):
            raise StepEnded(Outcome.FAILED, "authentication", "the sign-in was refused: the page says so")
        for kind, texts in (("second_factor", self.second_factor), ("conditional_access", self.conditional_access)):
            if any(words in shown for words in texts):
                raise StepEnded(Outcome.NOT_READY, kind, _EXEMPTIONS[kind])


_ASKS = frozenset({"Document", "XHR", "Fetch"})

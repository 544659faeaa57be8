"""The contract of a sampler: what an agent can read of the machine it runs on, and of what it touches from there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from collector.model.sample import Sample

HOUR = 3600.0


@runtime_checkable
class OpenSampler(Protocol):
    """A sampler that remembers its last counters, so that it can give rates and means."""

    def read(self) -> Sequence[Sample]:
        """Give what is new since the last call; the first call of a rate gives nothing."""
        ...

    def close(self) -> None:
        """Let go of files."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """What a reading gave that signed in; ``authenticated`` is None when it tells nothing of the account."""

    samples: Sequence[Sample]
    authenticated: bool | None


@runtime_checkable
class OpenSignIn(Protocol):
    """A sampler that signs in. The agent reads it under the rules of its account, as it walks a journey."""

    longest_seconds: float  # one sign-in takes no longer: the account is in use for so long

    def sign_in(self, secrets: Mapping[str, str]) -> SignedIn:
        """Sign in once with the secrets its kind names; none of them is kept. A refusal is no error."""
        ...

    def close(self) -> None:
        """Let go of what is open."""
        ...


Opened = OpenSampler | OpenSignIn


@runtime_checkable
class Sampler(Protocol):
    """A kind of sampler: ``PLUGIN`` of a module in ``probes/samplers/``."""

    def open(self, *, site: str, component: str, settings: Mapping[str, Any]) -> Opened:
        """Open with one entry of ``agent.samplers``; unknown keys raise ConfigError."""
        ...


@runtime_checkable
class SigningIn(Protocol):
    """What a kind has besides when it signs in: the secrets it needs, by name."""

    secrets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """The most one reading asks of what it touches and of this machine's processor, and how often it may be made."""

    operations: int  # requests, packets or system calls that reach the other side
    sent_bytes: int
    received_bytes: int
    cpu_seconds: float
    least_every: float  # seconds from one reading to the next; a plan that asks more often is refused

    @property
    def hourly(self) -> int:
        """The most operations an hour."""
        return round(self.operations * HOUR / self.least_every)


@runtime_checkable
class Active(Protocol):
    """What a kind has besides when it acts on one layer, and does not only look: a stated cost.

    Its samples are controls, never user experience: a layer whose probe stayed flat was not what made a step slow.
    """

    cost: Cost


@runtime_checkable
class Hindered(Protocol):
    """What an open sampler has besides when it can say what keeps it from being read here."""

    def hindrances(self) -> Sequence[str]:
        """Say in sentences what is in the way (rights, library, a target out of reach), and what to do.

        It takes as long as one reading at most, signs in nowhere and leaves nothing behind.
        """
        ...

"""Samplers that sign in: what is wrong with an entry of the plan, and a reading under the rules of its account."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from collector import secret
from collector.model.errors import SecretError, WhichlayerError
from collector.model.sample import Sample
from probes.account import Accounts
from probes.agent.settings import SamplerEntry
from probes.sampler import Active, Opened, OpenSampler, Sampler, SigningIn

PATIENCE_SECONDS = 10.0  # how long a sign-in waits for its account: a walk has it for longer, then this one is left out


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIns:
    """Reads samplers; one that signs in, under the rules of its account. References are relative to ``folder``."""

    accounts: Accounts
    folder: Path

    def read(self, entry: SamplerEntry, sampler: Opened) -> Sequence[Sample]:
        """Read once. Raises WhichlayerError when it cannot be, or its account may not be used (nothing was sent)."""
        if isinstance(sampler, OpenSampler):
            return sampler.read()
        assert entry.account is not None, "the plan was checked"
        secrets = secrets_of(entry, self.folder)
        seconds = sampler.longest_seconds
        with self.accounts.use(entry.account, seconds=seconds, patience=PATIENCE_SECONDS) as use:
            if use.refusal is not None:
                raise WhichlayerError(use.reason)
            told = sampler.sign_in(secrets)
            use.authenticated = told.authenticated
            return told.samples


def secrets_of(entry: SamplerEntry, folder: Path) -> Mapping[str, str]:
    """Resolve the secrets of one sign-in now: a changed password needs no restart. Raises SecretError."""
    return {name: secret.resolve(reference, base=folder) for name, reference in entry.secrets.items()}


def mistakes(entry: SamplerEntry, kind: Sampler, folder: Path, *, with_secrets: bool) -> Iterator[tuple[str, str]]:
    """Give what an entry says wrongly about its kind: the key it stands at, and the words."""
    needed = kind.secrets if isinstance(kind, SigningIn) else ()
    if needed and entry.account is None:
        yield "account", f"account: is missing: {entry.sampler} signs in, so name its account (never the password)"
    if entry.account is not None and not needed:
        yield "account", f"account: {entry.sampler} signs in nowhere: leave it out"
    if set(entry.secrets) != set(needed):
        yield "secrets", f"secrets: {entry.sampler} needs {', '.join(needed) or 'none'}, each as a reference"
    elif with_secrets:
        try:
            secrets_of(entry, folder)
        except SecretError as error:
            yield "secrets", f"secrets: {error}"
    if isinstance(kind, Active) and entry.every < kind.cost.least_every:
        yield "every", f"every: {too_often(entry, kind)}"


def too_often(entry: SamplerEntry, kind: Active) -> str:
    """Say what an active probe would ask and what it may."""
    asked = round(kind.cost.operations * 3600 / entry.every)
    return (
        f"{entry.sampler} would ask up to {asked} operations an hour, {kind.cost.hourly} are allowed: "
        f"write {kind.cost.least_every:g} s or more"
    )

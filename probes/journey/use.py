"""How an endpoint uses a journey file: the driver that does its steps, its account, its secrets."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from collector import secret
from collector.document import Document, PluginSettings
from collector.model.checks import NAME
from collector.model.errors import SecretError
from probes.journey.file import Journey


def _name(value: str) -> str:
    if not NAME.fullmatch(value):
        raise ValueError("must be lower-case letters, digits, '.', '_' or '-', at most 100")
    return value


Name = Annotated[str, AfterValidator(_name)]


class JourneyUse(Document):
    """What walks of a journey and sessions held open have in common."""

    file: Path = Field(description="the journey file, relative to whichlayer.yaml")
    driver: str = Field(default="http", description="how it is walked: its name in probes/drivers")
    account: Name | None = Field(default=None, description="name of the account it signs in with, never the password")
    secrets: Mapping[str, str] = Field(
        default_factory=dict, description="each secret as keyring:SERVICE/NAME, file:PATH or env:NAME"
    )
    variables: Mapping[str, str] = Field(default_factory=dict, description="values of the journey's variables")
    settings: PluginSettings = Field(
        default_factory=dict, description="what the driver needs to know of this endpoint, such as its proxy"
    )


def mistakes(use: JourneyUse, known: Journey, folder: Path, *, with_secrets: bool) -> Iterator[tuple[str, str]]:
    """Give what an entry says wrongly about its journey: the key it stands at, and the words."""
    for key, given, names in (
        ("variables", use.variables, known.variables),
        ("secrets", use.secrets, known.secrets),
    ):
        unknown = sorted(set(given) - set(names))
        if unknown:
            yield key, f"{key}: the journey has no {', '.join(unknown)}: it has {', '.join(sorted(names)) or 'none'}"
    if any(step.sign_in for step in known.steps) and use.account is None:
        yield "account", f"account: is missing: {known.name} signs in, so name the account it uses (never the password)"
    references = {**known.secrets, **use.secrets}
    stated = {name: "given" for name, reference in references.items() if reference}
    for what in known.missing(secrets=stated, variables=use.variables):
        yield "file", f"file: {what} of {known.name} has no value: give it in this entry"
    if with_secrets:
        try:
            resolve(use, known, folder)
        except SecretError as error:
            yield "secrets", f"secrets: {error}"


def resolve(use: JourneyUse, known: Journey, folder: Path) -> dict[str, str]:
    """Give each secret's value: the entry's reference wins, the journey's own is relative to its file."""
    found = {}
    for name, own in known.secrets.items():
        given = use.secrets.get(name)
        if given is not None:
            found[name] = secret.resolve(given, base=folder)
        elif own is not None:
            found[name] = secret.resolve(str(own), base=known.folder)
    return found

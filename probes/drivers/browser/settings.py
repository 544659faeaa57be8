"""What an endpoint says of its browser: read without Playwright, which only the endpoints with a browser have."""

from pathlib import Path

from pydantic import Field, field_validator

from collector.document import Document, Seconds
from probes.journey.browser import Element

FROM_ENVIRONMENT = "environment"
NO_PROXY = "none"


class Pictures(Document):
    """Pictures of failed steps, off unless this is given."""

    folder: Path = Field(description="Where they are kept: a folder in the agent's state folder.")
    regions: tuple[Element, ...] = Field(min_length=1, description="The parts of a window that may be kept.")
    keep: int = Field(default=20, ge=1, description="How many are kept; the oldest go.")


class BrowserSettings(Document):
    """How this endpoint's browser is found, started and looked at."""

    browser: str | None = Field(
        default=None, description="Name on PATH, or path, of Chromium, Edge or Chrome; the first found if not given."
    )
    headed: bool = Field(default=False, description="Show the window: to look at a journey, not to measure.")
    slow: Seconds = Field(default=0.0, description="A pause after everything done: to look at, not to measure.")
    proxy: str = Field(
        default=FROM_ENVIRONMENT,
        description="`environment` (the system's settings, HTTPS_PROXY, NO_PROXY), `none`, or a proxy's address.",
    )
    negotiate: tuple[str, ...] = Field(
        default=(), description="Servers that may have the Windows or Kerberos sign-in of this user: `*.example.org`."
    )
    accepted_keys: tuple[str, ...] = Field(
        default=(),
        description="Certificates that are accepted though the system knows no authority for them: "
        "SHA-256 of their public key, base 64.",
    )
    ca_file: Path | None = Field(
        default=None,
        description="Additional authorities (PEM) for connections with a client certificate; "
        "all others trust what the browser trusts.",
    )
    ahead: bool = Field(
        default=False,
        description="Let the browser connect and load ahead of need, as it does by itself: `connect` is then only "
        "what was waited for.",
    )
    test_id: str = Field(default="data-testid", pattern=r"^[a-zA-Z][\w-]*$", description="Attribute of test ids.")
    second_factor: tuple[str, ...] = Field(
        default=(), description="More texts of pages that ask a person to approve a sign-in."
    )
    conditional_access: tuple[str, ...] = Field(
        default=(), description="More texts of pages that refuse this endpoint by a rule."
    )
    pictures: Pictures | None = Field(default=None, description="Pictures of failed steps: none if not given.")
    idle: Seconds = Field(default=900.0, gt=0, description="A browser that no run used for this long is closed.")

    @field_validator("proxy")
    @classmethod
    def _address(cls, proxy: str) -> str:
        if proxy not in {FROM_ENVIRONMENT, NO_PROXY} and not proxy.startswith(("http://", "https://")):
            raise ValueError("must be environment, none, or an address beginning with http:// or https://")
        return proxy

    @property
    def arguments(self) -> tuple[str, ...]:
        """Give the browser's command-line arguments."""
        given = {
            "--no-proxy-server": self.proxy == NO_PROXY,
            f"--auth-server-allowlist={','.join(self.negotiate)}": bool(self.negotiate),
            f"--ignore-certificate-errors-spki-list={','.join(self.accepted_keys)}": bool(self.accepted_keys),
        }
        return tuple(argument for argument, wanted in given.items() if wanted)

"""How a person reaches the system: the link under them and the presentation in front of them."""

from dataclasses import dataclass
from enum import StrEnum


class Link(StrEnum):
    """The network the endpoint is on."""

    WIRED = "wired"
    WIFI = "wifi"
    VPN = "vpn"
    MOBILE = "mobile"
    UNKNOWN = "unknown"


class Presentation(StrEnum):
    """Where the application's window is drawn: on the endpoint, or in a session elsewhere."""

    LOCAL = "local"
    CITRIX = "citrix"
    RDP = "rdp"
    VNC = "vnc"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Link × presentation, each with how it is known. A guess is never stored as a fact.

    ``link_source`` and ``presentation_source`` say how it was found, for people
    ("nl80211 on wlan0", "label in whichlayer.yaml"); ``confidence`` is 0 to 1, the weaker of the two.
    """

    link: Link
    presentation: Presentation
    link_source: str = "not detected"
    presentation_source: str = "not detected"
    confidence: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.confidence <= 1.0:
            raise ValueError("confidence must be between 0 and 1")

    @property
    def population(self) -> "Population":
        """Give the part that groups runs."""
        return Population(link=self.link, presentation=self.presentation)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Population:
    """The runs of one access: what a verdict speaks about. ``str`` gives "vnc over wifi", "wifi"."""

    link: Link
    presentation: Presentation

    def __str__(self) -> str:
        if self.presentation is Presentation.LOCAL:
            return str(self.link)
        return f"{self.presentation} over {self.link}"

"""The layers a slowdown can be attributed to, in the order of the path a request takes."""

from enum import StrEnum


class Layer(StrEnum):
    """A part of the infrastructure somebody answers for. Not a host: one host can hold several."""

    ENDPOINT = "endpoint"
    ACCESS_NETWORK = "access_network"
    NETWORK_CORE = "network_core"
    REMOTE_SESSION = "remote_session"
    IDENTITY = "identity"
    VIRTUALISATION = "virtualisation"
    APP_SERVER = "app_server"
    APPLICATION = "application"
    DATABASE = "database"
    STORAGE = "storage"
    EXTERNAL_LINK = "external_link"
    PRINTING = "printing"

    @property
    def words(self) -> str:
        """Name the layer for people."""
        return _TITLES[self]


_TITLES = {
    Layer.ENDPOINT: "the endpoint itself",
    Layer.ACCESS_NETWORK: "access network (WiFi or cable)",
    Layer.NETWORK_CORE: "core network (WAN, firewall, proxy, DNS)",
    Layer.REMOTE_SESSION: "remote session (Citrix, RDP)",
    Layer.IDENTITY: "sign-in service",
    Layer.VIRTUALISATION: "virtualisation",
    Layer.APP_SERVER: "application server (memory, processor)",
    Layer.APPLICATION: "application (release, code)",
    Layer.DATABASE: "database",
    Layer.STORAGE: "storage (SAN)",
    Layer.EXTERNAL_LINK: "external link",
    Layer.PRINTING: "printing",
}

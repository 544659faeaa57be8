"""What one ``citrix`` source may be told."""

from pydantic import Field, HttpUrl, model_validator

from collector.document import Document, Seconds


class CitrixSettings(Document):
    """Settings of one ``citrix`` source: either ``user`` and ``password``, or ``customer``, ``client``, ``secret``."""

    url: HttpUrl = Field(description="…/Citrix/Monitor/OData/v4/Data of a controller, or …/monitorodata of the cloud")
    user: str | None = Field(default=None, description="on-premises: DOMAIN\\user, a read-only administrator")
    password: str | None = Field(default=None, description="secret reference: keyring:…, file:… or env:…")
    customer: str | None = Field(default=None, description="cloud: customer id")
    client: str | None = Field(default=None, description="cloud: id of an API client, read-only")
    secret: str | None = Field(default=None, description="cloud: secret reference of that client")
    token_url: HttpUrl | None = Field(default=None, description="cloud: where id and secret are traded for a token")
    environment: str = Field(default="live", description="live, test or whatever the site calls it")
    names: bool = Field(default=False, description="keep users and clients under their names, not under pseudonyms")
    since: Seconds = Field(default=0.0, ge=0, description="how far back the very first reading goes")
    overlap: Seconds = Field(default=300.0, ge=10, description="how late Citrix may write a row")
    timeout: Seconds = Field(default=30.0, ge=1, le=120, description="how long one page may take")

    @model_validator(mode="after")
    def _one_way_in(self) -> "CitrixSettings":
        on_premises = (self.user, self.password)
        cloud = (self.customer, self.client, self.secret)
        if all(on_premises) and not any(cloud):
            return self
        if all(cloud) and not any(on_premises):
            return self
        raise ValueError("needs user and password (a controller), or customer, client and secret (the cloud)")

    @property
    def trade(self) -> str:
        """Say where a token is asked for."""
        return str(self.token_url or f"https://api.cloud.com/cctrustoauth2/{self.customer}/tokens/clients")

"""One request of a step: what is sent, what must come back, and what is kept for later steps."""

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from collector.document import Document
from probes.journey.text import Regex, Template, Text, Word, looks_sensitive

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
Status = Annotated[int, Field(ge=100, le=599)]


def listed(value: object) -> object:
    """Take one value where a list is meant."""
    return value if isinstance(value, list | tuple) else [value]


class Expect(Document):
    """What the answer, after redirects, must be. Everything given must hold."""

    status: tuple[Status, ...] = Field(default=(), description="Accepted status codes; any of 200 to 299 if not given.")
    text: tuple[Template, ...] = Field(default=(), description="Texts that must stand in the answer.")
    not_text: tuple[Template, ...] = Field(default=(), description="Texts that must not stand in the answer.")
    regex: tuple[Regex, ...] = Field(default=(), description="Regular expressions that must match somewhere.")
    json_values: dict[str, Template] = Field(
        default={}, alias="json", description="Dotted path into a JSON answer (`items.0.title`) and the value there."
    )

    _one_or_many = field_validator("status", "text", "not_text", "regex", mode="before")(listed)


class Link(Document):
    """A link of an HTML page: the first whose address and text both fit."""

    href: Regex | None = Field(default=None, description="Regular expression the link's `href` must match.")
    text: Template | None = Field(default=None, description="Text that must stand in the link.")

    @model_validator(mode="after")
    def _something(self) -> "Link":
        if self.href is None and self.text is None:
            raise ValueError("says nothing about the link: give href, text or both")
        return self


class Capture(Document):
    """Where a value is found in an answer: exactly one of these."""

    regex: Regex | None = Field(default=None, description="The first group of the first match, or the whole match.")
    json_path: str | None = Field(default=None, alias="json", description="Dotted path into a JSON answer.")
    header: str | None = Field(default=None, description="Name of a response header.")
    form_field: str | None = Field(
        default=None, description="Name of an input of the page's forms: its value, as with hidden CSRF tokens."
    )
    link: Link | None = Field(default=None, description="A link of the page: its full address.")

    @model_validator(mode="after")
    def _exactly_one(self) -> "Capture":
        if sum(getattr(self, name) is not None for name in type(self).model_fields) != 1:
            raise ValueError("needs exactly one of regex, json, header, form_field and link")
        return self


class Request(Document):
    """One request and its answer; redirects are followed and belong to it."""

    method: Method = Field(default="GET", description="HTTP method.")
    path: Template = Field(
        description="Path below the variable `base_url`, beginning with `/`, or `{name}` of a captured link."
    )
    query: dict[str, Template] = Field(default={}, description="Query parameters.")
    form: dict[str, Template] | None = Field(default=None, description="Form fields, sent as a browser sends a form.")
    json_body: Any = Field(default=None, alias="json", description="Body sent as JSON; texts in it may hold {name}.")
    headers: dict[str, Template] = Field(default={}, description="Additional request headers.")
    expect: Expect = Field(default=Expect(), description="What the answer must be.")
    capture: dict[Word, Capture] = Field(default={}, description="Values kept for later, by the name they are used by.")

    @field_validator("path")
    @classmethod
    def _below_base(cls, path: str) -> str:
        if not path.startswith(("/", "{")):
            raise ValueError("must begin with / (it is put behind base_url) or be the {name} of a captured link")
        return path

    @field_validator("form", "headers")
    @classmethod
    def _no_literal_secret(cls, values: dict[str, str] | None) -> dict[str, str] | None:
        plain = [key for key, text in (values or {}).items() if looks_sensitive(key) and "{" not in text]
        if plain:
            raise ValueError(
                f"{', '.join(plain)} holds a secret written out: "
                "declare it under secrets, by reference, and write {its name}"
            )
        return values

    @model_validator(mode="after")
    def _one_body(self) -> "Request":
        if self.form is not None and self.json_body is not None:
            raise ValueError("has both form and json: a request has one body")
        if self.method in {"GET", "HEAD"} and (self.form is not None or self.json_body is not None):
            raise ValueError(f"a {self.method} has no body: use query, or method: POST")
        return self


class VerifySaved(Document):
    """Reads back what a step wrote: the page at ``path`` must show ``marker``."""

    path: Template = Field(description="Where the written thing is shown.")
    query: dict[str, Template] = Field(default={}, description="Query parameters.")
    marker: Template = Field(description="Text only this run wrote: it must hold {run_id}.")

    @field_validator("marker")
    @classmethod
    def _unique(cls, marker: str) -> str:
        if "{run_id}" not in marker:
            raise ValueError("must hold {run_id}: otherwise an earlier run's text would pass as this one's")
        return marker


class AuthenticationFailure(Document):
    """What a wrong user name or password looks like: one of these statuses, or one of these texts."""

    status: tuple[Status, ...] = Field(default=(401, 403), description="Status codes that mean it.")
    text: tuple[Text, ...] = Field(default=(), description="Texts that mean it, where the status is 200.")

    _one_or_many = field_validator("status", "text", mode="before")(listed)

"""One thing done in a browser, as a journey says it.

An element is named as a person would name it: by its role and name, its label or its text, and by a
test id where the application has none of these.
"""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from collector.document import Document
from probes.journey.request import listed
from probes.journey.text import Origin, Regex, Template, Word, looks_sensitive

_ROLES = """
alert alertdialog application article banner blockquote button caption cell checkbox code columnheader combobox
complementary contentinfo definition dialog directory document feed figure form grid gridcell group heading img link
list listbox listitem log main marquee math menu menubar menuitem menuitemcheckbox menuitemradio meter navigation note
option paragraph progressbar radio radiogroup region row rowgroup rowheader scrollbar search searchbox separator slider
spinbutton status switch tab table tablist tabpanel term textbox time timer toolbar tooltip tree treegrid treeitem
"""


def _role(text: str) -> str:
    if text not in _ROLES.split():
        raise ValueError("is not a role of ARIA: write button, link, textbox, combobox, checkbox, heading, row …")
    return text


Role = Annotated[str, AfterValidator(_role)]


class Address(Document):
    """The address a window shows."""

    regex: Regex = Field(description="Regular expression that must match somewhere in the address.")


class Element(Document):
    """Which element: exactly one of role, label, text and test_id. It must be the only one that fits."""

    role: Role | None = Field(default=None, description="Its ARIA role, mostly with a `name`.")
    name: Template | None = Field(default=None, description="Its accessible name: what a screen reader says.")
    label: Template | None = Field(default=None, description="The label of a form field.")
    text: Template | None = Field(default=None, description="Text that stands in it.")
    test_id: Template | None = Field(default=None, description="Its test id, where it has no name a person could use.")
    exact: bool = Field(default=False, description="The whole name, label or text, with its case; else a part of it.")
    first: bool = Field(default=False, description="Take the first one if several fit.")
    frame: Template | None = Field(default=None, description="Title or name of the frame it is in.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = self._ways()
        if sum(getattr(self, way) is not None for way in ways) != 1:
            raise ValueError(f"needs exactly one of {', '.join(ways[:-1])} and {ways[-1]}")
        if self.name is not None and self.role is None:
            raise ValueError("has a name without a role: add the role, or use label or text")
        return self

    @classmethod
    def _ways(cls) -> tuple[str, ...]:
        return ("role", "label", "text", "test_id")

    @property
    def names_a_secret(self) -> bool:
        """Say whether what it is called is what fields for secrets are called."""
        return any(looks_sensitive(text) for text in (self.name, self.label, self.test_id) if text)


class WaitFor(Element):
    """What is waited for, until the step's timeout: an element, or the address of the window."""

    url: Address | None = Field(default=None, description="The window's address.")
    state: Literal["visible", "hidden"] = Field(default="visible", description="`hidden` waits until it is gone.")

    @classmethod
    def _ways(cls) -> tuple[str, ...]:
        return ("role", "label", "text", "test_id", "url")


class PageExpect(Document):
    """What the window must show. It is waited for while the page still works, then judged."""

    text: tuple[Template, ...] = Field(default=(), description="Texts a person must be able to read.")
    not_text: tuple[Template, ...] = Field(default=(), description="Texts that must not be there.")
    regex: tuple[Regex, ...] = Field(default=(), description="Regular expressions that must match the readable text.")
    url: Address | None = Field(default=None, description="The window's address.")

    _one_or_many = field_validator("text", "not_text", "regex", mode="before")(listed)

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.text or self.not_text or self.regex or self.url):
            raise ValueError("says nothing: give text, not_text, regex or url")
        return self

    @property
    def positive(self) -> bool:
        """Say whether something must be there, not only absent."""
        return bool(self.text or self.regex or self.url)


class Download(Element):
    """An element that is clicked to get a file; the file is read, judged and removed."""

    regex: Regex | None = Field(default=None, description="Must match in the file, read byte by byte: `^%PDF-`.")


class PrintPdf(Document):
    """The window, printed to a PDF that is looked at and thrown away."""

    min_bytes: int = Field(default=1, ge=1, description="The least size of the PDF.")


class PageCapture(Element):
    """Where a value is found: in the readable text, the address, or an element."""

    regex: Regex | None = Field(default=None, description="In the readable text: the first group, or the whole match.")
    url: Address | None = Field(default=None, description="In the window's address: the first group, or all of it.")
    attribute: str | None = Field(
        default=None, description="Attribute of the element, addresses in full; its text if not given."
    )

    @classmethod
    def _ways(cls) -> tuple[str, ...]:
        return ("role", "label", "text", "test_id", "regex", "url")

    @model_validator(mode="after")
    def _attribute_of_something(self) -> Self:
        if self.attribute is not None and (self.regex is not None or self.url is not None):
            raise ValueError("has an attribute without an element: give role, label, text or test_id")
        return self


class Credentials(Document):
    """Answers the browser's own question for user name and password: Basic, Digest, NTLM, Negotiate."""

    username: Template = Field(description="The user name, with its domain before it where there is one.")
    password: Template = Field(description="`{name}` of a secret.")
    origin: Origin | None = Field(default=None, description="The server that asks; the one of base_url if not given.")

    @field_validator("password")
    @classmethod
    def _reference(cls, password: str) -> str:
        return _by_reference(password)


def _by_reference(text: str) -> str:
    if "{" not in text:
        raise ValueError("holds a secret written out: declare it under secrets, by reference, and write {its name}")
    return text


_NEEDS_INTO = ("fill", "fill_secret", "totp", "select")
_MAY_HAVE_INTO = (*_NEEDS_INTO, "press")


class BrowserAction(Document):
    """One thing done in a browser: exactly one of these, with ``into`` where something is put in."""

    open: Template | None = Field(
        default=None, description="Path below the variable `base_url`, beginning with `/`, or `{name}` of an address."
    )
    fill: Template | None = Field(default=None, description="Text put into a field.")
    fill_secret: Template | None = Field(default=None, description="Text with a secret, put into a field.")
    totp: Template | None = Field(
        default=None, description="`{name}` of the secret of an authenticator app (base 32): its code now is put in."
    )
    click: Element | None = Field(default=None, description="The element that is clicked.")
    press: str | None = Field(default=None, description="A key: `Enter`, `Tab`, `F2`, `Control+s`.")
    select: Template | None = Field(default=None, description="The option that is chosen, as it is shown.")
    wait_for: WaitFor | None = Field(default=None, description="What is waited for.")
    expect: PageExpect | None = Field(default=None, description="What the window must show.")
    download: Download | None = Field(default=None, description="What is clicked to get a file.")
    print_pdf: PrintPdf | None = Field(default=None, description="Prints the window to a PDF.")
    capture: dict[Word, PageCapture] | None = Field(
        default=None, description="Values kept for later, by the name they are used by."
    )
    credentials: Credentials | None = Field(
        default=None, description="What the browser says when a server asks for user name and password; all run long."
    )
    into: Element | None = Field(default=None, description="The field, for fill, fill_secret, totp, select and press.")

    @field_validator("open")
    @classmethod
    def _below_base(cls, path: str | None) -> str | None:
        if path is not None and not path.startswith(("/", "{")):
            raise ValueError("must begin with / (it is put behind base_url) or be the {name} of an address")
        return path

    @field_validator("fill_secret", "totp")
    @classmethod
    def _no_literal_secret(cls, text: str | None) -> str | None:
        return text if text is None else _by_reference(text)

    @model_validator(mode="after")
    def _one_action(self) -> Self:
        kinds = [name for name in type(self).model_fields if name != "into"]
        given = [name for name in kinds if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"needs exactly one of {', '.join(kinds[:-1])} and {kinds[-1]}")
        if self.into is None and self.kind in _NEEDS_INTO:
            raise ValueError(f"needs into: the field that {self.kind} is for, such as into: {{label: Search}}")
        if self.into is not None and self.kind not in _MAY_HAVE_INTO:
            raise ValueError(f"has into, which {self.kind} has no use for: it belongs to {', '.join(_MAY_HAVE_INTO)}")
        if self.fill is not None and self.into is not None and self.into.names_a_secret:
            raise ValueError("fills a field for a secret: use fill_secret, which is kept out of everything")
        return self

    @property
    def kind(self) -> str:
        """Give the key that says what is done."""
        return next(name for name in type(self).model_fields if name != "into" and getattr(self, name) is not None)

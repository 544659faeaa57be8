"""One thing done in the window of a remote session, as a journey says it.

What a session shows is described by a sight: a picture cut out of a screenshot, a colour, or that
anything has changed. Places are pixels of the session's screen, counted from its top left corner.
"""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from collector.document import Document
from probes.journey.text import NonEmpty, Template, Word

_MODIFIERS = frozenset({"ctrl", "alt", "shift", "super"})
KEY_NAMES = frozenset(
    {"Return", "Tab", "Escape", "BackSpace", "Delete", "Insert", "Home", "End", "Left", "Right", "Up", "Down"}
    | {"Page_Up", "Page_Down", "space"}
    | {f"F{number}" for number in range(1, 13)}
)
"""Keys with a name, as X calls them; every other key is the character on it."""

Obstacle = Literal["authentication", "notice", "locked", "error"]
"""What may stand in the way of a session: a refused sign-in, a legal notice, a locked session, an error box."""


def _box(box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    if min(box[:2]) < 0 or min(box[2:]) < 1:
        raise ValueError("must be [x, y, width, height] in pixels, with a width and a height of at least 1")
    return box


def _keys(text: str) -> str:
    *held, key = text.split("+") if text != "+" else [text]
    unknown = sorted(set(held) - _MODIFIERS) or ([key] if len(key) != 1 and key not in KEY_NAMES else [])
    if unknown:
        raise ValueError(f"{unknown[0]!r} is not a key: write one character, Return, Tab, F5, ctrl+s …")
    return text


def _placeholder(text: str) -> str:
    if "{" not in text:
        raise ValueError("is written out: declare it under secrets, by reference, and write {its name}")
    return text


Box = Annotated[tuple[int, int, int, int], AfterValidator(_box)]
"""A part of the screen: x, y, width, height."""

ImageFile = Annotated[str, StringConstraints(pattern=r"^[^{}]+\.png$")]
"""A PNG file, relative to the journey file."""

Keys = Annotated[str, AfterValidator(_keys)]
"""A key, or several pressed together: ``ctrl+s``."""

Handed = Annotated[Template, AfterValidator(_placeholder)]
"""A text that holds a secret or variable, never the secret itself."""


class Sight(Document):
    """Something to be seen in the session: exactly one of image, text, colour and change."""

    image: ImageFile | None = Field(default=None, description="A picture (PNG) cut out of a screenshot of the session.")
    text: Template | None = Field(
        default=None, description="Words that are read in `region`, whole words in this order (OCR, `whichlayer[ocr]`)."
    )
    colour: str | None = Field(
        default=None, pattern=r"^#[0-9a-fA-F]{6}$", description="A colour, as `#20a040`, that fills a part of `region`."
    )
    change: bool = Field(default=False, description="Anything in `region` that is not as it was before.")
    region: Box | None = Field(default=None, description="Where to look: [x, y, width, height]; anywhere if absent.")
    likeness: float = Field(
        default=0.8, ge=0.5, lt=1, description="How like the image must be, as normalised correlation: 1 is the same."
    )
    share: float = Field(default=0.5, gt=0, le=1, description="The part of the region the colour must fill.")
    gone: bool = Field(default=False, description="Turns it round: it must no longer be there.")

    @model_validator(mode="after")
    def _one(self) -> "Sight":
        said = (self.image, self.text, self.colour, self.change or None)
        if sum(one is not None for one in said) != 1:
            raise ValueError("needs exactly one of image, text, colour and change")
        if self.text is not None and self.region is None:
            raise ValueError("names a text without the region it is read in: reading everything takes too long")
        if self.text is not None and not re.search(r"\w", self.text):
            raise ValueError("names a text without a word")
        if self.change and self.gone:
            raise ValueError("says change and gone: a change cannot be gone")
        return self


class Still(Sight):
    """Something that can be seen in one picture: an image, a text or a colour."""

    @model_validator(mode="after")
    def _no_change(self) -> "Still":
        if self.change:
            raise ValueError("needs image, text or colour: one picture alone shows no change")
        return self


class Target(Document):
    """Where the mouse clicks: the middle of an image, or a point."""

    image: ImageFile | None = Field(default=None, description="A picture (PNG) of what is clicked, in its middle.")
    region: Box | None = Field(default=None, description="Where to look for the image.")
    at: tuple[int, int] | None = Field(default=None, description="A point of the screen: [x, y].")
    button: Literal["left", "middle", "right"] = Field(default="left", description="The button.")
    double: bool = Field(default=False, description="Twice.")

    @model_validator(mode="after")
    def _one(self) -> "Target":
        if (self.image is None) == (self.at is None):
            raise ValueError("needs exactly one of image and at")
        return self


class Logon(Document):
    """Starts the client and waits until the session can be used."""

    ready: Still = Field(description="What only a session that can be used shows.")
    credentials: dict[Word, Handed] = Field(
        default={}, description="What the client is given to sign in, by the name the driver's settings use."
    )
    instead: dict[Obstacle, Still] = Field(
        default={},
        description="What may be shown instead, then and later: it ends the step at once and is its kind.",
    )
    same_session: Still | None = Field(
        default=None, description="What only a session shows that an earlier run has left open."
    )


class Keystrokes(Document):
    """Types keys one by one and times each until the picture answers; the step's time is their median."""

    keys: str = Field(default="asdfg", min_length=3, max_length=50, description="What is typed, a key at a time.")
    region: Box | None = Field(default=None, description="Where the answer shows; leave out clocks and the like.")
    erase: bool = Field(default=True, description="Take each back with BackSpace, so that nothing stays typed.")


class ScreenAction(Document):
    """One thing done in the window of a remote session: exactly one of these."""

    logon: Logon | None = Field(default=None, description="Starts the client: the first thing of the first step.")
    type: Template | None = Field(default=None, description="Text that is typed.")
    type_secret: Handed | None = Field(default=None, description="A secret that is typed; never in a picture or log.")
    press: Keys | None = Field(default=None, description="A key, such as `Return` or `ctrl+s`.")
    click: Target | None = Field(default=None, description="A click of the mouse.")
    wait_for: Sight | None = Field(default=None, description="Waits until it is seen: the end of what is timed.")
    expect: Still | None = Field(default=None, description="Must be seen now; not waited for and not timed.")
    keystrokes: Keystrokes | None = Field(default=None, description="Times keystrokes until the picture answers.")

    @model_validator(mode="after")
    def _one(self) -> "ScreenAction":
        if sum(getattr(self, name) is not None for name in type(self).model_fields) != 1:
            raise ValueError(f"needs exactly one of {', '.join(type(self).model_fields)}")
        return self

    @property
    def is_input(self) -> bool:
        """Say whether it is something a user does with keyboard or mouse, and that gets an answer."""
        return any(one is not None for one in (self.type, self.type_secret, self.press, self.click))


def _timed(actions: tuple[ScreenAction, ...]) -> tuple[ScreenAction, ...]:
    if actions[-1].is_input:
        raise ValueError("ends with something that is typed or clicked: end it with wait_for, so that it is timed")
    if not any(action.logon or action.wait_for or action.keystrokes for action in actions):
        raise ValueError("times nothing: it needs logon, wait_for or keystrokes")
    if any(action.logon for action in actions[1:]):
        raise ValueError("has logon in the middle: it must be the first thing of its step")
    return actions


ScreenActions = Annotated[NonEmpty[ScreenAction], AfterValidator(_timed)]
"""What is done in one step, in order; it ends with what is waited for."""


def safe_record_mistake(safe_record: str) -> str | None:
    """Say what is wrong with the safe record of a step in this language; None if nothing is."""
    if re.fullmatch(r"[^{}]+\.png", safe_record):
        return None
    return "safe_record of a screen step must be a picture (PNG) that only the record made for probes shows"

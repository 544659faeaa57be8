"""YAML documents into pydantic models, with every mistake at once and its place.

``1:1`` counts lines and columns from 1, as editors do. Unknown keys are mistakes: models forbid
extra. What stands at a mistake is never repeated in the message, since it may be a secret.
"""

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from collector.model.errors import ConfigError, Mistake

M = TypeVar("M", bound="Document")


class Document(BaseModel):
    """Base of everything read from a file: frozen, strict about keys, silent about values."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|min|h|d)\s*")
_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(written: object) -> float:
    """Read one duration as seconds. Raises ValueError that shows how to write one."""
    if isinstance(written, int | float) and not isinstance(written, bool):
        value = float(written)
    elif isinstance(written, str) and (match := _DURATION.fullmatch(written)):
        value = float(match[1]) * _UNITS[match[2]]
    else:
        raise ValueError("is not a duration: write 250 ms, 30 s, 5 min, 2 h, 1 d or a number of seconds")
    if not math.isfinite(value) or value < 0:
        raise ValueError("must be a finite duration of at least 0 s")
    return value


Seconds = Annotated[float, BeforeValidator(seconds)]
"""A duration as files write it (``30 s``, ``250 ms``, ``5 min``, a number of seconds), in seconds."""


def _mapping(value: Any) -> Any:  # noqa: ANN401  kept as it was read, since it knows its lines
    if not isinstance(value, Mapping):
        raise ValueError("must be a mapping of keys to values")  # noqa: TRY004  pydantic wants ValueError
    return value


PluginSettings = Annotated[Any, AfterValidator(_mapping)]
"""What a plug-in needs to know, as it stands in the file: the plug-in validates it (``validate``)."""


def read(path: Path, kind: type[M]) -> M:
    """Read and validate one file. Raises ConfigError with every mistake."""
    return parse(text_of(path), path, kind)


def text_of(path: Path) -> str:
    """Read one file as text. Raises ConfigError."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise _one(path, 1, 1, "there is no such file: check the path") from None
    except (OSError, UnicodeDecodeError) as cause:
        reason = getattr(cause, "strerror", None) or "it is not UTF-8 text"
        raise _one(path, 1, 1, f"cannot be read: {reason}") from None


def parse(text: str, path: Path, kind: type[M]) -> M:
    """Validate text that came from ``path``. Raises ConfigError with every mistake."""
    tree = load_tree(text, path)
    if not isinstance(tree, Mapping):
        raise _one(path, 1, 1, "must be a mapping of keys to values")
    try:
        return kind.model_validate(tree)
    except ValidationError as errors:
        raise ConfigError(_mistakes(errors, tree, path)) from None


def validate(given: Mapping[str, Any], kind: type[M], *, file: str) -> M:
    """Validate the settings of a plug-in: a part of a document that is already read.

    Raises ConfigError; mistakes have their places when ``given`` is as it was read from the file.
    """
    try:
        return kind.model_validate(dict(given))
    except ValidationError as errors:
        raise ConfigError(_mistakes(errors, given, Path(file))) from None


def load_tree(text: str, path: Path) -> Any:  # noqa: ANN401  YAML holds anything
    """Parse YAML 1.2, keeping where each key stands."""
    yaml = YAML(typ="rt")
    yaml.allow_duplicate_keys = False
    try:
        return yaml.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise _one(path, line, column, f"is not valid YAML: {_problem(error)}") from None
    except ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        raise _one(path, line, column, f"holds a character YAML does not allow: {error.character!r}") from None
    except RecursionError:
        raise _one(path, 1, 1, "is nested too deeply: no file of ours needs that") from None
    except (YAMLError, ValueError) as error:
        raise _one(path, 1, 1, f"is not valid YAML: {str(error).splitlines()[0]}") from None


def _problem(error: MarkedYAMLError) -> str:
    """Say what the parser found, without the values it shows of a key that is there twice."""
    if isinstance(error, DuplicateKeyError):
        return str(error.problem).partition(" with value ")[0]
    return (error.problem or "is not YAML").splitlines()[0]


def place(tree: Any, location: Sequence[str | int]) -> tuple[int, int]:  # noqa: ANN401
    """Find line and column of a key path in a loaded tree; of its nearest parent if it is absent."""
    line, column = 1, 1
    node = tree
    for part in location:
        marks = getattr(node, "lc", None)
        if marks is None or marks.data is None or part not in marks.data:
            if isinstance(node, Mapping) or isinstance(part, int):
                break
            continue
        spot = marks.data[part]
        line, column = spot[0] + 1, spot[1] + 1
        node = node[part]
    return line, column


def _mistakes(errors: ValidationError, tree: Any, path: Path) -> list[Mistake]:  # noqa: ANN401
    mistakes = []
    for error in errors.errors(include_input=False, include_url=False):
        line, column = place(tree, error["loc"])
        where = ".".join(str(part) for part in error["loc"])
        mistakes.append(Mistake(file=str(path), line=line, column=column, message=f"{where}: {_plain(error)}"))
    return sorted(set(mistakes), key=lambda mistake: (mistake.line, mistake.column, mistake.message))


_WORDS = {  # for people who write YAML, not Python
    "extra_forbidden": "is not a known key: check its spelling, or remove it",
    "missing": "is missing: add it",
    "dict_type": "must be a mapping of keys to values",
    "mapping_type": "must be a mapping of keys to values",
    "model_type": "must be a mapping of keys to values",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "string_type": "must be text; a number needs quotes",
}


def _plain(error: Mapping[str, Any]) -> str:
    return _WORDS.get(error["type"]) or str(error["msg"]).removeprefix("Value error, ")


def _one(path: Path, line: int, column: int, message: str) -> ConfigError:
    return ConfigError([Mistake(file=str(path), line=line, column=column, message=message)])

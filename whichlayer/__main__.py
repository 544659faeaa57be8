"""``whichlayer``: reads the command line and hands over to one file of ``whichlayer/commands/``."""

import io
import os
import sys
from importlib import import_module
from typing import Annotated

import typer

from collector.model.errors import ConfigError, WhichlayerError
from collector.plugin import names
from whichlayer import commands

# Sums come out the same everywhere, and small matrices are not handed about between threads. It counts only before
# numpy is imported, which commands do; worker processes inherit it.
_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
APP = typer.Typer(
    name="whichlayer",
    help="The system is slow: which layer? Journeys, infrastructure and evidence.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"whichlayer {version('whichlayer')}")
        raise typer.Exit


@APP.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """The system is slow: which layer? Journeys, infrastructure and evidence."""


for _name in names(commands):
    import_module(f"whichlayer.commands.{_name}").add(APP)


def main() -> None:
    """Run one command. Exit codes: 0 done, 1 the tool could not, 2 the input is wrong; replay has 3 and 4 too."""
    for name in _ONE_THREAD:
        os.environ.setdefault(name, "1")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # pythonw has none; a Windows code page has no ≥
            stream.reconfigure(errors="backslashreplace")
    try:
        APP()
    except ConfigError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    except WhichlayerError as error:
        print(f"whichlayer: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()

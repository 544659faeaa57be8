"""Starts a program with listening sockets already open, as systemd's socket activation does.

``python -m deploy.lab.activation DESCRIPTOR … -- COMMAND …``
"""

import os
import sys

_FIRST = 3  # sd_listen_fds(3): the sockets are 3, 4, 5 …


def main() -> None:
    """Put the sockets where the program looks for them, and become the program."""
    split = sys.argv.index("--")
    given = [int(word) for word in sys.argv[1:split]]
    # Out of the way first: one of them may sit where another has to go.
    spare = [os.dup2(descriptor, 100 + number) for number, descriptor in enumerate(given)]
    for number, descriptor in enumerate(spare):
        os.dup2(descriptor, _FIRST + number)
    os.closerange(_FIRST + len(given), 100 + len(given))
    os.environ["LISTEN_FDS"] = str(len(given))
    os.environ["LISTEN_PID"] = str(os.getpid())
    command = sys.argv[split + 1 :]
    os.execvp(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main()

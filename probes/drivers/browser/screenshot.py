"""A picture of a step that failed: only where a site asked for one, only of the regions it declared.

Never of a step that signs in. Fields for secrets, every field a secret was put into, and every place a
secret can be read are painted over before the picture is taken.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Locator

from collector.model.run import MEASURED, StepTiming
from probes.drivers.browser.settings import Pictures
from probes.drivers.browser.window import Windows
from probes.journey.file import Step

_COLOUR = "#202020"
_FIELDS = "input[type=password], input[autocomplete=one-time-code], input[autocomplete$=password]"
_LOOK_MILLISECONDS = 500.0
_LIMIT_MILLISECONDS = 5000.0


def wanted(step: Step, timing: StepTiming) -> bool:
    """Say whether a picture of this step may be taken at all."""
    return not step.sign_in and timing.outcome not in MEASURED


def take(
    pictures: Pictures, windows: Windows, name: str, secrets_in: Sequence[Locator], secrets: Mapping[str, str]
) -> list[str]:
    """Take one picture of each region that is there; give the names of the files, oldest files removed."""
    pictures.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    page = windows.page
    masks = [page.locator(_FIELDS), *secrets_in]
    masks += [page.get_by_text(value) for value in secrets.values() if len(value) > 3]
    taken = []
    for number, region in enumerate(pictures.regions):
        path = pictures.folder / f"{name}-{number}.png"
        with suppress(PlaywrightError):  # a region that is not there, or a page that is gone
            found = windows.locate(region)
            found.wait_for(timeout=_LOOK_MILLISECONDS)
            found.screenshot(path=path, mask=masks, mask_color=_COLOUR, timeout=_LIMIT_MILLISECONDS)
            path.chmod(0o600)
            taken.append(path.name)
    for old in sorted(pictures.folder.glob("*.png"), key=lambda file: file.stat().st_mtime)[: -pictures.keep]:
        old.unlink()
    return taken

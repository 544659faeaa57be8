"""Walks a journey in a remote session as its user sees it: by window, keystroke and pixels.

``docs/drivers/remote.md`` says how it is set up and what the numbers mean. Two viewers stand behind
it: the site's own client in a window, and a headless one that speaks VNC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from collector import secret
from collector.document import validate
from collector.model.errors import WhichlayerError
from collector.model.run import Outcome, StepTiming
from probes.checkup import Checkup, Need, package, program
from probes.driver import FarEnd, WalkContext
from probes.drivers import _uncertainty
from probes.drivers.remote.settings import RemoteSettings, VncSettings
from probes.drivers.remote.tessdata import PACKAGE, trained
from probes.error_text import short
from probes.journey import placeholder
from probes.journey.file import Step

if TYPE_CHECKING:  # they need numpy and OpenCV, which only endpoints with this driver have
    from probes.drivers.remote.meter import Meter
    from probes.drivers.remote.viewer import Ended, Viewer


@dataclass(frozen=True, slots=True)
class RemoteDriver:
    """Opens one remote session per run."""

    settings: RemoteSettings = field(default_factory=RemoteSettings)
    languages: frozenset[str] = frozenset({"screen"})

    def configured(self, settings: Mapping[str, Any]) -> "RemoteDriver":
        """Give a driver with these settings. Raises ConfigError with every mistake."""
        return RemoteDriver(validate(settings, RemoteSettings, file="drivers.remote"))

    def open(self, context: WalkContext) -> "OpenRemote":
        """Read the images and prepare the viewer; the client starts with the first step.

        Raises WhichlayerError for an image, a program or a package that is not there.
        """
        first, *later = [step for step in context.journey.steps if step.screen]
        if not _logs_on(first):
            raise WhichlayerError(f"the step {first.step} must begin with logon: it is the first in the session")
        for step in filter(_logs_on, later):
            raise WhichlayerError(f"the step {step.step} logs on again: a run has one session")
        try:
            return OpenRemote(context, self.settings)
        except ModuleNotFoundError as missing:
            raise WhichlayerError(
                f"the remote driver needs the package {missing.name}: pip install 'whichlayer[remote]'"
            ) from None

    def doctor(self) -> Checkup:
        """Name what the viewer of these settings needs; the floor is that of a wait with both its ends."""
        needs = [package("opencv-python-headless", extra="remote", purpose="finds images in the session's picture")]
        window = self.settings.window
        if window is None:
            needs.append(package("asyncvnc", extra="remote", purpose="speaks VNC to the session"))
        else:
            needs.append(package("python-xlib", extra="remote", purpose="types into the client's window"))
            needs.append(program(window.command[0], debian="(the site's client)", purpose="shows the session"))
            if window.xvfb is not None:
                needs.append(program("Xvfb", debian="xvfb", purpose="is the display the client draws on"))
        needs += [replace(need, optional=True) for need in _reading()]
        floor = _uncertainty.wake_up_ns() / 1e9
        return Checkup(
            needs=tuple(needs), noise_floor_seconds=floor, noise_floor_of="wake-up at both ends, a wait for the picture"
        )


class OpenRemote:
    """The session of one run, and its client."""

    def __init__(self, context: WalkContext, settings: RemoteSettings) -> None:
        from probes.drivers.remote.session import RemoteSession  # noqa: PLC0415  numpy and OpenCV
        from probes.drivers.remote.sight import Images  # noqa: PLC0415

        self._settings = settings
        self._context = context
        images = Images.of(context.journey, context.fill)
        context.facts["images"] = images.digest
        self._viewer = _viewer(context, settings)
        self._session = RemoteSession(context, self._viewer, images, settings)

    def perform(self, step: Step) -> StepTiming:
        """Do the actions of one step, until the first that does not work out."""
        from probes.drivers.remote.viewer import Ended  # noqa: PLC0415

        meter = self._session.begin(step)
        ended: Ended | None = None
        try:
            if step.acts and not self._session.sees_exactly(step):
                return _refused(step)
            self._session.do(step.screen or ())
        except Ended as end:
            ended = end
            self._keep_screenshot(step, meter)
        return _timing(step, meter, ended)

    def far_end(self) -> FarEnd | None:
        """Say what a new connection to the session's host meets; None where only the site's client knows the way."""
        return self._viewer.far_end()

    def close(self) -> None:
        """End the client; the session is left as the client's end leaves it."""
        try:
            self._session.close()
        finally:
            self._viewer.close()

    def _keep_screenshot(self, step: Step, meter: "Meter") -> None:
        """Keep the declared regions of what is to be seen, unless a secret may be in them."""
        asked = self._settings.screenshots
        picture = self._session.picture
        if asked is None or meter.secret_typed or picture is None:
            return
        from probes.drivers.remote.screenshot import keep  # noqa: PLC0415

        keep(picture, asked, f"{self._context.run_id}-{step.step}")


def _reading() -> tuple[Need, Need]:
    """Say what journeys need that wait for a text."""
    data = trained()
    return (
        package("tesserocr", extra="ocr", purpose="reads text in the session's picture"),
        Need(
            name="tessdata",
            purpose="lets it read English",
            install=f"apt-get install {PACKAGE}",
            found=str(data) if data else None,
        ),
    )


def _viewer(context: WalkContext, settings: RemoteSettings) -> "Viewer":
    if settings.window is not None:
        from probes.drivers.remote.window import WindowViewer  # noqa: PLC0415  python-xlib

        return WindowViewer(settings.window, {**context.values, "run_id": context.run_id})
    from probes.drivers.remote.vnc import VncViewer  # noqa: PLC0415  asyncvnc

    vnc = settings.vnc or VncSettings()
    return VncViewer(*vnc.place(_filled(vnc.address, context)))


def _filled(text: str, context: WalkContext) -> str:
    """Put variables into a setting. Raises WhichlayerError for a name the journey does not have."""
    unknown = sorted(set(placeholder.names(text)) - {*context.values, "run_id"})
    if unknown:
        raise WhichlayerError(f"{{{unknown[0]}}} in the settings of the remote driver is not a variable of the journey")
    return context.fill(text)


def _timing(step: Step, meter: "Meter", ended: "Ended | None") -> StepTiming:
    seconds = sum(meter.spent.values()) + (meter.waiting if ended else 0.0)
    outcome = Outcome.OK
    if ended is not None:
        outcome = ended.outcome
    elif step.target is not None and seconds > step.target:
        outcome = Outcome.SLOW
    timed = bool(meter.spent) or seconds > 0 or outcome is Outcome.TIMEOUT
    return StepTiming(
        step=step.step,
        outcome=outcome,
        seconds=seconds if timed else None,
        uncertainty_seconds=meter.uncertainty if timed else None,
        censored=outcome is Outcome.TIMEOUT,
        phases=dict(meter.spent),
        target_seconds=step.target,
        connection=("new" if _logs_on(step) else "reused") if timed else None,
        error_kind=ended.kind if ended else None,
        error=short(secret.hide(str(ended))) if ended else None,
    )


def _logs_on(step: Step) -> bool:
    return bool(step.screen and step.screen[0].logon)


def _refused(step: Step) -> StepTiming:
    return StepTiming(
        step=step.step,
        outcome=Outcome.NOT_READY,
        target_seconds=step.target,
        error_kind="safe_record",
        error=short(f"the session does not show the safe record {step.safe_record}: nothing was typed or clicked"),
    )


PLUGIN = RemoteDriver()

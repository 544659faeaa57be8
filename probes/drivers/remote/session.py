"""The session of one run: does the actions of a step and times what the user would wait for.

A step's time is made of its waits: from what was typed or clicked last until the sight that is waited
for, and from a typed text until the first sign of it. What the driver does in between (looking for an
image to click, waiting for a still picture) is nobody's system and left out.
"""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from collector.model.run import Outcome, Phase
from probes.driver import WalkContext
from probes.drivers.remote.inside.asking import Inside
from probes.drivers.remote.meter import Meter
from probes.drivers.remote.settings import RemoteSettings
from probes.drivers.remote.sight import Images, differs
from probes.drivers.remote.viewer import Ended, Look, Moment, Picture, Viewer, joined
from probes.journey.file import Step
from probes.journey.screen import Box, Keystrokes, Logon, Obstacle, ScreenAction, Sight, Still, Target

_STILL = 0.15  # seconds without change, before a keystroke is timed
_STILL_WITHIN = 3.0
_REFRESHED_WITHIN = 0.05
_FEWEST_KEYS = 3  # whose median is told when there is no time for more
_LONGEST_LOOK = 0.1  # seconds
_SOON = 0.5  # from then on an answer may be anywhere, not in its region alone: something may stand in the way
_OBSTACLES_EVERY = 0.5  # seconds, while the picture keeps changing
_BUTTONS = {"left": 1, "middle": 2, "right": 3}
_OBSTACLES: Mapping[Obstacle, tuple[Outcome, str]] = {
    "authentication": (Outcome.FAILED, "the session refused the sign-in"),
    "notice": (Outcome.NOT_READY, "a legal notice stands in the way: let the journey accept it"),
    "locked": (Outcome.NOT_READY, "the session is locked: unlock it, or let nobody else use this account"),
    "error": (Outcome.FAILED, "the session shows its error box"),
}


class RemoteSession:
    """Walks actions on a viewer; every method may raise Ended."""

    def __init__(self, context: WalkContext, viewer: Viewer, images: Images, settings: RemoteSettings) -> None:
        self._context = context
        self._viewer = viewer
        self._images = images
        self._frozen_after = settings.frozen_after
        self._inside = Inside(context, settings.inside, images) if settings.inside else None
        self._instead: Mapping[Obstacle, Still] = {}
        self._started = False
        self._last = Look(None, 0.0, 0.0)
        self._fresh: Box | None = None  # what has changed since the reference
        self._unsearched: Box | None = None  # where obstacles were not looked for yet
        self._searched = 0.0
        self._awaited: Sight | None = None  # what the step waits for next
        self._next: ScreenAction | None = None
        self._step = ""
        self.meter = Meter(deadline=0.0)

    def begin(self, step: Step) -> Meter:
        """Start the meter of a step."""
        self._step = step.step
        self.meter = Meter(deadline=time.perf_counter() + step.timeout)
        return self.meter

    def close(self) -> None:
        """Take back what is still asked for inside the session: a step did not come to its end."""
        if self._inside is not None:
            self._inside.unseen()

    def do(self, actions: Sequence[ScreenAction]) -> None:
        """Do the actions of a step."""
        doers: dict[str, Callable[..., None]] = {
            "logon": self._log_on,
            "wait_for": self._wait_for,
            "expect": self._expect,
            "keystrokes": self._time_keystrokes,
            "click": self._click,
            "press": lambda keys: self._input(lambda: self._viewer.press(keys)),
            "type": lambda text: self._type(self._context.fill(text)),
            "type_secret": self._type_secret,
        }
        for index, action in enumerate(actions):
            if not self._started and action.logon is None:
                raise Ended(Outcome.NOT_READY, "session", "no session is open: nothing was sent")
            self._awaited = next((one.wait_for for one in actions[index:] if one.wait_for), None)
            self._next = actions[index + 1] if index + 1 < len(actions) else None
            name = next(name for name in doers if getattr(action, name) is not None)
            doers[name](getattr(action, name))

    @property
    def picture(self) -> Picture | None:
        """What was seen last; None when there is no session."""
        return self._viewer.picture if self._started else None

    def sees_exactly(self, step: Step) -> bool:
        """Say whether the safe record of the step is to be seen now."""
        if not self._started or step.safe_record is None:
            return False
        self._refresh()
        return self._images.shows_exactly(self._viewer.picture, step.safe_record)

    def _log_on(self, logon: Logon) -> None:
        meter, viewer = self.meter, self._viewer
        credentials = {name: self._context.fill_secret(text) for name, text in logon.credentials.items()}
        meter.secret_typed = bool(credentials)
        start = meter.since = Moment(time.perf_counter(), 0.0)
        window = viewer.launch(credentials, meter.deadline)
        meter.add(Phase.LAUNCH, start, window)
        meter.since = window
        pixels = viewer.first_pixels(meter.deadline)
        meter.add(Phase.PIXELS, window, pixels)
        meter.since = pixels
        self._started = True
        self._instead = logon.instead
        seen = Look(self._everything(), pixels.at - pixels.half, pixels.at + pixels.half)
        ready = self._until(logon.ready, seen, "ready")
        meter.add(Phase.READY, pixels, ready)
        meter.since = None
        meter.uncertainty += ready.half
        if logon.same_session is not None:
            same = self._images.seen(viewer.picture, logon.same_session)
            self._context.facts["session"] = "same" if same else "new"

    def _wait_for(self, sight: Sight) -> None:
        meter = self.meter
        if meter.since is None:  # nothing was typed or clicked: from now on
            self._refresh()
            now = time.perf_counter()
            meter.since, meter.reference = Moment(now, 0.0), self._viewer.picture.copy()
            entered = Look(self._everything(), now, now)
        else:  # looks taken while typing may have shown it already
            entered = Look(self._fresh, meter.since.at, max(meter.since.at, self._last.at))
        start, seen = meter.since, self._until(sight, entered, "display")
        meter.answered(start, seen)
        if self._inside is not None:
            took = Moment(max(0.0, seen.at - start.at), start.half + seen.half)
            meter.divide(self._inside.answer(took))

    def _until(self, sight: Sight, look: Look, phase: str) -> Moment:
        """Look until the sight is there; ``look`` is what was seen already."""
        meter = self.meter
        changed, self._unsearched = False, look.changed
        while True:
            if look.changed is not None and self._holds(sight, look.changed):
                seen = Moment.between(look.before, look.at)
                return Moment(seen.at, max(seen.half, self._images.reading_seconds(sight)))
            self._look_for_obstacles(wait=look.changed is not None)
            if time.perf_counter() >= meter.deadline:
                still = "" if changed else ", and nothing in the picture has changed since"
                raise Ended(Outcome.TIMEOUT, phase, f"what is waited for was not seen in time{still}")
            look = self._look(min(meter.deadline, time.perf_counter() + _LONGEST_LOOK))
            changed = changed or look.changed is not None

    def _everything(self) -> Box:
        height, width = self._viewer.picture.shape[:2]
        return (0, 0, width, height)

    def _holds(self, sight: Sight, changed: Box) -> bool:
        picture = self._viewer.picture
        if sight.change:
            return self.meter.reference is not None and differs(picture, self.meter.reference, sight.region)
        return self._images.seen(picture, sight, changed)

    def _look(self, deadline: float, within: Box | None = None) -> Look:
        self._last = look = self._viewer.look(deadline, within)
        if look.changed is not None:
            self._fresh = joined(self._fresh, look.changed)
            self._unsearched = joined(self._unsearched, look.changed)
        return look

    def _look_for_obstacles(self, *, wait: bool = False) -> None:
        """Search what has changed; with ``wait`` not now if it was done a moment ago: that would cost accuracy."""
        now = time.perf_counter()
        if self._unsearched is None or (wait and now - self._searched < _OBSTACLES_EVERY):
            return
        for kind, sight in self._instead.items():
            if self._images.seen(self._viewer.picture, sight, self._unsearched):
                outcome, words = _OBSTACLES[kind]
                raise Ended(outcome, kind, words)
        self._unsearched, self._searched = None, time.perf_counter()

    def _expect(self, sight: Still) -> None:
        self._refresh()
        if not self._images.seen(self._viewer.picture, sight):
            what = f"the image {sight.image}" if sight.image else f"{sight.text or sight.colour}"
            raise Ended(Outcome.FAILED, "expect", f"{what} is {'still' if sight.gone else 'not'} to be seen")

    def _time_keystrokes(self, asked: Keystrokes) -> None:
        trips: list[Moment] = []
        self._refresh()
        for key in asked.keys:
            if time.perf_counter() >= self.meter.deadline:
                if len(trips) >= _FEWEST_KEYS:
                    break
                raise Ended(Outcome.TIMEOUT, "display", f"only {len(trips)} keystrokes were answered in time")
            self._wait_until_still(asked.region)
            trips.append(self._round_trip(partial(self._viewer.type, key), asked.region))
            if asked.erase:  # its answer must not pass for that of the next key
                self._round_trip(partial(self._viewer.press, "BackSpace"), asked.region)
        spent = self.meter.spent
        spent[Phase.DISPLAY] = spent.get(Phase.DISPLAY, 0.0) + statistics.median(trip.at for trip in trips)
        self.meter.uncertainty += statistics.median(trip.half for trip in trips)

    def _round_trip(self, act: Callable[[], None], region: Box | None) -> Moment:
        """Time one key until the picture answers: seconds ± seconds."""
        meter = self.meter
        self._refresh(region)
        reference = self._viewer.picture.copy()
        before = time.perf_counter()
        act()
        pressed = meter.since = Moment.between(before, time.perf_counter())
        answered = self._answer(pressed, reference, region)
        meter.since = None
        return Moment(max(0.0, answered.at - pressed.at), pressed.half + answered.half)

    def _answer(self, since: Moment, reference: Picture, region: Box | None) -> Moment:
        """Wait until a region is no longer as it was before the keystroke at ``since``."""
        until, soon = since.at + self._frozen_after, since.at + _SOON
        while (now := time.perf_counter()) < until:
            look = self._look(soon, region) if now < soon else self._look(until)
            if look.changed is not None and differs(self._viewer.picture, reference, region):
                return Moment.between(look.before, look.at)
        self._look_for_obstacles()
        words = f"no answer to a keystroke for {self._frozen_after:g} s, while the client lives"
        raise Ended(Outcome.FAILED, "frozen", words)

    def _wait_until_still(self, region: Box | None) -> None:
        """An answer can be told from other changes only where there are none."""
        start = still = time.perf_counter()
        reference = self._viewer.picture.copy()
        while (now := time.perf_counter()) - still < _STILL:
            if now - start > _STILL_WITHIN:
                words = "the picture never stands still: give keystrokes a region that does"
                raise Ended(Outcome.BROKEN, "unsteady", words)
            look, picture = self._look(still + _STILL, region), self._viewer.picture
            if look.changed is not None and differs(picture, reference, region):
                still, reference = time.perf_counter(), picture.copy()

    def _type_secret(self, text: str) -> None:
        self.meter.secret_typed = True
        self._type(self._context.fill_secret(text))

    def _type(self, text: str) -> None:
        """Type, and wait until the first sign of it: where nothing takes keys, nothing that follows is right."""
        self._input(lambda: self._viewer.type(text))
        meter = self.meter
        assert meter.since is not None
        assert meter.reference is not None
        meter.echoed = self._answer(meter.since, meter.reference, None)

    def _click(self, target: Target) -> None:
        if target.at is not None:
            x, y = target.at
        else:
            self._refresh()
            place = self._images.find(self._viewer.picture, target.image or "", target.region)
            if place is None:
                raise Ended(Outcome.FAILED, "expect", f"the image {target.image} is not there to be clicked")
            x, y = place[0] + place[2] // 2, place[1] + place[3] // 2
        button, times = _BUTTONS[target.button], 2 if target.double else 1
        self._input(lambda: self._viewer.click(x, y, button=button, times=times))

    def _input(self, act: Callable[[], None]) -> None:
        """Do something a user does: the clock of the wait behind it starts anew."""
        meter = self.meter
        if meter.since is not None and meter.echoed is not None:
            meter.answered(meter.since, meter.echoed)
        meter.since = meter.echoed = None
        self._ask_inside()
        self._get_ready()
        before = time.perf_counter()
        act()
        meter.since = Moment.between(before, time.perf_counter())

    def _ask_inside(self) -> None:
        """Let the wait that the coming input begins be timed in the session as well; the step is given that time."""
        if self._inside is None or self._next is None or self._next.wait_for is None:
            return
        began = time.perf_counter()
        self._inside.ask(self._step, self._next.wait_for, self.meter.deadline - began)
        self.meter.deadline += time.perf_counter() - began

    def _get_ready(self) -> None:
        """Look at everything once before the clock runs: from then on only changes need to be searched."""
        self._refresh()
        picture, sight = self._viewer.picture, self._awaited
        self.meter.reference = picture.copy()
        self._look_for_obstacles()
        if sight is not None and not sight.change and self._images.seen(picture, sight):
            raise Ended(Outcome.BROKEN, "shown_before", "what is waited for was there before anything was done")
        self._fresh = None

    def _refresh(self, within: Box | None = None) -> None:
        """Take in what has changed until now; a picture that goes on changing is taken as it is by then."""
        until = time.perf_counter() + _REFRESHED_WITHIN
        while self._look(0.0, within).changed is not None and time.perf_counter() < until:
            pass

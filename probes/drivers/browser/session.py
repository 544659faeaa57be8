"""One run in a browser: a context of its own, its windows, and what each step took."""

import dataclasses
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.metadata import version
from typing import Any

import httpx2
from playwright.sync_api import Error as PlaywrightError

from collector.model.errors import WhichlayerError
from collector.model.run import MEASURED, Outcome, StepTiming
from probes.driver import FarEnd, WalkContext
from probes.drivers import _far_end, _safe_record
from probes.drivers.browser import critical_path, floor, screenshot, web_vitals
from probes.drivers.browser.actions import Actions
from probes.drivers.browser.clock import BrowserClock, StepClock
from probes.drivers.browser.launch import Launch, Running
from probes.drivers.browser.network import NetworkLog
from probes.drivers.browser.options import sign_in_options
from probes.drivers.browser.process import BrowserGone, BrowserProcess, held
from probes.drivers.browser.settings import NO_PROXY, BrowserSettings
from probes.drivers.browser.watch import CONDITIONAL_ACCESS, SECOND_FACTOR, Watch
from probes.drivers.browser.window import SIGN_IN_FIELD, Windows, contains
from probes.drivers.http.failure import StepEnded
from probes.drivers.http.page import Page, find
from probes.drivers.http.transport import origin
from probes.error_text import short
from probes.journey.file import Step
from probes.journey.request import VerifySaved

_OPEN_SECONDS = 30.0  # to open or close a context, and beyond a step's timeout: longer, and the browser hangs
_LOOK_MILLISECONDS = 1000.0
_SETTLE_MILLISECONDS = 100.0  # for the end of answers that the page has shown already
_FACT_LENGTH = 100
_PORTS = {"http": 80, "https": 443}


def open_browser(context: WalkContext, launch: Launch, settings: BrowserSettings) -> "OpenBrowser":
    """Open a run in the shared browser, or in a new one if that has died since. Raises WhichlayerError."""
    try:
        return _opened(context, launch, settings)
    except BrowserGone:
        try:
            return _opened(context, launch, settings)
        except BrowserGone as gone:
            raise WhichlayerError(str(gone)) from None


def _opened(context: WalkContext, launch: Launch, settings: BrowserSettings) -> "OpenBrowser":
    process = held(launch)
    try:
        return OpenBrowser(context, process, settings)
    except BaseException as error:
        process.release()
        if isinstance(error, BrowserGone):
            process.kill()
        raise


class OpenBrowser:
    """The browser session of one run. Making it raises BrowserGone, and WhichlayerError for what the run lacks."""

    def __init__(self, context: WalkContext, process: BrowserProcess, settings: BrowserSettings) -> None:
        self._context = context
        self._process = process
        self._settings = settings
        base = context.values["base_url"]
        self._base = origin(httpx2.URL(base))
        self._trusted = frozenset(origin(httpx2.URL(url)) for url in (base, *context.journey.trusted_origins))
        self._secret_used_at: float | None = None
        self._unanswered = False
        self._secrets_in: list[Any] = []
        options = sign_in_options(context, self._trusted)
        try:
            self._process.call(lambda running: self._open(running, options), within_seconds=_OPEN_SECONDS)
        except PlaywrightError as error:
            raise BrowserGone(f"the browser opens no window: {str(error).splitlines()[0]}") from None

    def _open(self, running: Running, options: Mapping[str, Any]) -> None:
        if running.floor.stale:
            floor.measure(running.floor, running.browser)
        name = f"whichlayer/{version('whichlayer')} (synthetic; {self._context.journey.name})"
        agent = running.user_agent.replace("HeadlessChrome", "Chrome")  # some applications turn that away
        self._browser_context = running.browser.new_context(user_agent=f"{agent} {name}", **options)
        try:
            self._look_into(running)
        except PlaywrightError:
            self._browser_context.close()
            raise

    def _look_into(self, running: Running) -> None:
        page = self._browser_context.new_page()
        session = self._browser_context.new_cdp_session(page)
        self._log = NetworkLog()
        self._log.attach(session)
        self._clock = BrowserClock.read(session)
        self._windows = Windows(self._browser_context, self._context, self._log, self._settings.test_id)
        self._context.facts["browser"] = running.browser.version

    def perform(self, step: Step) -> StepTiming:
        """Do the actions of one step. What comes after them is judged but not timed."""
        limit = step.timeout * (2 if step.verify_saved else 1) + _OPEN_SECONDS
        try:
            return self._process.call(lambda running: self._perform(running, step), within_seconds=limit)
        except (BrowserGone, PlaywrightError) as error:
            return StepTiming(
                step=step.step,
                outcome=Outcome.BROKEN,
                target_seconds=step.target,
                error_kind="browser",
                error=short(str(error).splitlines()[0]),
            )

    def shows(self, words: str) -> bool:
        """Say whether a person can read the words in the window in front; False when its page never came."""
        return self._told(lambda _: contains(self._windows.look(_LOOK_MILLISECONDS)[0], words))

    def asks_for_password(self) -> bool:
        """Say whether the window in front has a field for a password that can be seen."""
        return self._told(lambda _: self._windows.page.locator(SIGN_IN_FIELD).count() > 0)

    def far_end(self) -> FarEnd | None:
        """Say what a new connection to ``base_url`` meets; None where a proxy may stand between."""
        if self._settings.proxy != NO_PROXY:
            return None
        url = httpx2.URL(self._context.values["base_url"])
        return _far_end.call((url.host, url.port or _PORTS[url.scheme]))

    def _told(self, look: Callable[[Running], bool]) -> bool:
        if self._unanswered:
            return False  # what is still shown is the page before
        try:
            return self._process.call(look, within_seconds=_OPEN_SECONDS)
        except (BrowserGone, PlaywrightError):
            return False

    def close(self) -> None:
        """Close the context: its windows, cookies and files go; the browser stays for the next run."""
        try:
            self._process.call(lambda _: self._browser_context.close(), within_seconds=_OPEN_SECONDS)
        except (BrowserGone, PlaywrightError):
            pass  # then nothing of it is left
        finally:
            self._process.release()

    def _perform(self, running: Running, step: Step) -> StepTiming:
        if step.acts and not self._sees_safe_record(step):
            return _safe_record.refused(step, self._context)
        self._browser_context.set_extra_http_headers(self._context.trace_headers(step, 0))
        actions = self._begin(step)
        ended: StepEnded | None = None
        try:
            for action in step.browser or ():
                actions.do(action)
        except StepEnded as end:
            ended = end
        if actions.clock.ended is None:
            actions.clock.stop()
        self._secret_used_at = actions.watch.secret_used_at
        self._unanswered = self._log.unanswered
        if self._unanswered:
            self._windows.stop_loading()
        with suppress(PlaywrightError):
            self._windows.page.wait_for_timeout(_SETTLE_MILLISECONDS if self._log.waiting else 1.0)
        timing = self._timing(running, step, actions.clock, ended)
        return self._afterwards(step, timing)

    def _begin(self, step: Step) -> Actions:
        self._log.begin()
        watch = Watch(
            step=step,
            log=self._log,
            second_factor=(*SECOND_FACTOR, *self._settings.second_factor),
            conditional_access=(*CONDITIONAL_ACCESS, *self._settings.conditional_access),
            secret_used_at=self._secret_used_at,
        )
        return Actions(
            context=self._context,
            windows=self._windows,
            log=self._log,
            clock_of_browser=self._clock,
            trusted=self._trusted,
            watch=watch,
            clock=StepClock(step.timeout),
            secrets_in=self._secrets_in,
        )

    def _afterwards(self, step: Step, timing: StepTiming) -> StepTiming:
        """Note facts, take a picture of a failure, read back what was written: none of it is timed."""
        facts = self._context.facts
        if timing.outcome in MEASURED:
            if self._log.documents and (vitals := web_vitals.read(self._windows.page)):
                facts[f"web_vitals.{step.step}"] = vitals
            self._note_facts()
            if step.verify_saved is not None:
                timing = self._verified(timing, step.verify_saved, step.timeout)
        if self._settings.pictures is not None and screenshot.wanted(step, timing):
            name = f"{self._context.run_id}-{step.step}"
            taken = screenshot.take(
                self._settings.pictures, self._windows, name, self._secrets_in, self._context.secrets
            )
            if taken:
                facts["pictures"] = ", ".join(taken)
        return timing

    def _sees_safe_record(self, step: Step) -> bool:
        shown, _ = self._windows.look(step.timeout * 1e3)
        return step.safe_record is not None and contains(shown, self._context.fill(step.safe_record))

    def _timing(self, running: Running, step: Step, clock: StepClock, ended: StepEnded | None) -> StepTiming:
        stopped = clock.ended if clock.ended is not None else time.perf_counter()
        seconds = stopped - clock.began
        outcome = Outcome.OK
        if ended is not None:
            outcome = ended.outcome
        elif step.target is not None and seconds > step.target:
            outcome = Outcome.SLOW
        late = outcome is Outcome.TIMEOUT
        timed = outcome not in {Outcome.NOT_READY, Outcome.BROKEN}
        counted = [one for one in self._log.exchanges if ended is not None or one.ended is not None]
        begin = self._clock.at(clock.began)
        document = self._log.document
        return StepTiming(
            step=step.step,
            outcome=outcome,
            seconds=step.timeout if late else seconds if timed else None,
            uncertainty_seconds=running.floor.of(step.browser or ()) if timed else None,
            censored=late,
            phases=critical_path.phases(counted, begin, begin + seconds, identity=self._identity(step)),
            target_seconds=step.target,
            requests=len(self._log.exchanges),
            connection=_connection(self._log),
            http_status=document.status if document is not None and not self._unanswered else None,
            bytes_received=sum(one.received for one in self._log.exchanges),
            error_kind=ended.kind if ended else None,
            error=short(str(ended)) if ended else None,
        )

    def _identity(self, step: Step) -> frozenset[str]:
        """Give the origins whose time is the identity provider's, in this step."""
        return self._trusted - {self._base} if step.sign_in else frozenset()

    def _note_facts(self) -> None:
        document, wanted = self._log.document, self._context.journey.facts
        if document is None or all(name in self._context.facts for name in wanted):
            return
        try:
            markup = self._windows.page.locator(":root").evaluate("e => e.outerHTML", timeout=1000)
        except PlaywrightError:
            return
        page = Page(
            url=httpx2.URL(document.url),
            status=document.status or 0,
            headers=httpx2.Headers(dict(document.headers)),
            body=str(markup).encode(),
            charset="utf-8",
        )
        for name, capture in wanted.items():
            value = find(page, capture, self._context.fill)
            if value and name not in self._context.facts:
                self._context.facts[name] = value[:_FACT_LENGTH]

    def _verified(self, timing: StepTiming, saved: VerifySaved, timeout_seconds: float) -> StepTiming:
        """Read back what was written, in a window of its own; the step's own time stays as measured."""
        marker = self._context.fill(saved.marker)
        path = self._context.fill(saved.path)
        base = self._context.values["base_url"].rstrip("/")
        url = httpx2.URL(base + path if path.startswith("/") else path)
        query = {name: self._context.fill(text) for name, text in saved.query.items()}
        self._browser_context.set_extra_http_headers({})  # what this makes the server do is not the step's time
        page = self._browser_context.new_page()
        try:
            answer = page.goto(str(url.copy_merge_params(query)), timeout=timeout_seconds * 1e3)
            shown = page.locator(":root").evaluate("e => e.innerText", timeout=1000)
        except PlaywrightError as error:
            return _failed(timing, "not_verified", f"saved, but reading it back gave: {str(error).splitlines()[0]}")
        finally:
            page.close()
        if not contains(shown, marker):
            status = answer.status if answer is not None else "?"
            return _failed(timing, "not_saved", f"the page said saved, but {marker!r} is not there (status {status})")
        return timing


def _connection(log: NetworkLog) -> str | None:
    critical = [one for one in log.exchanges if one.critical and one.status is not None and not one.cached]
    if not critical:
        return None
    return "reused" if all(one.reused for one in critical) else "new"


def _failed(timing: StepTiming, kind: str, message: str) -> StepTiming:
    return dataclasses.replace(timing, outcome=Outcome.FAILED, error_kind=kind, error=short(message))

"""Alerts as the owner process and the command line wire them: rules, words, channels."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial

from analysis.alerting.job import Alerting
from analysis.alerting.settings import AlertSettings, Channel
from analysis.alerting.turns import Turn
from collector import notifiers
from collector.model.alert import AlertState, ChangeKind, Message
from collector.model.errors import ConfigError, Mistake, NotifyError, PluginError, SecretError
from collector.notifier import Notifier, OpenNotifier
from collector.notify import Sender
from collector.plugin import load
from collector.registry import Registry
from dashboards import alert_words
from dashboards.clock import Clock
from whichlayer.settings import Places

SEND_SECONDS = 5.0  # how often each channel is asked whether it has something to hand over


def alerting(settings: AlertSettings, *, url: str, clock: Clock) -> Alerting:
    """Give what works out states and writes messages; ``url`` is where the pages are unless the settings say."""
    write = partial(_written, address=(settings.address or url).rstrip("/"), clock=clock)
    return Alerting(settings=settings, write=write)


def opened(channels: Sequence[Channel], places: Places) -> list[tuple[Channel, OpenNotifier]]:
    """Open every channel. Raises ConfigError with the mistakes of all of them."""
    found: list[tuple[Channel, OpenNotifier]] = []
    mistakes: list[Mistake] = []
    for number, channel in enumerate(channels):
        spot = ("alerts", "to", number)
        try:
            found.append((channel, load(notifiers, channel.kind, Notifier).open(channel.settings)))
        except ConfigError as errors:
            mistakes += places.of_settings((*spot, "settings"), errors)
        except (PluginError, SecretError, NotifyError) as error:
            where = "kind" if isinstance(error, PluginError) else "settings"
            mistakes.append(places.at((*spot, where), f"alerts.to.{number}.{where}: {error}"))
    if mistakes:
        raise ConfigError(mistakes)
    return found


def senders(settings: AlertSettings, places: Places, registry: Registry) -> Iterable[Sender]:
    """Give one sender for each channel. Raises ConfigError."""
    patience = timedelta(seconds=settings.give_up_after)
    return [
        Sender(registry=registry, channel=channel.called, notifier=notifier, give_up_after=patience)
        for channel, notifier in opened(settings.to, places)
    ]


def _written(
    kind: ChangeKind, state: AlertState, turns: Sequence[Turn], at: datetime, *, address: str, clock: Clock
) -> Message:
    changed = [(turn.alert, turn.before, turn.verdict) for turn in turns]
    return alert_words.message(kind, state, changed, at, address=address, clock=clock)

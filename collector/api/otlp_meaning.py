"""What a series of OTLP metrics is here, by its resource, its metric and its attributes.

The component is ``whichlayer.component``, else ``service.name``, else ``host.name`` of the resource;
the layer is ``whichlayer.layer`` of the point or the resource, else what the catalogue says.
"""

import json
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from collector.api.translation import Meaning
from collector.model.catalogue import CATALOGUE
from collector.model.checks import as_name
from collector.model.layer import Layer

_MOST_LABELS = 32
_LONGEST_LABEL = 200


def meaning_of(resource: Mapping[str, str], called: str, suffix: str, labels: dict[str, str]) -> Meaning:
    """Say what a series is: of which resource, metric and point. Raises ValueError: why it cannot be kept."""
    name = _name(called)
    layer = _layer(labels.pop("whichlayer.layer", None) or resource.get("whichlayer.layer"), name)
    written = json.dumps(labels, sort_keys=True, separators=(",", ":"))
    return Meaning(component=_component(resource), layer=layer, metric=name + suffix, labels=written)


def _component(resource: Mapping[str, str]) -> str:
    service = resource.get("service.name", "")
    named = "" if service.startswith("unknown_service") else service
    found = resource.get("whichlayer.component") or named or resource.get("host.name")
    if not found:
        raise ValueError("the resource has none of whichlayer.component, service.name, host.name")
    return _name(found)


def _layer(given: str | None, metric: str) -> str:
    if given:
        if given not in set(Layer):
            raise ValueError(f"whichlayer.layer is not one of {', '.join(Layer)}")
        return given
    if metric not in CATALOGUE:
        raise ValueError(f"{metric} is not in the catalogue: set the attribute whichlayer.layer")
    return str(CATALOGUE[metric].layer)


def _name(text: str) -> str:
    name = as_name(text)
    if not name:
        raise ValueError("a name is empty")
    return name


def attributes_of(attributes: Iterable[Any]) -> dict[str, str]:
    """Give the plain ones as text, so many and so long as is kept."""
    found = {}
    for attribute in islice(attributes, _MOST_LABELS):
        kind = attribute.value.WhichOneof("value")
        if kind in {"string_value", "int_value", "double_value", "bool_value"}:
            found[attribute.key] = str(getattr(attribute.value, kind))[:_LONGEST_LABEL]
    return found

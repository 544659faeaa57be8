"""How a browser context signs in by itself: answers to a server that asks, and the client certificate."""

from typing import Any

import httpx2

from collector.model.errors import WhichlayerError
from probes.driver import WalkContext
from probes.drivers.http.transport import origin, trust
from probes.journey.browser import Credentials
from probes.journey.file import Journey


def sign_in_options(context: WalkContext, trusted: frozenset[str]) -> dict[str, Any]:
    """Give what a browser context needs to sign in as this journey does. Raises WhichlayerError."""
    options: dict[str, Any] = {}
    asked = _credentials(context.journey)
    if asked is not None:
        server = httpx2.URL(asked.origin or context.values["base_url"])
        if origin(server) not in trusted:
            raise WhichlayerError(f"credentials are for {server.host}, which the journey has not in trusted_origins")
        options["http_credentials"] = {
            "username": context.fill_secret(asked.username),
            "password": context.fill_secret(asked.password),
            "origin": f"{server.scheme}://{server.netloc.decode()}",  # as browsers write it: no port where it is usual
        }
    shown = context.journey.client_certificate
    if shown is not None:
        folder = context.journey.folder
        certificate, key = folder / shown.certificate, folder / (shown.key or shown.certificate)
        passphrase = context.secrets[shown.passphrase] if shown.passphrase else ""
        trust(certificate=certificate, key=key, passphrase=passphrase)  # says what is wrong with the files
        options["client_certificates"] = [
            {"origin": place, "certPath": certificate, "keyPath": key, "passphrase": passphrase or None}
            for place in sorted(trusted)
            if place.startswith("https")
        ]
    return options


def _credentials(journey: Journey) -> Credentials | None:
    actions = [action for step in journey.steps for action in step.browser or ()]
    return next((action.credentials for action in actions if action.credentials is not None), None)

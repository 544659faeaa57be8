"""The certificates of a TLS connection: who issued them and how long they are still good."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpcore2

from collector.model.errors import WhichlayerError

_DER = 2  # _ssl.ENCODING_DER
_NAME_LENGTH = 60
_DAY = 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the far end showed. ``left_seconds`` is that of the certificate of its chain that ends first."""

    version: str
    issuer: str
    left_seconds: float
    ends_first: str  # "its own", or the name of an intermediate authority

    @property
    def facts(self) -> Mapping[str, str]:
        """Give it as a run keeps it."""
        return {
            "tls": self.version,
            "certificate_issuer": self.issuer,
            "certificate_left": days(self.left_seconds),
        }


def days(left_seconds: float) -> str:
    """Write a time that is left."""
    return f"{left_seconds / _DAY:.1f} d"


def need_cryptography() -> None:
    """Raise WhichlayerError when the package that reads certificates is not installed."""
    try:
        import cryptography.x509  # noqa: F401, PLC0415  only links with TLS need it
    except ModuleNotFoundError:
        raise WhichlayerError("certificates cannot be read: pip install 'whichlayer[link]'") from None


@dataclass(frozen=True, slots=True)
class Presented:
    """What a handshake left, as it came: taken while the clock runs, read when it has stopped."""

    version: str
    chain: tuple[bytes, ...]  # DER, the far end's own first

    def read(self) -> Shown | None:
        """Read the certificates; None if OpenSSL took one that this stricter reader does not: not measured."""
        from cryptography import x509  # noqa: PLC0415

        try:
            chain = [x509.load_der_x509_certificate(der) for der in self.chain]
        except ValueError:
            return None
        first = min(chain, key=lambda certificate: certificate.not_valid_after_utc)
        return Shown(
            version=self.version,
            issuer=_name(chain[0].issuer),
            left_seconds=(first.not_valid_after_utc - datetime.now(UTC)).total_seconds(),
            ends_first="its own" if first is chain[0] else f"that of {_name(first.subject)}",
        )


def take(stream: httpcore2.NetworkStream) -> Presented:
    """Take what was shown from a connection that has TLS and is still open."""
    connection = stream.get_extra_info("ssl_object")
    return Presented(version=connection.version() or "unknown", chain=tuple(_chain(connection)))


def left_of(file: Path) -> float:
    """Give the seconds for which the certificate in a PEM file is still good."""
    from cryptography import x509  # noqa: PLC0415

    try:
        certificate = x509.load_pem_x509_certificates(file.read_bytes())[0]
    except (OSError, ValueError) as error:
        raise WhichlayerError(f"the client certificate {file.name} cannot be read: {error}") from None
    return (certificate.not_valid_after_utc - datetime.now(UTC)).total_seconds()


def _chain(connection: Any) -> list[bytes]:  # noqa: ANN401  SSLSocket, whose newer methods its types lack
    """Give what the far end sent, its own certificate first. Before Python 3.13 the chain has no public way out."""
    for holder in (connection, getattr(connection, "_sslobj", None)):
        chain = getattr(holder, "get_unverified_chain", None)
        if chain is not None and (found := chain()):
            return [one if isinstance(one, bytes) else one.public_bytes(_DER) for one in found]
    return [connection.getpeercert(binary_form=True)]


def _name(name: Any) -> str:  # noqa: ANN401  x509.Name, imported only where it is used
    from cryptography.x509.oid import NameOID  # noqa: PLC0415

    for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME, NameOID.ORGANIZATION_NAME):
        found = name.get_attributes_for_oid(oid)
        if found:
            return str(found[0].value)[:_NAME_LENGTH]
    return "unnamed"

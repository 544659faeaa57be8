"""``python -m deploy.lab.casebook``: serve one release of casebook."""

import argparse
import asyncio
import os
import socket
import sys
from pathlib import Path

import uvicorn

from deploy.lab.casebook import spans
from deploy.lab.casebook.app import Casebook, create
from deploy.lab.casebook.database import Database
from deploy.lab.casebook.directory import Directory
from deploy.lab.casebook.documents import DocumentIndex
from deploy.lab.casebook.stay import Stay

_DRAIN_SECONDS = 1.0


def main() -> None:
    """Serve until SIGTERM; requests that are under way are finished first."""
    chosen = _arguments()
    if chosen.spans:
        spans.start()
    database = Database(chosen.database, text_search_depth=chosen.text_search_depth, one_by_one=chosen.one_by_one)
    stay = Stay(database) if chosen.told else None
    if stay is not None:
        stay.begin()
    book = Casebook(
        database=database,
        stay=stay,
        documents=DocumentIndex(chosen.documents),
        directory=None if chosen.directory is None else Directory(chosen.directory),
        release=chosen.release,
        server_timing=not chosen.spans,
        secret=os.environ["CASEBOOK_SECRET"].encode(),
    )
    config = uvicorn.Config(
        create(book),
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=10,
        # As long as web servers usually keep a connection. Within uvicorn's own 5 s a lossy link can hold an
        # answer back until the server has hung up, and the next request is refused: a fault nobody made.
        timeout_keep_alive=75,
    )
    with _listener(chosen) as listener:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        _Draining(config).run(sockets=[listener])


class _Draining(uvicorn.Server):
    """Ends as behind a load balancer: for a second it answers who is connected, and tells each not to come back.

    Hanging up at once would break the request that just then travels on a kept connection.
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no connection, let those there are run out, then end as usual."""
        for server in self.servers:
            server.close()
        self.server_state.default_headers = [*self.server_state.default_headers, (b"connection", b"close")]
        if self.server_state.connections:
            await asyncio.sleep(_DRAIN_SECONDS)
        await super().shutdown(sockets)
        spans.end()  # here, since uvicorn ends by its signal: what Python does at exit is not done


def _listener(chosen: argparse.Namespace) -> socket.socket:
    if chosen.listen_fd is not None:
        return socket.socket(fileno=chosen.listen_fd)
    host, _, port = chosen.listen.rpartition(":")
    return socket.create_server((host, int(port)), backlog=128)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="casebook", description=main.__doc__)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--listen", metavar="HOST:PORT")
    # Two releases that share a listening socket change places without refusing anybody.
    where.add_argument("--listen-fd", type=int, metavar="NUMBER", help="descriptor of a socket that listens already")
    parser.add_argument("--database", required=True, metavar="CONNINFO")
    parser.add_argument("--documents", required=True, type=Path, metavar="FILE", help="index of scanned documents")
    parser.add_argument("--told", action="store_true", help="how long people may stay is told on standard input")
    parser.add_argument("--spans", action="store_true", help="tell where time went by OpenTelemetry, not Server-Timing")
    parser.add_argument("--release", default="3.58")
    parser.add_argument("--text-search-depth", type=int, metavar="RECORDS", help="search the text of so many records")
    parser.add_argument("--one-by-one", type=int, metavar="CASES", help="ask for so many found cases one by one")
    parser.add_argument("--directory", metavar="URL", help="who answers what people are allowed, at their log-on")
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""``python -m deploy.lab.casebook``: serve one release of casebook."""

import argparse
import os
import socket
import sys
from pathlib import Path

import uvicorn

from deploy.lab.casebook.app import Casebook, create
from deploy.lab.casebook.database import Database
from deploy.lab.casebook.documents import DocumentIndex


def main() -> None:
    """Serve until SIGTERM; requests that are under way are finished first."""
    chosen = _arguments()
    book = Casebook(
        database=Database(chosen.database, text_search_depth=chosen.text_search_depth),
        documents=DocumentIndex(chosen.documents),
        release=chosen.release,
        secret=os.environ["CASEBOOK_SECRET"].encode(),
    )
    config = uvicorn.Config(create(book), log_level="warning", access_log=False, timeout_graceful_shutdown=10)
    host, _, port = chosen.listen.rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        # A new release listens beside the old one before that goes: nobody is refused meanwhile.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, int(port)))
        listener.listen(128)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        uvicorn.Server(config).run(sockets=[listener])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="casebook", description=main.__doc__)
    parser.add_argument("--listen", required=True, metavar="HOST:PORT")
    parser.add_argument("--database", required=True, metavar="CONNINFO")
    parser.add_argument("--documents", required=True, type=Path, metavar="FILE", help="index of scanned documents")
    parser.add_argument("--release", default="3.58")
    parser.add_argument("--text-search-depth", type=int, metavar="RECORDS", help="search the text of so many records")
    return parser.parse_args()


if __name__ == "__main__":
    main()

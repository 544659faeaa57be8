"""A wire to a service on loopback that can be cut: then nothing comes through, and new connections get no answer."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_FILLERS = 8  # connections nobody takes: with them the kernel's queue is full, and it drops what asks for more


class Wire:
    """Listens at ``port``, and carries bytes to the service and back."""

    def __init__(self, service: int) -> None:
        self._service = service
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._carries = threading.Event()
        self._carries.set()
        self._idle = threading.Event()
        self._ends: list[socket.socket] = []
        self._fillers: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Carry nothing any more; both ends keep the connections they have."""
        self._carries.clear()
        self._ask()
        assert self._idle.wait(5), "nobody takes connections any more: only now the queue can be filled for good"
        self._listener.listen(0)
        for _ in range(_FILLERS):
            self._ask()

    def _ask(self) -> None:
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(("127.0.0.1", self.port))
        self._fillers.append(filler)

    def hang_up(self) -> None:
        """End the connections that are there, as the service does; new ones are carried."""
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End everything."""
        self.hang_up()
        self._carries.set()
        for one in (self._listener, *self._fillers, *self._ends):
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                near, _ = self._listener.accept()
                if not self._carries.is_set():
                    self._ends.append(near)
                    self._idle.set()
                    self._carries.wait()
                    continue
                try:
                    far = socket.create_connection(("127.0.0.1", self._service))
                except OSError:  # nobody there: as a port that is forwarded
                    near.close()
                    continue
                self._ends += [near, far]
                for source, target in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(source, target), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self._carries.wait()
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


@contextmanager
def laid_to(service: int) -> Iterator[Wire]:
    """Lay one to the service at this port."""
    wire = Wire(service)
    try:
        yield wire
    finally:
        wire.close()

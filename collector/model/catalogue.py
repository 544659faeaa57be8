"""The catalogue of infrastructure metrics, as rows: every sample of every source ends as one of these.

Names follow OpenTelemetry's semantic conventions where one exists; units are SI; what grows is stored per second.
A limit is written with whose it is. Sources map their own names and units onto these (``collector/mappings/``).
"""

from collections.abc import Iterator, Mapping

from collector.model.layer import Layer
from collector.model.metric import Direction, Metric, MetricKind

# name | unit | layer | kind | worse when | smallest shift that counts | limit in use (whose) | meaning
_ROWS = """
system.cpu.utilization | 1 | app_server | mean | up | 0.25 | 0.8 (MetaFrame pilot guide) | share of all processors busy
system.cpu.queue | {thread} | app_server | gauge | up | 4 | | threads that wait for a processor
system.memory.available | By | app_server | gauge | neutral | 0 | | memory a program could still get
system.memory.limit | By | app_server | gauge | neutral | 0 | | memory the machine has
system.memory.committed | By | app_server | gauge | neutral | 0 | | memory promised to programs
system.memory.committed.share | 1 | app_server | gauge | up | 0.1 | | share of the memory that can be promised
system.memory.pressure | 1 | app_server | rate | up | 0.05 | | share of time in which a program waited for memory
system.paging.utilization | 1 | app_server | gauge | up | 0.1 | | share of the page file that is used
system.paging.in | By/s | app_server | rate | up | 1e6 | | read back from swap
system.paging.out | By/s | app_server | rate | up | 1e6 | | written to swap
system.paging.reads | 1/s | app_server | rate | up | 20 | 20 (MetaFrame pilot guide) | reads of a disk to get pages back
system.paging.faults.major | 1/s | app_server | rate | neutral | 100 | | page faults of the host that waited for a disk
process.paging.faults.major | 1/s | app_server | rate | up | 50 | | the application's page faults that waited for a disk
process.memory.resident | By | app_server | gauge | neutral | 0 | | memory of the application's process held in RAM
process.memory.private | By | app_server | gauge | neutral | 0 | | memory that only the application's process has
process.cpu.utilization | 1 | app_server | mean | up | 0.5 | | processors the application's process keeps busy
process.cpu.wait | 1 | app_server | mean | up | 0.2 | | share of its wanted time the process waited for a processor
system.cpu.steal | 1 | virtualisation | mean | up | 0.05 | | share of time the hypervisor gave to others
vm.cpu.ready | 1 | virtualisation | mean | up | 0.05 | | share of time a machine was ready and got no processor
vm.cpu.costop | 1 | virtualisation | mean | up | 0.03 | | share of time a machine waited for its other processors
system.cpu.halted | 1 | virtualisation | mean | up | 0.05 | | share of time the machine was not run, by a sleeper
system.cpu.halted.longest | s | virtualisation | maximum | up | 0.05 | | longest time it was not run
vm.memory.ballooned | By | virtualisation | gauge | up | 268435456 | | memory the hypervisor took back from the machine
vm.memory.swapped | By | virtualisation | gauge | up | 67108864 | | memory of the machine the hypervisor swapped out
vm.disk.latency.maximum | s | storage | maximum | up | 0.02 | | worst time of an operation of any of its disks
datastore.read.latency | s | storage | mean | up | 0.005 | 0.02 (SQL Server) | mean read, as the hypervisor sees it
datastore.write.latency | s | storage | mean | up | 0.005 | 0.02 (SQL Server) | mean write, as the hypervisor sees it
system.disk.read.await | s | storage | mean | neutral | 0.005 | | mean time of a read, as the host sees it
system.disk.write.await | s | storage | mean | neutral | 0.005 | | mean time of a write, as the host sees it
system.disk.queue | {operation} | storage | gauge | neutral | 0 | | operations that wait for a disk
system.disk.pressure | 1 | storage | rate | neutral | 0.05 | | share of time in which a program waited for a disk
system.disk.io | By/s | storage | rate | neutral | 0 | | bytes read and written
storage.write.latency | s | storage | single | up | 0.005 | | a 4 KiB write with fsync on the named volume
storage.read.latency | s | storage | single | up | 0.005 | | a 4 KiB read from the named volume
storage.host.read.latency | s | storage | mean | up | 0.005 | 0.02 (SQL Server) | mean read, as the server sees it
storage.host.write.latency | s | storage | mean | up | 0.005 | 0.02 (SQL Server) | mean write, as the server sees it
storage.lun.read.latency | s | storage | mean | up | 0.005 | 0.02 (SQL Server) | mean read, as the array sees it
storage.lun.write.latency | s | storage | mean | up | 0.005 | 0.02 (SQL Server) | mean write, as the array sees it
storage.lun.queue.latency | s | storage | mean | up | 0.005 | | the part of an operation spent in the array's queue
storage.lun.fabric.latency | s | storage | mean | up | 0.005 | | the part of an operation spent between server and array
storage.array.utilization | 1 | storage | mean | up | 0.2 | | share of time the array or its disks were busy
storage.lun.operations | 1/s | storage | rate | neutral | 0 | | operations of a LUN
db.wal.sync.latency | s | storage | mean | up | 0.005 | | mean time of a log flush, as the database sees it
db.read.latency | s | storage | mean | up | 0.005 | | mean time of a block read, as the database sees it
db.connections.active | {statement} | database | gauge | neutral | 2 | | statements running now
db.busy | 1 | database | rate | up | 0.05 | | seconds of statement time per second
db.waits.lock | {statement} | database | gauge | up | 1 | | statements waiting for a lock
db.waits.io | {statement} | database | gauge | neutral | 1 | | statements waiting for a disk
db.deadlocks | 1/s | database | rate | up | 0.01 | | statements given up because they waited for each other
db.transactions | 1/s | database | rate | neutral | 0 | | transactions of the database ended
db.transaction.mean | s | database | mean | neutral | 0.001 | | mean time the statements of a transaction took
db.statement.longest | s | database | gauge | up | 0.1 | | age of the oldest running statement
db.statement.mean | s | database | mean | up | 0.01 | | mean time of the statements of one kind
db.statement.busy | 1 | database | rate | neutral | 0.05 | | seconds of the statements of one kind per second
db.waiting.lock | 1 | database | rate | up | 0.05 | | seconds waited for locks, per second
db.waiting.read | 1 | database | rate | neutral | 0.05 | | seconds waited for pages from a disk, per second
db.waiting.log | 1 | database | rate | neutral | 0.05 | | seconds waited for the log to be written, per second
db.waiting.memory | 1 | database | rate | up | 0.05 | | seconds waited for memory to work in, per second
db.waiting.client | 1 | database | rate | neutral | 0.05 | | seconds waited for clients to take answers, per second
db.memory.grants.pending | {statement} | database | gauge | up | 1 | | statements waiting for memory to work in
db.memory.page.life | s | database | gauge | down | 300 | 300 (SQL Server) | how long a page stays in memory unused
system.network.errors | 1/s | network_core | rate | up | 1 | | frames with errors or dropped
system.network.retransmits | 1/s | network_core | rate | up | 1 | | TCP segments sent again
system.network.io | By/s | network_core | rate | neutral | 0 | | bytes sent and received
network.port.errors.in | 1/s | network_core | rate | up | 1 | | frames a switch's port received broken
network.port.errors.out | 1/s | network_core | rate | up | 1 | | frames a switch's port could not send
network.port.discards.in | 1/s | network_core | rate | up | 1 | | sound frames a switch's port dropped unread
network.port.discards.out | 1/s | network_core | rate | up | 1 | | sound frames a switch's port dropped unsent
network.port.utilization.in | 1 | network_core | mean | up | 0.2 | | share of a switch's port in use by what it receives
network.port.utilization.out | 1 | network_core | mean | up | 0.2 | | share of a switch's port in use by what it sends
network.path.connect | s | network_core | single | up | 0.01 | | a TCP connection to a station on the path
network.path.roundtrip | s | network_core | single | up | 0.01 | | an echo from a station on the path
network.path.loss | 1 | network_core | mean | up | 0.1 | | share of the echoes asked of a station that did not come
network.path.refused | 1 | network_core | gauge | neutral | 0 | | 1 if a station was reached and refused, else 0
probe.failed | 1 | network_core | gauge | up | 0.5 | | 1 if an active probe got no answer of what it touches, else 0
dns.lookup.duration | s | network_core | single | up | 0.02 | | one name asked of the resolver
directory.logon.duration | s | identity | single | up | 0.2 | | one logon to the directory
directory.search.duration | s | identity | single | up | 0.1 | | one named entry looked for in the directory
directory.logon.refused | 1 | identity | gauge | neutral | 0 | | 1 if the directory refused the account, else 0
endpoint.cpu.utilization | 1 | endpoint | mean | up | 0.4 | | share of the probe machine's processors busy
endpoint.wifi.signal | dBm | access_network | gauge | down | 10 | -70 (7SIGNAL) | signal strength at the endpoint
endpoint.wifi.retries | 1/s | access_network | rate | up | 5 | | WiFi frames sent again
endpoint.wifi.bitrate | bit/s | access_network | gauge | down | 20e6 | | bitrate at which the endpoint sends
endpoint.wifi.roams | 1/s | access_network | rate | up | 0.0033333 | | changes of the access point and new associations
wifi.ap.channel.utilization | 1 | access_network | mean | up | 0.2 | | share of time an access point's channel was busy
wifi.ap.clients | {client} | access_network | gauge | neutral | 0 | | clients of an access point
wifi.ap.retries | 1 | access_network | mean | up | 0.1 | | share of an access point's frames sent again
session.ica.latency | s | access_network | gauge | up | 0.02 | 0.15 (Goliath) | network delay under an ICA session
session.ica.roundtrip | s | remote_session | mean | up | 0.05 | 0.15 (Goliath) | from an input to its picture
session.rdp.roundtrip | s | access_network | gauge | up | 0.02 | | TCP round trip under an RDP session
session.rdp.loss | 1 | access_network | gauge | up | 0.01 | | share of an RDP session's packets lost
session.input.delay | s | remote_session | maximum | up | 0.05 | | longest wait of an input queued
session.redraw.latency | s | remote_session | single | up | 0.05 | | a small picture drawn inside the session
session.logon.duration | s | remote_session | single | up | 5 | 30 (XD-HealthCheck) | the whole logon of one connection
session.logon.brokering | s | remote_session | single | up | 2 | 10 (XD-HealthCheck) | finding a machine for the session
session.logon.machine.start | s | virtualisation | single | up | 5 | 10 (XD-HealthCheck) | starting its machine
session.logon.hdx | s | remote_session | single | up | 2 | 5 (XD-HealthCheck) | connecting client and session
session.logon.authentication | s | identity | single | up | 1 | 10 (XD-HealthCheck) | who the user is
session.logon.policies | s | identity | single | up | 2 | 10 (XD-HealthCheck) | group policies
session.logon.scripts | s | identity | single | up | 2 | 10 (XD-HealthCheck) | logon scripts
session.logon.profile | s | storage | single | up | 2 | 10 (XD-HealthCheck) | loading the user's profile
session.logon.interactive | s | remote_session | single | up | 2 | 10 (XD-HealthCheck) | from profile to desktop
session.count | {session} | remote_session | gauge | neutral | 0 | | sessions that somebody uses
session.failures | 1/s | remote_session | rate | up | 0.0003 | | sessions not started
printer.present | 1 | printing | gauge | down | 0.5 | | 1 if the session has the printer, else 0
printer.usable | 1 | printing | gauge | down | 0.5 | | 1 if the spooler would print on it, else 0
printer.jobs | {job} | printing | gauge | up | 2 | | jobs in the printer's queue
printer.present.after_logon | s | printing | single | up | 5 | | from logon until it was there
printer.awaited.after_logon | s | printing | gauge | neutral | 0 | | since logon, not usable yet: at least this
printer.usable.after_logon | s | printing | single | up | 5 | | from logon until it was usable
share.write.latency | s | storage | single | up | 0.02 | | a 1 KiB file written to the share
share.read.latency | s | storage | single | up | 0.02 | | a 1 KiB file read back from the share
link.connect.duration | s | external_link | single | up | 0.02 | | a TCP connection to the far end of the link
agent.outbox.dropped | 1 | endpoint | gauge | neutral | 0 | | rows an agent had to drop: these data are missing
agent.slots.missed | 1 | endpoint | gauge | neutral | 0 | | slots in which an agent did not walk
agent.sampler.failed | 1 | endpoint | gauge | neutral | 0 | | 1 if a sampler of an agent could not read, else 0
agent.clock.skew | s | endpoint | gauge | neutral | 0 | | how far the agent's clock is ahead of the collector's
"""


def _metrics() -> Iterator[Metric]:
    for row in _ROWS.strip().splitlines():
        name, unit, layer, kind, direction, shift, limit, meaning = (cell.strip() for cell in row.split("|"))
        number, _, whose = limit.partition(" (")
        yield Metric(
            name=name,
            unit=unit,
            layer=Layer(layer),
            kind=MetricKind(kind),
            direction=Direction(direction),
            minimum_shift=float(shift),
            limit=float(number) if number else None,
            limit_source=whose.rstrip(")"),
            meaning=meaning,
        )


CATALOGUE: Mapping[str, Metric] = {metric.name: metric for metric in _metrics()}

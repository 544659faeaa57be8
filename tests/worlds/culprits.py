"""One world per known culprit (synthetic), with the layer that is to be named."""

from collections.abc import Mapping

from collector.model.layer import Layer
from collector.model.run import Outcome, Phase
from tests.worlds.generator import METRICS, VNC, WIFI, WIRED, Fault, World

SYNC = {("lun-1", "storage.write.latency"): 0.12, ("db-1", "db.wal.sync.latency"): 0.12, ("db-1", "db.busy"): 0.3}
PAGING = {("app-1", "process.paging.faults.major"): 800.0, ("app-1", "system.cpu.utilization"): 0.3}


def waiting(population: str) -> World:
    """Give a world in which one access's own programs wait for a processor, and so all it does takes longer."""
    own = (f"pc-{population}", "process.cpu.wait")
    slow = [one for one in (WIRED, WIFI, VNC) if f"{one.link}-{one.presentation}" == population]
    fault = Fault(seconds={Phase.PROCESSING: 0.2}, steps=["open"], untold=0.1, populations=slow, shifts={own: 0.8})
    return World(metrics={**METRICS, own: 0.1}, faults=[fault])


CULPRITS: Mapping[str, tuple[Layer, World]] = {
    "wifi loses packets": (
        Layer.ACCESS_NETWORK,
        World(
            faults=[
                Fault(
                    seconds={Phase.PROCESSING: 0.15, Phase.TRANSFER: 0.1, Phase.CONNECT: 0.04},
                    populations=[WIFI],
                    hit=0.8,
                )
            ]
        ),
    ),
    "the wired link is congested": (
        Layer.ACCESS_NETWORK,
        World(faults=[Fault(seconds={Phase.PROCESSING: 0.2, Phase.CONNECT: 0.1}, populations=[WIRED, VNC])]),
    ),
    "every link waits at the core": (
        Layer.NETWORK_CORE,
        World(faults=[Fault(seconds={Phase.PROCESSING: 0.2, Phase.CONNECT: 0.1})]),
    ),
    "only the remote session is slow": (
        Layer.REMOTE_SESSION,
        World(faults=[Fault(seconds={Phase.DISPLAY: 0.3}, populations=[VNC])]),
    ),
    "the application server pages": (
        Layer.APP_SERVER,
        World(
            faults=[
                Fault(
                    seconds={Phase.SERVER_APP: 0.4, Phase.SERVER_DB: 0.03, Phase.PROCESSING: 0.05},
                    steps=["search", "open", "print"],
                    shifts=PAGING,
                )
            ]
        ),
    ),
    "the storage under the database is slow": (
        Layer.STORAGE,
        World(faults=[Fault(seconds={Phase.SERVER_DB: 0.25}, steps=["save", "login"], shifts=SYNC)]),
    ),
    "a query is slow after a release": (
        Layer.DATABASE,
        World(
            faults=[
                Fault(
                    seconds={Phase.SERVER_DB: 0.5, Phase.SERVER_APP: 0.02},
                    steps=["search"],
                    release="3.59",
                    shifts={("db-1", "db.busy"): 0.3, ("lun-1", "storage.write.latency"): 0.006},
                )
            ]
        ),
    ),
    "the code is slow after a release": (
        Layer.APPLICATION,
        World(
            faults=[
                Fault(
                    seconds={Phase.SERVER_APP: 0.5},
                    release="3.59",
                    shifts={("app-1", "process.cpu.utilization"): 0.8},
                )
            ]
        ),
    ),
    "the hypervisor steals time": (
        Layer.VIRTUALISATION,
        World(faults=[Fault(seconds={Phase.SERVER_APP: 0.3}, shifts={("app-1", "system.cpu.steal"): 0.3})]),
    ),
    "a partner's link is slow": (
        Layer.EXTERNAL_LINK,
        World(faults=[Fault(seconds={Phase.SERVER_EXTERNAL: 0.6}, steps=["open"])]),
    ),
    "saving times out on stalled storage": (
        Layer.STORAGE,
        World(
            timeout=2.0,
            faults=[
                Fault(seconds={Phase.SERVER_DB: 5.0}, steps=["save"], shifts={("lun-1", "storage.write.latency"): 3.0})
            ],
        ),
    ),
}

# Who is to blame is told by what else was slow on the way, or by who waited.
WAYS: Mapping[str, tuple[Layer, World]] = {
    "the sign-in service keeps everybody waiting": (
        Layer.IDENTITY,
        World(faults=[Fault(seconds={Phase.IDENTITY: 0.8}, steps=["login"])]),
    ),
    "one link's way to the sign-in service is slow": (
        Layer.ACCESS_NETWORK,
        World(faults=[Fault(seconds={Phase.IDENTITY: 0.8}, steps=["login"], populations=[WIFI])]),
    ),
    "names are looked up slowly": (
        Layer.NETWORK_CORE,
        World(faults=[Fault(seconds={Phase.RESOLVE: 0.8}, steps=["login"])]),
    ),
    "wifi stands still when a name is looked up": (
        Layer.ACCESS_NETWORK,
        World(faults=[Fault(seconds={Phase.RESOLVE: 0.8}, steps=["login"], populations=[WIFI])]),
    ),
    "the core is slow and the session stands behind it": (
        Layer.NETWORK_CORE,
        World(
            faults=[
                Fault(seconds={Phase.PROCESSING: 0.2, Phase.CONNECT: 0.1}, steps=["login"], populations=[WIRED, WIFI])
            ]
        ),
    ),
    "the endpoint has no processor for its probe": (Layer.ENDPOINT, waiting("wifi-local")),
    "the session's host has no processor for it": (Layer.REMOTE_SESSION, waiting("wired-vnc")),
}

# What a server tells besides, in the worlds below: they are drawn apart, so that those above stay as they were.
TOLD = {
    **METRICS,
    ("db-1", "db.transactions"): 15.0,
    ("db-1", "db.transaction.mean"): 0.0012,
    ("db-1", "db.waits.lock"): 0.01,
    ("app-1", "system.cpu.halted"): 0.002,
    ("app-1", "system.cpu.halted.longest"): 0.006,
    ("app-1", "process.cpu.wait"): 0.08,
}
SERVER_CULPRITS: Mapping[str, tuple[Layer, World]] = {
    "a release asks once per row": (
        Layer.APPLICATION,
        World(
            metrics=TOLD,
            populations=[WIRED],
            faults=[
                Fault(
                    seconds={Phase.SERVER_DB: 0.5, Phase.SERVER_APP: 0.02},
                    steps=["search"],
                    release="3.60",
                    shifts={
                        ("db-1", "db.transactions"): 600.0,
                        ("db-1", "db.transaction.mean"): -0.0009,
                        ("db-1", "db.busy"): 0.15,
                    },
                )
            ],
        ),
    ),
    "a release with a slow query, while more people came": (
        Layer.DATABASE,
        World(
            metrics=TOLD,
            populations=[WIRED],
            faults=[
                Fault(
                    seconds={Phase.SERVER_DB: 0.5},
                    steps=["search"],
                    release="3.59",
                    shifts={
                        ("db-1", "db.transactions"): 40.0,
                        ("db-1", "db.transaction.mean"): 0.01,
                        ("db-1", "db.busy"): 0.3,
                    },
                )
            ],
        ),
    ),
    "another job holds a lock": (
        Layer.DATABASE,
        World(
            metrics=TOLD,
            populations=[WIRED],
            faults=[
                Fault(
                    seconds={Phase.SERVER_DB: 0.5},
                    steps=["save"],
                    shifts={("db-1", "db.waits.lock"): 2.0},
                    moments=0.35,
                    hit=0.9,
                )
            ],
        ),
    ),
    "the storage stands still now and then": (
        Layer.STORAGE,
        World(
            metrics=TOLD,
            populations=[WIRED],
            seconds=900.0,
            faults=[
                Fault(
                    seconds={Phase.SERVER_DB: 1.5},
                    steps=["save"],
                    populations=[WIRED],
                    hit=0.3,
                    shifts={("lun-1", "storage.write.latency"): 1.5},
                    moments=0.35,
                )
            ],
        ),
    ),
    "the directory answers late": (
        Layer.IDENTITY,
        World(metrics=TOLD, populations=[WIRED], faults=[Fault(seconds={Phase.SERVER_IDENTITY: 0.6}, steps=["login"])]),
    ),
    "the machine is not run": (
        Layer.VIRTUALISATION,
        World(
            metrics=TOLD,
            populations=[WIRED, WIFI],
            faults=[
                Fault(
                    seconds={Phase.SERVER_APP: 0.15, Phase.SERVER_DB: 0.1, Phase.PROCESSING: 0.08},
                    steps=["search"],
                    shifts={
                        ("app-1", "system.cpu.halted"): 0.7,
                        ("app-1", "system.cpu.halted.longest"): 0.2,
                        ("lun-1", "storage.write.latency"): 0.1,
                        ("db-1", "db.wal.sync.latency"): 0.08,
                        ("db-1", "db.busy"): 0.2,
                    },
                )
            ],
        ),
    ),
    "the application waits for a processor": (
        Layer.APP_SERVER,
        World(
            metrics=TOLD,
            populations=[WIRED],
            faults=[
                Fault(
                    seconds={Phase.SERVER_APP: 0.3, Phase.SERVER_DB: 0.08},
                    steps=["search"],
                    shifts={("app-1", "process.cpu.wait"): 0.7},
                )
            ],
        ),
    ),
}

INNOCENT = World(
    faults=[
        Fault(
            shifts={
                ("app-1", "system.memory.available"): -2e9,
                ("lun-1", "system.disk.write.await"): 0.02,
                ("app-1", "system.cpu.utilization"): 0.4,
            }
        )
    ]
)
DOWN = World(faults=[Fault(outcome=Outcome.FAILED, error_kind="connect")])
SILENT = World(server_timing=False, faults=[Fault(seconds={Phase.SERVER_DB: 0.5}, steps=["search"])])
ALONE = World(populations=[WIFI], faults=[Fault(seconds={Phase.PROCESSING: 0.3})])
ALWAYS_SLOW = World(
    target=0.2, seconds=120.0, faults=[Fault(start=0.0, seconds={Phase.SERVER_DB: 0.5}, steps=["search"])]
)

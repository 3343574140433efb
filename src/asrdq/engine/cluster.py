"""A connection to Ray, on a cluster or started on this machine, and what it has room for."""

from __future__ import annotations

import contextlib
import math
import os
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from asrdq.engine.process import available_cores
from asrdq.errors import ToolError, UsageError

if TYPE_CHECKING:
    from asrdq.settings import RaySettings

_CONNECT_S: Final = 10.0
_LEAST_STORE_BYTES: Final = 256 << 20
_SETTINGS, _FRAME_TYPE, _FRAME_HEAD = 4, 3, 9
_GREETING: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, _SETTINGS, *bytes(5)])
"""How a client of HTTP/2 begins: the preface, and settings that say nothing."""
_START_HERE: Final = "leave the address away to start Ray on this machine"
_TOKEN: Final = f"a cluster that asks for a token needs RAY_AUTH_MODE=token here; or {_START_HERE}"
_ASK_RAY: Final = "`ray start --head` says more; --engine local needs no Ray"


@contextlib.contextmanager
def connected(cluster: RaySettings) -> Iterator[Any]:
    """Give the module `ray`, connected; a connection that was there before is used and kept.

    Ray that is started here ends with the block, and reports nothing to its makers.

    Raises:
        ToolError: Ray is not installed, or the cluster does not answer.
        UsageError: The address is one of Ray's client, through which workers cannot be watched.
    """
    try:
        import ray
    except ImportError as error:
        raise ToolError(
            f"the engine ray cannot be loaded: {error}", hint="pip install 'asrdq[ray]'"
        ) from error
    if ray.is_initialized():
        yield ray
        return
    how = _here(cluster) if cluster.address is None else _there(cluster.address)
    try:
        ray.init(**how, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, RuntimeError, ValueError) as error:
        first = str(error).partition("\n")[0]
        if cluster.address is None:
            raise ToolError(f"Ray does not start: {first}", hint=_ASK_RAY) from error
        raise ToolError(f"Ray does not connect: {first}", hint=_TOKEN) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _here(cluster: RaySettings) -> dict[str, Any]:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    return {
        "address": "local",
        "num_cpus": available_cores(),
        "include_dashboard": False,
        "object_store_memory": max(_LEAST_STORE_BYTES, int(2e6 * cluster.in_flight_mb)),
    }


def _there(address: str) -> dict[str, Any]:
    if "://" in address:
        raise UsageError(
            f"'{address}' is not the address of a cluster",
            hint="give the command on a node of it, with --address auto; `ray job submit` does",
        )
    host, _, port = address.rpartition(":")
    if host and port.isdigit():
        try:
            _greet(host, int(port))
        except OSError as error:
            raise ToolError(
                f"the Ray cluster at {address} cannot be reached: {error}", hint=_START_HERE
            ) from error
    return {"address": address}


def _greet(host: str, port: int) -> None:
    """Hold that a server of gRPC is there, as Ray's is: Ray itself would wait for minutes.

    Such a server begins with its settings (RFC 9113, 3.4); one that speaks TLS does not.

    Raises:
        OSError: There is none.
    """
    with socket.create_connection((host, port), _CONNECT_S) as talk:
        if os.environ.get("RAY_USE_TLS", "0") != "0":
            return
        talk.sendall(_GREETING)
        with talk.makefile("rb") as answers:
            answer = answers.read(_FRAME_HEAD)
        if len(answer) < _FRAME_HEAD or answer[_FRAME_TYPE] != _SETTINGS:
            raise OSError("what answers there is no Ray")


def workers_that_fit(ray: Any, cluster: RaySettings) -> int:
    """Return how many workers the nodes that are up now have room for, if they do nothing else.

    Raises:
        ToolError: No node has a GPU where one is asked for, or none has room for a worker.
    """
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    cpus, gpus = cluster.cpus_per_worker, cluster.gpus_per_worker
    if gpus and not any(node.get("GPU", 0.0) for node in nodes):
        raise ToolError(
            f"a worker is to have {gpus:g} GPU, and no node of the cluster has one",
            hint="add a node with GPUs, or set ray.gpus_per_worker to 0 in asrdq.yaml",
        )
    room = sum(
        min(
            _times(node.get("CPU", 0.0), cpus),
            _times(node.get("GPU", 0.0), gpus) if gpus else _times(node.get("CPU", 0.0), cpus),
        )
        for node in nodes
    )
    if not room:
        most = max((node.get("CPU", 0.0) for node in nodes), default=0.0)
        raise ToolError(
            f"no node of the cluster has room for a worker of {cpus:g} CPUs and {gpus:g} GPUs",
            hint=f"the largest has {most:g} CPUs; see ray.cpus_per_worker in asrdq.yaml",
        )
    return room


def _times(amount: float, share: float) -> int:
    return math.floor(amount / share + 1e-9)


def lives_on(ray: Any, node_id: str) -> bool:
    """Return whether a node is up."""
    return any(node["NodeID"] == node_id and node["Alive"] for node in ray.nodes())

"""A node of a Ray cluster goes, with the worker on it: what it had is done elsewhere."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import duties
import pytest

from asrdq.engine import run_tasks
from asrdq.settings import RaySettings

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::ResourceWarning"),
]


def test_a_lost_node_costs_no_item_and_no_attempt(tmp_path: Path) -> None:
    import ray
    from ray.cluster_utils import Cluster

    quick = {
        "health_check_initial_delay_ms": 0,
        "health_check_period_ms": 500,
        "health_check_failure_threshold": 2,
    }
    cluster = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 1, "include_dashboard": False, "_system_config": quick},
    )
    spot = cluster.add_node(num_cpus=1)
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")

    def take_away() -> None:
        while not any(tmp_path.iterdir()):
            os.sched_yield()
        cluster.remove_node(spot, allow_graceful=False)

    threading.Thread(target=take_away, daemon=True).start()
    try:
        items = [(number, str(tmp_path), spot.node_id) for number in range(12)]
        outcomes = list(
            run_tasks(duties.wait_once_on_node, items, workers=2, cluster=RaySettings())
        )
    finally:
        ray.shutdown()
        cluster.shutdown()
    assert sorted(one.item[0] for one in outcomes) == list(range(12))
    assert all(one.failure is None and one.attempts == 1 for one in outcomes)
    (waited,) = tmp_path.iterdir()
    assert int(waited.name) in range(12), "the node had an item in the middle"

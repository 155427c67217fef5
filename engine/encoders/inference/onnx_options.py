"""How onnxruntime runs a graph: the same for every back end."""

from __future__ import annotations

import os

import onnxruntime


def session_options(
    threads: int, *, optimise: bool, one_size: bool = False
) -> onnxruntime.SessionOptions:
    """Options of a session that reports nothing to anybody.

    `optimise`: whether onnxruntime may rewrite the graph; what we fuse is as it should be.
    `one_size`: all that is given to it has the same shape.
    """
    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Threads that wait for one another sleep: spinning takes the cores from others.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if not one_size:  # what was planned for one batch, or kept from it, fits no other
        options.enable_mem_pattern = False
        options.enable_cpu_mem_arena = False
    levels = onnxruntime.GraphOptimizationLevel
    options.graph_optimization_level = levels.ORT_ENABLE_ALL if optimise else levels.ORT_DISABLE_ALL
    return options


def processor_threads() -> int:
    """What the pool allows its worker, else all cores that this process may use."""
    allowed = os.environ.get("OMP_NUM_THREADS", "")
    if allowed.isdigit() and int(allowed):
        return int(allowed)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

#!/usr/bin/env python3
"""groupbytrace beside the OpenTelemetry Collector's: the same requests, the same options, the same batches of the same spans.

usage: grouping.py --sluice BINARY --work FOLDER [--only TEXT] [--seed NUMBER]

Every case is a pipeline of its own in one sluice and in one collector, and a path of its own at the sink of each. All requests
come to all of them, every other one after a pause: some traces come whole before it, some whole after it, some in parts on both
sides. A batch is what came to the sink in one request: a trace, and each of its spans with scope and resource.
Prepared by test/run.sh: FOLDER holds venv/ and otelcol."""
import collections
import pathlib
import sys
import tempfile
import time
from concurrent import futures

import beside
from daemon import Daemon, free_ports, wait_for
from random_traces import RandomTraces
from sink import Sink, canonical

TRACES = 2000
PAUSE = 2.5  # seconds
LONG, SHORT = "6s", "1s"  # than the pause and what is sent before and after it
FEW = 100  # num_traces of a case

# `loses`: the collector throws away what is too much.
Case = collections.namedtuple("Case", "name options loses", defaults=(False,))
CASES = [
    Case("traces that come in time", f"{{wait_duration: {LONG}}}"),
    Case("traces of which a part comes late", f"{{wait_duration: {SHORT}}}"),
    Case("several workers", f"{{wait_duration: {LONG}, num_workers: 4}}"),
    Case("too many traces", f"{{wait_duration: {LONG}, num_traces: {FEW}}}", True),
]


class Batches(Sink):
    """By the name of a case, which stands in the path: each batch, as the set of its rows; and how many spans there were."""

    def __init__(self):
        self.batches, self.spans = collections.defaultdict(list), collections.Counter()
        super().__init__()

    def take(self, request, path):
        rows, case = [], path.split("/")[1]
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                rows += [(span.trace_id, span.span_id, canonical(span), scope.scope.SerializeToString(deterministic=True),
                          resource.resource.SerializeToString(deterministic=True)) for span in scope.spans]
        with self._lock:
            self.batches[case].append(frozenset(rows))
            self.spans[case] += len(rows)


class Side:
    """sluice, or the collector, and what came out of it."""

    def __init__(self, name, command):
        self.name, self.command, self.sink = name, command, Batches()

    def run(self, traces, folder):
        port = free_ports(1)[0]
        config = beside.config(port, self.sink.http_port, [("groupbytrace", case.options) for case in CASES])
        total = sum(map(len, traces.spans.values()))
        with Daemon(self.command, config, port, folder, self.name):
            beside.post(self.name, port, traces.requests[::2])
            time.sleep(PAUSE)
            beside.post(self.name, port, traces.requests[1::2])
            whole = [f"c{number}" for number, case in enumerate(CASES) if not case.loses]
            wait_for(lambda: all(self.sink.spans[name] >= total for name in whole), 30, f"{total} spans from {self.name}")
            time.sleep(0.5)  # whatever comes twice
        self.sink.stop()

    def batches(self, number):
        """By trace, the batches that it came in. No batch has more than one."""
        by_trace = collections.defaultdict(collections.Counter)
        for batch in self.sink.batches[f"c{number}"]:
            ids = {row[0] for row in batch}
            assert len(ids) == 1, f"{self.name} put {len(ids)} traces into one batch"
            by_trace[ids.pop()][batch] += 1
        return by_trace


def same_batches(ours, theirs):
    assert ours.keys() == theirs.keys(), f"{len(ours)} traces from sluice, {len(theirs)} from the collector"
    different = [trace for trace in ours if ours[trace] != theirs[trace]]
    sizes = [sorted(map(len, side[trace].elements())) for trace in different[:1] for side in (ours, theirs)]
    assert not different, (f"{len(different)} of {len(ours)} traces differ, such as {different[0].hex()}: spans by batch {sizes[0]}, "
                           f"of the collector {sizes[1]}")
    return f"{len(ours)} traces in {sum(batches.total() for batches in ours.values())} batches"


def nothing_lost(ours, theirs, traces):
    """What the collector still has came out of sluice as well, and all the rest."""
    for trace, ids in traces.spans.items():
        got = sorted(row[1] for batch in ours[trace].elements() for row in batch)
        assert got == sorted(ids), f"{len(got)} of {len(ids)} spans of {trace.hex()} from sluice"
    spans = sum(len(batch) for batches in theirs.values() for batch in batches.elements())
    total = sum(map(len, traces.spans.values()))
    assert spans < total, "the collector has lost nothing: there were not too many"
    return f"all {total} spans of {len(traces.spans)} traces, of the collector {spans}"


def main():
    arguments = beside.arguments()
    CASES[:] = [case for case in CASES if arguments.only in case.name]
    traces = RandomTraces(arguments.seed, TRACES, traces_a_request=20)
    sides = [Side("sluice", [arguments.sluice]), Side("collector", [str(arguments.work / "otelcol")])]
    with tempfile.TemporaryDirectory() as temporary:
        with futures.ThreadPoolExecutor() as pool:
            list(pool.map(lambda side: side.run(traces, pathlib.Path(temporary)), sides))

    def compare(number):
        ours, theirs = (side.batches(number) for side in sides)
        return nothing_lost(ours, theirs, traces) if CASES[number].loses else same_batches(ours, theirs)

    return beside.report([case.name for case in CASES], compare)


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""probabilistic_sampler beside the OpenTelemetry Collector's: the same spans, the same options, the same ones kept.

usage: shares.py --sluice BINARY --work FOLDER [--only TEXT] [--seed NUMBER]

Every case is a pipeline of its own in one sluice and in one collector, and a path of its own at the sink of each. All spans
come to all of them. The same must leave, to the last one, with the same trace states, to the last character.
Prepared by test/run.sh: FOLDER holds venv/ and otelcol."""
import collections
import itertools
import pathlib
import random
import sys
import tempfile

from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as service

import beside
from daemon import Daemon, free_ports, wait_for
from sink import Sink

SPANS, SPANS_A_REQUEST = 8000, 100
END = 1 << 56  # of random bits and thresholds
DIGITS = 14

MALFORMED = ["ot", "ot=", "ot=th", "ot=th:", "ot=th:g", "ot=th:8;", "ot=rv:1", "ot=T:1", "ot=th:8;;a:b", "OT=th:8", "a=b,ot=th:8,=c",
             "a=\x7f", "ot=a:b c", "@a=b", "a@=b", "a@1=b", "a=b=c", "ot=th:8,a", "ot=rv:8000000000000g", "ot=th:800000000000000",
             "ot=th:g,ot=th:8", "a=" + "b" * 257, ",".join(f"k{i}=v" for i in range(33)), "a=b,c=\t,ot=th:8", "A=b",
             ",".join(f"k{i}=" + "b" * 250 for i in range(5))]
OTHERS = ["", "", "a=b", "vendor=x y, other=1", "1tenant@system=v", " a=b\t,,", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"]
EXTRAS = ["", "", "", "x:1", "x:1;y:", "p:8;r:62"]
PRIORITIES = [0, 1, 2, -1, 0.0, -0.0, 0.5, -0.5, float("inf"), float("nan"), "0", "1", "-1", "0.0", "+1", "1e3", "0x1p-2", "1.", ".5",
              "inf", "Infinity", "NaN", "", "one", "1 ", " 1", "0x10", "1e999", "--1", True, False, b"1", None]


def threshold_text(threshold):
    return f"{threshold:014x}".rstrip("0") or "0"


def near_the_end(rng):
    """Half of them as small percentages keep them."""
    return rng.randrange(END) if rng.random() < 0.5 else END - rng.randint(1, 1 << rng.randint(0, 56))


def own_list(rng, bits):
    """What stands under `ot` of a span with these random bits in its trace id."""
    parts = []
    kind = rng.choice(["rv", "th", "both", "wrong", "both wrong", "none"])
    if kind in ("rv", "both", "both wrong"):
        bits = near_the_end(rng)
        parts.append("rv:" + rng.choice([f"{bits:014x}"] * 5 + [f"{bits:014X}"]))
    if kind in ("th", "both"):
        threshold = min(bits, rng.choice([0, END // 2, near_the_end(rng)]))
        keep = 4 * rng.randint(0, DIGITS - 1)
        parts.append("th:" + threshold_text(threshold >> keep << keep))
    if kind.endswith("wrong") and bits < END - 1:
        parts.append("th:" + threshold_text(rng.randint(bits + 1, END - 1)))
    parts += filter(None, [rng.choice(EXTRAS)])
    rng.shuffle(parts)
    return ";".join(parts)


def trace_state(rng, bits):
    chance = rng.random()
    if chance < 0.4:
        return rng.choice(OTHERS)
    if chance < 0.5:
        return rng.choice(MALFORMED)
    members = [f"ot={own}" for own in [own_list(rng, bits)] + ([own_list(rng, bits)] if chance > 0.98 else []) if own]
    members += filter(None, [rng.choice(OTHERS)])
    rng.shuffle(members)
    return ",".join(members)


def set_value(any_value, value):
    if isinstance(value, bool):
        any_value.bool_value = value
    elif isinstance(value, int):
        any_value.int_value = value
    elif isinstance(value, float):
        any_value.double_value = value
    elif isinstance(value, str):
        any_value.string_value = value
    elif isinstance(value, bytes):
        any_value.bytes_value = value


def random_requests(seed):
    rng = random.Random(seed)
    for first in range(0, SPANS, SPANS_A_REQUEST):
        request = service.ExportTraceServiceRequest()
        scope = request.resource_spans.add().scope_spans.add()
        for number in range(first + 1, first + 1 + SPANS_A_REQUEST):
            bits = near_the_end(rng)
            span = scope.spans.add(trace_id=rng.randbytes(9) + bits.to_bytes(7, "big"), span_id=number.to_bytes(8, "big"), name="s",
                                   trace_state=trace_state(rng, bits))
            for _ in range(rng.choice([0] * 8 + [1, 2])):
                set_value(span.attributes.add(key="sampling.priority").value, rng.choice(PRIORITIES))
            span.attributes.add(key="sampling.rule").value.int_value = 0
        # One that every sampler keeps, to know when all has come.
        span = scope.spans.add(trace_id=rng.randbytes(16), span_id=(END + first).to_bytes(8, "big"), name="s")
        set_value(span.attributes.add(key="sampling.priority").value, 1)
        yield request


Case = collections.namedtuple("Case", "percentage options")

CASES = [Case(percentage, f"mode: {mode}, fail_closed: {closed}")
         for mode, percentage, closed in itertools.product(["hash_seed", "equalizing", "proportional"],
                                                           [0, 0.01, 1.7, 5.3, 25, 33.3, 99.95, 100], ["true", "false"])]
CASES += [Case(percentage, f"mode: {mode}, sampling_precision: {precision}")
          for mode, percentage, precision in itertools.product(["equalizing", "proportional"], [0.03, 3, 71.7], [1, 2, 5, 14])]
CASES += [Case(40, f"hash_seed: {seed}") for seed in (0, 1, 22, 4294967295)]
CASES += [Case(0.005, "fail_closed: false"), Case(0.0062, "hash_seed: 7"), Case(150, "mode: proportional"), Case(1e-9, "mode: equalizing"),
          Case(12.5, "attribute_source: record, from_attribute: id, sampling_priority: sampling.rule")]


class TraceStates(Sink):
    """By the name of a case, which stands in the path: the trace state of each span that came, by its id."""

    def __init__(self):
        self.states = collections.defaultdict(dict)
        super().__init__()

    def take(self, request, path):
        states = {span.span_id: span.trace_state
                  for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans}
        with self._lock:
            self.states[path.split("/")[1]].update(states)


def states_after(name, command, requests, folder):
    sink = TraceStates()
    port = free_ports(1)[0]
    config = beside.config(port, sink.http_port, [
        ("probabilistic_sampler", f"{{sampling_percentage: {case.percentage}, {case.options}}}") for case in CASES])
    last = {request.resource_spans[0].scope_spans[0].spans[-1].span_id for request in requests}
    with Daemon(command, config, port, folder, name):
        beside.post(name, port, (request.SerializeToString() for request in requests))
        wait_for(lambda: all(last <= sink.states[f"c{number}"].keys() for number in range(len(CASES))), 60,
                 f"the last span of each request from {name}")
    sink.stop()
    return sink.states


def compare(ours, theirs, before, keeps_nothing):
    """`keeps_nothing`: then the collector replaces trace states that it cannot read."""
    for states in (ours, theirs):
        states.update({span: "" for span in states if keeps_nothing and before[span] in MALFORMED})
    different = [span for span in before if ours.get(span, "dropped") != theirs.get(span, "dropped")]
    if different:
        span = min(different, key=lambda each: len(before[each]))
        raise AssertionError(f"{len(different)} spans differ, such as {before[span]!r}: sluice {ours.get(span, 'dropped')!r}, "
                             f"the collector {theirs.get(span, 'dropped')!r}")
    return f"{len(ours)} of {len(before)} spans"


def main():
    arguments = beside.arguments()
    CASES[:] = [case for case in CASES if arguments.only in case.options]

    requests = list(random_requests(arguments.seed))
    before = {span.span_id: span.trace_state for request in requests for span in request.resource_spans[0].scope_spans[0].spans}
    with tempfile.TemporaryDirectory() as temporary:
        ours, theirs = (states_after(name, command, requests, pathlib.Path(temporary))
                        for name, command in [("sluice", [arguments.sluice]), ("collector", [str(arguments.work / "otelcol")])])

    def compared(number):
        case = CASES[number]
        keeps_nothing = case.percentage < 0.0062 and (case.percentage == 0 or "mode" not in case.options)
        return compare(ours[f"c{number}"], theirs[f"c{number}"], before, keeps_nothing)

    return beside.report([f"{case.percentage} %, {case.options}" for case in CASES], compared)


if __name__ == "__main__":
    sys.exit(main())

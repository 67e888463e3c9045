#!/usr/bin/env python3
"""tail_sampling beside the OpenTelemetry Collector's: the same requests in the same order, the same policies, the same traces.

usage: sampling.py --sluice BINARY --work FOLDER [--only TEXT] [--seed NUMBER]

Every case is a pipeline of its own in one sluice and in one collector, with the same policies, and a path of its own at the
sink of each. What is decided by the traces alone must be the same to the last trace, and every kept trace whole. What is
decided by a rate is the same within two percent: see `steady_start`.
Prepared by test/run.sh: FOLDER holds venv/ and otelcol."""
import collections
import contextlib
import http.client
import math
import pathlib
import sys
import tempfile
import threading
import time

from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as service

import beside
from daemon import Daemon, free_ports, listening, wait_for
from random_traces import REQUESTS_A_TRACE, RandomTraces, RootedTraces, WholeTraces
from sink import Sink

WAIT = 5  # seconds of decision_wait: whole ones, which is what the collector counts in
STEADY = 10  # seconds of a steady stream of requests, whole ones
STEADY_REQUESTS = 50  # a second
TOLERANCE = 0.02

# `unit`: of what as much is kept, to two percent; or else the same traces are.
Case = collections.namedtuple("Case", "name policies options unit num_traces", defaults=("", None, 1_000_000))

ERRORS = "{name: errors, type: status_code, status_code: {status_codes: [ERROR]}}"
SLOW = "{name: slow, type: latency, latency: {threshold_ms: 2500}}"
SHARE = "{name: share, type: probabilistic, probabilistic: {sampling_percentage: 10}}"
GOLD = ("{name: gold, type: string_attribute, string_attribute: {key: user.tier, values: ['^gol+d', 'ver$'], "
        "enabled_regex_matching: true}}")
FAILED = ("{name: failed, type: numeric_attribute, numeric_attribute: {key: http.response.status_code, min_value: 500, "
          "max_value: 599}}")
BOTH = ("{name: both, type: and, and: {and_sub_policy: [{name: long, type: span_count, span_count: {min_spans: 6}}, "
        "{name: cached, type: boolean_attribute, boolean_attribute: {key: cached, value: true}}]}}")
NOT = ("{name: not, type: not, not: {not_sub_policy: {name: usual, type: numeric_attribute, "
       "numeric_attribute: {key: http.response.status_code, min_value: 200, max_value: 299}}}}")
DROP = ("{name: probes, type: drop, drop: {drop_sub_policy: [{name: health, type: string_attribute, "
        "string_attribute: {key: url.path, values: [/health]}}, "
        "{name: short, type: not, not: {not_sub_policy: {name: long, type: span_count, span_count: {min_spans: 5}}}}]}}")


def composite(spans_per_second):
    return (f"{{name: budget, type: composite, composite: {{max_total_spans_per_second: {spans_per_second}, "
            "policy_order: [twice, rest], composite_sub_policy: ["
            "{name: twice, type: numeric_attribute, numeric_attribute: {key: retries, min_value: 2}}, "
            "{name: rest, type: and, and: {and_sub_policy: [{name: cart, type: string_attribute, string_attribute: "
            "{key: url.path, values: [/cart/7]}}, {name: small, type: span_count, span_count: {max_spans: 3}}]}}], "
            "rate_allocation: [{policy: twice, percent: 70}, {policy: rest, percent: 30}]}}")


OTTL = ("{name: ottl, type: ottl_condition, ottl_condition: {error_mode: ignore, span: "
        "['attributes[\"http.response.status_code\"] >= 500 and resource.attributes[\"service.name\"] != \"auth\"', "
        "'IsMatch(attributes[\"url.path\"], \"^/c.*t$\")']}}")

NEVER_BINDS = composite(1_000_000_000)

# On all traces, and each on the first of them.
ALL = Case("errors, latency, probabilistic, regexp, numeric, and, not, drop, ottl and composite decide together",
           [ERRORS, SLOW, SHARE, GOLD, FAILED, BOTH, NOT, DROP, OTTL, NEVER_BINDS])


def one(kind, options):
    return [f"{{name: {kind}, type: {kind}, {kind}: {options}}}"]


ALONE = [
    Case("always_sample and another policy sample what the other one does",
         ["{name: both, type: and, and: {and_sub_policy: [{name: all, type: always_sample}, {name: long, type: span_count, "
          "span_count: {min_spans: 4}}]}}"]),
    Case("errors are kept", [ERRORS]),
    Case("what is not said to be well or ill is kept", one("status_code", "{status_codes: [UNSET]}")),
    Case("long traces are kept", [SLOW]),
    Case("traces between two durations are kept, also those that grew beyond",
         one("latency", "{threshold_ms: 100, upper_threshold_ms: 400}")),
    Case("a tenth is the same tenth", [SHARE]),
    Case("a tenth with a salt is the same tenth", one("probabilistic", "{sampling_percentage: 10, hash_salt: tier-1}")),
    Case("a small share is the same share", one("probabilistic", "{sampling_percentage: 0.7}")),
    Case("a text is one of some", one("string_attribute", "{key: user.tier, values: [gold, silver]}")),
    Case("a text has a pattern in it", [GOLD]),
    Case("a text of the resource is one of some", one("string_attribute", "{key: service.name, values: [auth]}")),
    Case("a pattern fits the empty text of a resource, and not of a span",
         one("string_attribute", "{key: user.tier, values: ['^$'], enabled_regex_matching: true}")),
    Case("a text is none of some",
         one("string_attribute", "{key: url.path, values: [/checkout, /search], invert_match: true}")),
    Case("a text has none of some patterns in it",
         one("string_attribute", "{key: url.path, values: ['^/c', 'in$'], enabled_regex_matching: true, invert_match: true}")),
    Case("a number is in a range", [FAILED]),
    Case("a number is at least so much", one("numeric_attribute", "{key: retries, min_value: 3}")),
    Case("a number is at most so much", one("numeric_attribute", "{key: retries, max_value: -1}")),
    Case("a number is at most so much, and no number is zero", one("numeric_attribute", "{key: user.tier, max_value: 5}")),
    Case("a number is not in a range",
         one("numeric_attribute", "{key: http.response.status_code, min_value: 200, max_value: 299, invert_match: true}")),
    Case("a boolean is true", one("boolean_attribute", "{key: cached, value: true}")),
    Case("a boolean is false, and what is no boolean is too", one("boolean_attribute", "{key: cached, value: false}")),
    Case("a boolean is not false", one("boolean_attribute", "{key: cached, value: false, invert_match: true}")),
    Case("traces of so many spans are kept", one("span_count", "{min_spans: 3, max_spans: 5}")),
    Case("traces of so many spans and more are kept", one("span_count", "{min_spans: 7}")),
    Case("a trace state has one of some values", one("trace_state", "{key: vendor, values: [a, b]}")),
    Case("a trace that is sampled elsewhere is kept", ["{name: flagged, type: trace_flags}"]),
    Case("a condition in OTTL holds on a span", [OTTL]),
    Case("a condition in OTTL holds on an event", one("ottl_condition", "{spanevent: ['name == \"exception\"']}")),
    Case("a condition in OTTL that fails holds nowhere",
         one("ottl_condition", "{error_mode: ignore, span: ['Int(attributes[\"user.tier\"]) > 1', 'kind == SPAN_KIND_SERVER']}")),
    Case("both of two policies sample", [BOTH]),
    Case("a policy does not sample", [NOT]),
    Case("one of two policies samples and the other does not",
         ["{name: both, type: and, and: {and_sub_policy: [{name: slow, type: latency, latency: {threshold_ms: 500}}, {name: well, "
          "type: not, not: {not_sub_policy: {name: errors, type: status_code, status_code: {status_codes: [ERROR]}}}}]}}"]),
    Case("conditions in OTTL hold on spans and on events",
         one("ottl_condition", "{error_mode: silent, span: ['Len(attributes) > 4 and IsRootSpan()', "
             "'end_time - start_time > Duration(\"1s\")'], spanevent: ['attributes[\"retries\"] == 2']}")),
    Case("what is dropped is not kept by others", [ERRORS, GOLD, DROP]),
    Case("a composite whose budgets never bind keeps what its parts sample", [NEVER_BINDS]),
    Case("the first match decides as all matches do",
         [ERRORS, SLOW, SHARE, GOLD, FAILED, BOTH, NOT, DROP, NEVER_BINDS], "sample_on_first_match: true"),
    Case("with span-ingest a trace is kept as soon as a part of it is sampled", [ERRORS, GOLD],
         "sampling_strategy: span-ingest"),
    # sluice counts a few bytes around each resource, which the collector does not.
    Case("a trace that has grown too large is dropped", ["{name: rest, type: always_sample}"],
         "maximum_trace_size_bytes: 1500", unit="bytes"),
]

RATES = [
    Case("rate_limiting keeps as many spans", one("rate_limiting", "{spans_per_second: 300}"), unit="spans"),
    Case("rate_limiting with a burst keeps as many spans",
         one("rate_limiting", "{spans_per_second: 300, burst_capacity: 450}"), unit="spans"),
    Case("bytes_limiting keeps as many bytes", one("bytes_limiting", "{bytes_per_second: 120000}"), unit="bytes"),
    Case("a composite whose budgets bind keeps as many spans", [composite(100)], unit="spans"),
]
NONE = [
    # A policy that drops might still want to when the next spans come: as long as there is one, nothing is sampled.
    Case("with span-ingest nothing is kept beside a policy that drops", [ERRORS, GOLD, DROP], "sampling_strategy: span-ingest"),
]
ROOTED = [Case("once a root has come what comes later than the shorter wait is late", [ERRORS],
               "decision_wait_after_root_received: 1s")]
FULL = 300  # traces, of twice as many and more
OVERFLOWING = [Case("of more traces than it may hold the collector drops the oldest, and sluice decides them",
                    ["{name: rest, type: always_sample}"], num_traces=FULL)]
BLOCKED = [Case("with block_on_overflow the same traces are kept, later", [ERRORS],
                "block_on_overflow: true\n    decision_cache: {sampled_cache_size: 10000, non_sampled_cache_size: 10000}",
                num_traces=FULL)]
GROUPS = {"all": [ALL], "alone": ALONE, "none": NONE, "rooted": ROOTED, "overflowing": OVERFLOWING, "blocked": BLOCKED,
          "steady": RATES}


def pipelines(ports, exporter, shards):
    """The part of the configuration that both have in common."""
    processors, exporters, chains = "", "", ""
    for group, cases in GROUPS.items():
        for number, case in enumerate(cases):
            name = f"{group}{number}"
            policies = "".join(f"      - {policy}\n" for policy in case.policies)
            processors += (f"  tail_sampling/{name}:\n    decision_wait: {WAIT}s\n    num_traces: {case.num_traces}\n"
                           f"    num_shards: {shards}\n" +
                           (f"    {case.options}\n" if case.options else "") + f"    policies:\n{policies}")
            exporters += f"  otlp_http/{name}:\n" + exporter.replace("NAME", name)
            chains += (f"    traces/{name}: {{receivers: [otlp/{group}], processors: [tail_sampling/{name}], "
                       f"exporters: [otlp_http/{name}]}}\n")
    receivers = "".join(f'  otlp/{group}: {{protocols: {{http: {{endpoint: "127.0.0.1:{port}"}}}}}}\n'
                        for group, port in ports.items())
    return (f"receivers:\n{receivers}processors:\n{processors}exporters:\n{exporters}"
            f"service:\n  telemetry: {{metrics: {{level: none}}}}\n  pipelines:\n{chains}")


class KeptSpans(Sink):
    """By the name of a case, which stands in the path: the ids of all spans that came, each as trace id and span id."""

    def __init__(self):
        self.ids = collections.defaultdict(list)
        super().__init__()

    def take(self, request, path):
        ids = [span.trace_id + span.span_id
               for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans]
        with self._lock:
            self.ids[path.split("/")[1]] += ids


class Side:
    """sluice, or the collector, and what it kept."""

    def __init__(self, name, command, shards, exporter):
        self.name, self.command = name, command
        self.sink = KeptSpans()
        self.ports = dict(zip(GROUPS, free_ports(len(GROUPS))))
        self.config = pipelines(self.ports, exporter.replace("PORT", str(self.sink.http_port)), shards)

    def start(self, folder):
        daemon = Daemon(self.command, self.config, self.ports["steady"], folder, self.name).__enter__()
        wait_for(lambda: all(map(listening, self.ports.values())), 30, f"the ports of {self.name}")
        self.ready = time.monotonic()
        return daemon

    def send(self, group, requests, begin=0.0, interval=0.0, patient=False):
        """One after another, over one connection, each at its time. No trace must take so long to come that it is decided
        before its last part is there. `patient`: as often as it takes, for as long as it takes."""
        answered = []
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[group])
        for number, body in enumerate(requests):
            time.sleep(max(0.0, begin + number * interval - time.monotonic()))
            while True:
                connection.request("POST", "/v1/traces", body, {"Content-Type": "application/x-protobuf"})
                response = connection.getresponse()
                answer = response.read()
                if response.status != 503 or not patient:
                    break
                time.sleep(0.05)
            if response.status != 200 or service.ExportTraceServiceResponse.FromString(answer).partial_success.rejected_spans:
                raise AssertionError(f"{self.name} answered {response.status} {answer}")
            answered.append(time.monotonic())
        connection.close()
        longest = max((late - early for early, late in zip(answered, answered[REQUESTS_A_TRACE:])), default=0)
        print(f"{self.name} took {answered[-1] - answered[0]:.1f} s for {len(requests)} requests, up to {longest:.1f} s for the "
              "parts of one trace", flush=True)
        if longest > WAIT - 1 and not patient:
            raise AssertionError(f"too slow a machine for this: {self.name} took {longest:.1f} s for the parts of one trace")


def send_rooted(side, traces):
    """The second parts when what has a root in its first is decided and nothing else is."""
    side.send("rooted", traces.requests[:1])
    time.sleep((1 + 1 + WAIT) / 2 - 0.5)
    side.send("rooted", traces.requests[1:])


def in_parallel(*tasks):
    failures = []

    def guarded(task):
        try:
            task()
        except Exception as error:  # pylint: disable=broad-except
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def amid(moment):
    """Whether it is not near the turn of a second."""
    return 0.1 < moment % 1 < 0.8


def start_collector(collector, folder, stack):
    """Its ticks are whole seconds after its start. They must not fall together with the turn of a second, where its composite
    opens new budgets."""
    while True:
        daemon = collector.start(folder)
        stack.push(daemon.__exit__)
        if amid(time.time()):
            return
        time.sleep(0.7)  # it listens before it heeds signals
        stack.pop_all().close()


def steady_start(collector):
    """When to begin, so that a stream of ten seconds means the same to both, in whose hands time is not the same: the
    collector decides once a second, at its ticks, what sluice decides ten times a second; and sluice's composite opens new
    budgets at other moments than the collector's. Begun amid ticks and budgets the stream meets eleven of each, of which
    the first and the last get enough spans to be spent, since ten times as many come as are kept."""
    begin = time.monotonic() + 0.2
    while not (amid(begin) and amid(begin - collector.ready)):
        begin += 0.02
    return begin


class Comparison:
    def __init__(self, sluice, collector, only):
        self.sluice, self.collector, self.only = sluice, collector, only
        self.passed, self.failed = 0, 0

    def case(self, name, body):
        if self.only not in name:
            return
        try:
            print(f"ok      {name}: {body()}", flush=True)
            self.passed += 1
        except AssertionError as error:
            print(f"FAILED  {name}: {error}", flush=True)
            self.failed += 1

    def whole_traces(self, side, name, sent):
        """The ids of traces that were kept, after a look whether each came once and with all of its spans."""
        got = side.sink.ids[name]
        kept = {each[:16] for each in got}
        want = {trace + span for trace in kept for span in sent.spans.get(trace, ())}
        assert len(set(got)) == len(got), f"{len(got) - len(set(got))} spans came twice from {side.name}"
        assert set(got) == want, f"{side.name}: {len(want - set(got))} spans of kept traces are missing, " \
                                 f"{len(set(got) - want)} are unknown"
        return kept

    def same_traces(self, name, sent):
        ours, theirs = (self.whole_traces(side, name, sent) for side in (self.sluice, self.collector))
        assert 0 < len(theirs) < len(sent.spans), f"{len(theirs)} of {len(sent.spans)} kept: this compares nothing"
        if ours != theirs:
            only_ours, only_theirs = sorted(ours - theirs), sorted(theirs - ours)
            shortest = min(only_ours + only_theirs, key=lambda trace: len(sent.spans[trace]))
            raise AssertionError(
                f"{len(only_ours)} traces kept by sluice only, {len(only_theirs)} by the collector only, such as, kept by "
                f"{'sluice' if shortest in ours else 'the collector'}:\n{sent.text(shortest)}")
        return f"{len(ours)} of {len(sent.spans)} traces"

    def nothing(self, name):
        ours, theirs = (len(side.sink.ids[name]) for side in (self.sluice, self.collector))
        assert (ours, theirs) == (0, 0), f"{ours} spans kept by sluice and {theirs} by the collector"
        return "none"

    def newest_and_all(self, name, sent):
        ours, theirs = (self.whole_traces(side, name, sent) for side in (self.sluice, self.collector))
        assert ours == set(sent.spans), f"{len(ours)} of {len(sent.spans)} kept by sluice"
        newest = set(list(sent.spans)[-FULL:])
        assert theirs == newest, f"{len(theirs)} kept by the collector, {len(theirs & newest)} of them of the newest {FULL}"
        return f"{len(ours)}, of the collector the newest {len(theirs)}"

    def same_amount(self, name, unit, sent):
        if unit == "bytes":  # of whole traces, not of spans: of what is left of a budget the smaller traces get more
            ours, theirs = (sum(sent.sizes[trace] for trace in {each[:16] for each in side.sink.ids[name]})
                            for side in (self.sluice, self.collector))
        else:
            ours, theirs = (len(side.sink.ids[name]) for side in (self.sluice, self.collector))
        text = f"{ours} {unit}, of the collector {theirs}"
        assert theirs > 0 and math.isclose(ours, theirs, rel_tol=TOLERANCE), text
        return text


def main():
    arguments = beside.arguments()

    sluice = Side("sluice", [arguments.sluice], 2, '    {endpoint: "http://127.0.0.1:PORT/NAME", compression: none}\n')
    # It hands on each trace by itself: they are batched, and none is lost at a full queue.
    collector = Side("collector", [str(arguments.work / "otelcol")], 1, """\
    endpoint: "http://127.0.0.1:PORT/NAME"
    compression: none
    sending_queue:
      {sizer: items, queue_size: 1000000, block_on_overflow: true, batch: {flush_timeout: 200ms, min_size: 8192}}
""")
    everything = RandomTraces(arguments.seed, 100_000, traces_a_request=100)
    some = RandomTraces(arguments.seed + 1, 5_000, traces_a_request=20)
    full = WholeTraces(arguments.seed + 3, 2 * FULL, traces_a_request=20)
    rooted = RootedTraces(arguments.seed + 4, 200)
    steady = RandomTraces(arguments.seed + 2, 20 * STEADY * STEADY_REQUESTS, traces_a_request=20)
    stream = steady.requests[:STEADY * STEADY_REQUESTS]
    with tempfile.TemporaryDirectory() as temporary, contextlib.ExitStack() as stack:
        folder = pathlib.Path(temporary)
        start_collector(collector, folder, stack)
        stack.push(sluice.start(folder).__exit__)
        for group, requests in (("alone", some.requests), ("none", some.requests), ("all", everything.requests),
                                ("overflowing", full.requests)):
            in_parallel(*(lambda side=side: side.send(group, requests) for side in (sluice, collector)))
        in_parallel(*(lambda side=side: send_rooted(side, rooted) for side in (sluice, collector)),
                    *(lambda side=side: side.send("blocked", full.requests, patient=True) for side in (sluice, collector)))
        time.sleep(WAIT + 1.5)  # what was sent is decided and does not disturb the steady stream
        begin = steady_start(collector)
        in_parallel(*(lambda side=side: side.send("steady", stream, begin, 1 / STEADY_REQUESTS)
                      for side in (sluice, collector)))
        time.sleep(WAIT + 1.5)  # all is decided, by the clock and not by the stop
    for side in (sluice, collector):
        side.sink.stop()

    comparison = Comparison(sluice, collector, arguments.only)
    sent = {"all": everything, "alone": some, "none": some, "rooted": rooted, "overflowing": full, "blocked": full,
            "steady": steady}
    for group, cases in GROUPS.items():
        for number, case in enumerate(cases):
            name = f"{group}{number}"
            if group == "none":
                comparison.case(case.name, lambda: comparison.nothing(name))
            elif group == "overflowing":
                comparison.case(case.name, lambda: comparison.newest_and_all(name, sent[group]))
            elif case.unit:
                comparison.case(case.name, lambda: comparison.same_amount(name, case.unit, sent[group]))
            else:
                comparison.case(case.name, lambda: comparison.same_traces(name, sent[group]))
    print(f"{comparison.passed} passed, {comparison.failed} failed")
    return 1 if comparison.failed or not comparison.passed else 0


if __name__ == "__main__":
    sys.exit(main())

"""What comparisons of processors with the collector's have in common: every case is a pipeline of its own, all of which get
the same requests, with a path of its own at the sink."""
import argparse
import collections
import difflib
import http.client
import pathlib
import time

from daemon import Daemon, free_ports, wait_for
from sink import Sink, canonical


def config(port, sink_port, processors):
    """`processors`: of each case its type and its options. `forward` is a connector, between two pipelines of its own."""
    blocks, joints, exporters, chains = "", "", "", ""
    for number, (kind, options) in enumerate(processors):
        name = f"c{number}"
        exporters += (f'  otlp_http/{name}: {{endpoint: "http://127.0.0.1:{sink_port}/{name}", compression: none, '
                      "sending_queue: {queue_size: 10000}, retry_on_failure: {initial_interval: 100ms, max_interval: 200ms}}\n")
        if kind == "forward":
            joints += f"  forward/{name}:\n"
            chains += (f"    traces/in{name}: {{receivers: [otlp], exporters: [forward/{name}]}}\n"
                       f"    traces/{name}: {{receivers: [forward/{name}], exporters: [otlp_http/{name}]}}\n")
        else:
            blocks += f"  {kind}/{name}: {options}\n"
            chains += (f"    traces/{name}: {{receivers: [otlp], processors: [{kind}/{name}], "
                       f"exporters: [otlp_http/{name}]}}\n")
    return (f'receivers:\n  otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{port}"}}}}}}\n'
            f"processors:\n{blocks}connectors:\n{joints}exporters:\n{exporters}"
            f"service:\n  telemetry: {{metrics: {{level: none}}}}\n  pipelines:\n{chains}")


def post(name, port, bodies, refusals=False):
    """The status of each answer. Without `refusals` each must be 200."""
    statuses = []
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for body in bodies:
        connection.request("POST", "/v1/traces", body, {"Content-Type": "application/x-protobuf"})
        response = connection.getresponse()
        answer = response.read()
        statuses.append(response.status)
        assert refusals or response.status == 200, f"{name} answered {response.status} {answer}"
    connection.close()
    return statuses


def sort_pairs(pairs):
    pairs.sort(key=lambda pair: pair.key)
    for pair in pairs:
        sort_value(pair.value)


def sort_value(value):
    if value.HasField("kvlist_value"):
        sort_pairs(value.kvlist_value.values)
    for each in value.array_value.values if value.HasField("array_value") else []:
        sort_value(each)


class EditedSpans(Sink):
    """What came, by the name of a case, which stands in the path."""

    def __init__(self):
        self._requests, self._last = collections.defaultdict(list), time.monotonic()
        super().__init__()

    def take(self, request, path):
        with self._lock:
            self._requests[path.split("/")[1]].append(request)
            self._last = time.monotonic()

    def quiet(self):
        """Nothing has come for longer than whoever sends waits before the next attempt."""
        return time.monotonic() - self._last > 1

    def rows(self, name):
        """Each span with its scope and resource, by its ids."""
        rows = {}
        for request in self._requests[name]:
            for resource in request.resource_spans:
                sort_pairs(resource.resource.attributes)
                for scope in resource.scope_spans:
                    sort_pairs(scope.scope.attributes)
                    for span in scope.spans:
                        for each in [span, *span.events, *span.links]:
                            sort_pairs(each.attributes)
                        if not span.status.ByteSize():  # says as much as none
                            span.ClearField("status")
                        rows[span.trace_id + span.span_id] = (
                            canonical(span), scope.scope.SerializeToString(deterministic=True),
                            resource.resource.SerializeToString(deterministic=True), scope.schema_url, resource.schema_url,
                            resource.resource, scope.scope, span)
        return rows


class Side:
    """sluice, or the collector, and what came out of it: `sink`, and the statuses of its `answers`."""

    def __init__(self, name, command, processors):
        self.name, self.sink = name, EditedSpans()
        self.port = free_ports(1)[0]
        self.command = command
        self.config = config(self.port, self.sink.http_port, processors)

    def run(self, requests, folder, refusals=False):
        """Ends when all has been delivered: what is queued leaves at the stop."""
        with Daemon(self.command, self.config, self.port, folder, self.name):
            self.answers = post(self.name, self.port, requests, refusals)
            wait_for(self.sink.quiet, 120, f"the end of what {self.name} sends")
        self.sink.stop()


def sides(arguments, processors):
    return [Side("sluice", [arguments.sluice], processors),
            Side("collector", [str(arguments.work / "otelcol")], processors)]


def compare(sides, number):
    """The spans of a case on both sides."""
    ours, theirs = (side.sink.rows(f"c{number}") for side in sides)
    only = sorted(ours.keys() ^ theirs.keys(), key=lambda key: len((ours.get(key) or theirs[key])[0]))
    if only:
        origin, row = ("sluice", ours[only[0]]) if only[0] in ours else ("the collector", theirs[only[0]])
        raise AssertionError(f"{len(ours)} spans from sluice, {len(theirs)} from the collector; only from {origin}:\n" +
                             "".join(map(str, row[5:])))
    assert ours, "no spans"
    different = [key for key in ours if ours[key][:5] != theirs[key][:5]]
    if different:
        shortest = min(different, key=lambda key: len(theirs[key][0]))
        texts = ["\n".join(map(str, rows[shortest][3:])).splitlines() for rows in (theirs, ours)]
        parts = "\n".join(difflib.unified_diff(*texts, "collector", "sluice", n=8, lineterm=""))
        raise AssertionError(f"{len(different)} of {len(ours)} spans differ, such as\n{parts}")
    return f"{len(ours)} spans"


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sluice", required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--seed", type=int, default=1)
    read = parser.parse_args()
    print(f"seed {read.seed}", flush=True)
    return read


def report(labels, compare):
    """`compare`: of the number of a case what to say of it, or an AssertionError. The exit code."""
    failed = 0
    for number, label in enumerate(labels):
        try:
            print(f"ok      {label}: {compare(number)}", flush=True)
        except AssertionError as error:
            print(f"FAILED  {label}: {error}", flush=True)
            failed += 1
    print(f"{len(labels) - failed} passed, {failed} failed")
    return 1 if failed or not labels else 0

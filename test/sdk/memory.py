#!/usr/bin/env python3
"""memory_limiter under three times the load that can be passed on, with real SDKs among the senders: the process stays below its
limit, every refusal is one to retry, and the SDKs lose nothing.

usage: memory.py --sluice BINARY --work FOLDER [--seconds NUMBER]

For a release build: sanitizers have a memory of their own. A load that does not retry comes over gRPC and HTTP at a fixed pace
for so many seconds (20). Beside it the SDKs for Python and Go emit over both, with retries that go on for as long as it takes:
each of their spans must come to the sink, and once. What was accepted of the load must come as well.
Prepared by test/run.sh: FOLDER holds venv/ and overload-go."""
import argparse
import collections
import http.client
import itertools
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time
from concurrent import futures

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as service

from daemon import Daemon, free_ports, wait_for
from sink import EXPORT, Sink

HERE = pathlib.Path(__file__).resolve().parent
LIMIT, MOST = 200, 230  # MiB: what the limiter is told, and what the process may have at any time
SPANS = 512  # a request of the load, of some 700 bytes each
PASSED_ON = 30  # such requests a second that the sink takes
OVERLOAD = 3.1  # times that come
SENDERS = 8  # of the load, over each transport
RETRIES = "Transient error"  # what the SDK for Python says each time; that for Go says nothing
EMITTED = 200  # spans a second of each SDK and transport
PATIENCE = 300  # seconds after the load, for what the SDKs still have

CONFIG = """
receivers:
  otlp: {{protocols: {{grpc: {{endpoint: "127.0.0.1:{grpc}"}}, http: {{endpoint: "127.0.0.1:{http}"}}}}}}
processors:
  memory_limiter: {{check_interval: 1s, limit_mib: {limit}}}
  batch: {{send_batch_size: {spans}, send_batch_max_size: {spans}}}
exporters:
  otlp_http: {{endpoint: "http://127.0.0.1:{sink}", compression: none, sending_queue: {{sizer: bytes, queue_size: 4000000000}}}}
service:
  limits: {{in_flight: 4GiB}}
  drain_timeout: 25s
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces: {{receivers: [otlp], processors: [memory_limiter, batch], exporters: [otlp_http]}}
"""


class SlowSink(Sink):
    """Takes PASSED_ON requests a second, until it may be fast. Of an SDK it counts each span, of the load how many there are."""

    def __init__(self):
        self.fast, self.load, self.emitted = threading.Event(), 0, collections.Counter()
        self._start, self._turns = time.monotonic(), itertools.count()
        super().__init__()

    def take(self, request, _path):
        with self._lock:
            for resource in request.resource_spans:
                name = next(each.value.string_value for each in resource.resource.attributes if each.key == "service.name")
                for scope in resource.scope_spans:
                    if name == "load":
                        self.load += len(scope.spans)
                    else:
                        self.emitted.update((name, span.name) for span in scope.spans)
            due = self._start + next(self._turns) / PASSED_ON
        self.fast.wait(max(0, due - time.monotonic()))


def load_body():
    request = service.ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "load"
    scope = resource.scope_spans.add()
    for number in range(SPANS):
        span = scope.spans.add(trace_id=b"load" * 4, span_id=number.to_bytes(7, "big") + b"\1", name="GET /cart")
        span.attributes.add(key="url.full").value.string_value = "https://shop.example/cart/7?" + "x" * 600
    return request.SerializeToString()


class Load:
    """Requests at a pace, whatever is answered. `answers`: how often each came; `unexpected`: those that mean loss."""

    def __init__(self, http_port, grpc_port):
        self.answers, self.unexpected = collections.Counter(), []
        self._ended, self._lock, self._turns, self._body = threading.Event(), threading.Lock(), itertools.count(), load_body()
        self._start = time.monotonic()
        self._threads = [threading.Thread(target=self._run, args=(send, port)) for _ in range(SENDERS)
                         for send, port in ((self._over_http, http_port), (self._over_grpc, grpc_port))]
        for thread in self._threads:
            thread.start()

    def _run(self, send, port):
        send = send(port)
        while True:
            with self._lock:
                due = self._start + next(self._turns) / (OVERLOAD * PASSED_ON)
            if self._ended.wait(max(0, due - time.monotonic())):
                return
            answer, expected = send()
            with self._lock:
                self.answers[answer] += 1
                if not expected:
                    self.unexpected.append(answer)

    def _over_http(self, port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

        def send():
            connection.request("POST", "/v1/traces", self._body, {"Content-Type": "application/x-protobuf"})
            response = connection.getresponse()
            response.read()
            return response.status, response.status == 200 or response.status in (429, 503) and response.getheader("Retry-After")

        return send

    def _over_grpc(self, port):
        call = grpc.insecure_channel(f"127.0.0.1:{port}").unary_unary(EXPORT)

        def send():
            try:
                call(self._body, timeout=60)
                return "OK", True
            except grpc.RpcError as error:
                return error.code().name, error.code() == grpc.StatusCode.UNAVAILABLE

        return send

    def accepted(self):
        return (self.answers[200] + self.answers["OK"]) * SPANS

    def end(self):
        self._ended.set()
        for thread in self._threads:
            thread.join()


class Watch:
    """The most resident memory that a process has had, in MiB."""

    def __init__(self, pid):
        self.most, self._pid, self._ended = 0, pid, threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while not self._ended.wait(0.01):
            status = pathlib.Path(f"/proc/{self._pid}/status").read_text()
            self.most = max(self.most, int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024)

    def end(self):
        self._ended.set()
        self._thread.join()


def emit(command, protocol, port, name, seconds):
    """What an SDK has emitted, exported and given up, and what it said."""
    done = subprocess.run(command + [protocol, f"http://127.0.0.1:{port}", name, str(EMITTED), str(seconds)],
                          capture_output=True, text=True, timeout=seconds + PATIENCE)
    assert done.returncode == 0, done.stderr[-3000:]
    exported, failed = map(int, done.stdout.split())
    return EMITTED * seconds, exported, failed, done.stderr


def retried(said):
    return f", {said.count(RETRIES)} times after a refusal" if RETRIES in said else ""


def check_emitted(name, result, sink):
    emitted, exported, failed, said = result
    print(f"{name}: {emitted} spans emitted, {exported} exported{retried(said)}", flush=True)
    assert (exported, failed) == (emitted, 0), f"{name} gave up {failed} of {emitted} spans:\n{said[-3000:]}"
    came = [sink.emitted[name, str(number)] for number in range(emitted)]
    assert came == [1] * emitted, f"{name}: {came.count(0)} spans never came, {sum(came) - emitted + came.count(0)} came twice"


def run(arguments, folder):
    sink, ports = SlowSink(), free_ports(2)
    grpc_port, http_port = ports
    config = CONFIG.format(grpc=grpc_port, http=http_port, limit=LIMIT, spans=SPANS, sink=sink.http_port)
    commands = {"Python": [sys.executable, str(HERE / "python/overload.py")], "Go": [str(arguments.work / "overload-go")]}
    with Daemon([arguments.sluice], config, grpc_port, folder, "sluice") as sluice, futures.ThreadPoolExecutor() as pool:
        watch, load = Watch(sluice.process.pid), Load(http_port, grpc_port)
        emitters = {f"{language} over {protocol}": pool.submit(emit, command, protocol, port, f"{language} over {protocol}",
                                                              arguments.seconds)
                    for language, command in commands.items() for protocol, port in (("grpc", grpc_port), ("http", http_port))}
        time.sleep(arguments.seconds)
        passed_on, offered = sink.load, sum(load.answers.values()) * SPANS
        load.end()
        sink.fast.set()
        results = {name: emitter.result() for name, emitter in emitters.items()}
        wait_for(lambda: sink.load >= load.accepted(), 60, "all that was accepted of the load")
        watch.end()
    sink.stop()
    refused = sum(load.answers.values()) * SPANS - load.accepted()
    print(f"{watch.most:.0f} MiB at most; of the load {offered / arguments.seconds:.0f} spans/s offered, "
          f"{passed_on / arguments.seconds:.0f} passed on; {load.accepted()} accepted, {refused} refused; "
          f"answers {dict(load.answers)}", flush=True)
    for name, result in results.items():
        check_emitted(name, result, sink)
    assert not load.unexpected, f"not to be retried: {collections.Counter(load.unexpected)}"
    assert sink.load == load.accepted(), f"{load.accepted()} of the load accepted, {sink.load} came"
    assert refused > 0 and offered > 3 * passed_on, "this is no overload"
    assert any(RETRIES in said for *_, said in results.values()), "no SDK was ever refused"
    assert watch.most <= MOST, f"{watch.most:.0f} MiB, and at most {MOST} are allowed"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sluice", required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--seconds", type=int, default=20)
    with tempfile.TemporaryDirectory() as temporary:
        run(parser.parse_args(), pathlib.Path(temporary))
    print("ok")


if __name__ == "__main__":
    sys.exit(main())

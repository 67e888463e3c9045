#!/usr/bin/env python3
"""A process stays below its memory limit under more load than it can pass on, and loses nothing for it. For a release build:
sanitizers have a memory of their own. usage: memory.py --binary PATH [unittest arguments]"""
import argparse
import http.client
import http.server
import itertools
import pathlib
import re
import struct
import sys
import threading
import time
import unittest

import daemon
from daemon import Daemon

LIMIT, MOST = 200, 230  # MiB: what the limiter is told, and what the process may have at any time
LOAD = 15  # seconds
SENDERS = 6
SPANS = 512  # a request
SINK_REQUESTS = 12  # a second that the sink takes: far less than is offered

CONFIG = """
receivers:
  otlp: {protocols: {http: {endpoint: "127.0.0.1:{http}"}}}
processors:
  memory_limiter: {check_interval: 200ms, limit_mib: %d}
  batch: {send_batch_size: 512, send_batch_max_size: 512}
  tail_sampling: {decision_wait: 5s, max_bytes: 4GiB, policies: [{name: all, type: always_sample}]}
exporters:
  otlphttp: {endpoint: "http://127.0.0.1:{sink}", compression: none, sending_queue: {sizer: bytes, queue_size: 4000000000}}
extensions:
  health_check: {endpoint: "127.0.0.1:{health}"}
service:
  extensions: [health_check]
  limits: {in_flight: 4GiB}
  drain_timeout: 100s
  telemetry:
    metrics: {readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: {metrics}}}}}]}
  pipelines:
    traces: {receivers: [otlp], processors: [memory_limiter, %s], exporters: [otlphttp]}
"""


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + bytes([value]))


def field(number, payload):
    return varint(number << 3 | 2) + varint(len(payload)) + payload


TEXT = field(9, field(1, b"url.full") + field(2, field(1, b"https://shop.example/cart/7?" + b"x" * 350)))


def body_of(number):
    """A request of SPANS spans, about 430 bytes each, with ids that nobody else has."""
    spans = b"".join(
        field(2, field(1, struct.pack(">QQ", number + 1, i // 8 + 1)) + field(2, struct.pack(">II", number + 1, i + 1)) +
              field(5, b"GET /cart") + TEXT) for i in range(SPANS))
    return field(1, field(1, b"") + field(2, spans))


class SlowSink:
    """Takes so many requests a second, and counts their spans."""

    def __init__(self):
        self.spans, self.fast = 0, False
        sink, lock, turn = self, threading.Lock(), itertools.count()
        start = time.monotonic()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with lock:
                    due = start + next(turn) / SINK_REQUESTS
                while not sink.fast and time.monotonic() < due:
                    time.sleep(0.02)
                with lock:
                    sink.spans += body.count(b"GET /cart")
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Senders:
    """All they can, until they are told to end: how often each answer came."""

    def __init__(self, port):
        self.answers, self.unexpected, self.ended = {}, [], threading.Event()
        self._port, self._numbers, self._lock = port, itertools.count(), threading.Lock()
        self._threads = [threading.Thread(target=self._send) for _ in range(SENDERS)]
        for thread in self._threads:
            thread.start()

    def _send(self):
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        while not self.ended.is_set():
            connection.request("POST", "/v1/traces", body_of(next(self._numbers)), {"Content-Type": "application/x-protobuf"})
            response = connection.getresponse()
            text = response.read()
            with self._lock:
                self.answers[response.status] = self.answers.get(response.status, 0) + 1
                if response.status != 200 and (response.status != 503 or not response.getheader("Retry-After")):
                    self.unexpected.append((response.status, text))
        connection.close()

    def end(self):
        self.ended.set()
        for thread in self._threads:
            thread.join()


def resident_mib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


class Memory(unittest.TestCase):
    def stays_below(self, processor):
        sink = SlowSink()
        with Daemon(CONFIG % (LIMIT, processor), sink=sink.server.server_port) as sluice:
            senders, most, end = Senders(sluice.http), 0, time.monotonic() + LOAD
            while time.monotonic() < end:
                most = max(most, resident_mib(sluice.process.pid))
                time.sleep(0.01)
            delivered = sink.spans
            senders.end()
            accepted = senders.answers.get(200, 0) * SPANS
            offered = sum(senders.answers.values()) * SPANS
            refused = sluice.metric("otelcol_processor_memory_limiter_refused_spans")
            print(f"{processor}: {most:.0f} MiB at most; {offered / LOAD:.0f} spans/s offered, {accepted / LOAD:.0f} accepted, "
                  f"{delivered / LOAD:.0f} delivered; answers {senders.answers}, {refused:.0f} spans refused by the processor",
                  flush=True)
            sink.fast = True
            sluice.process.terminate()
            self.assertEqual(sluice.process.wait(120), 0, sluice.log())
            self.assertEqual(senders.unexpected, [])
            self.assertGreater(offered, 3 * delivered, "this is no overload")
            self.assertGreater(senders.answers.get(503, 0), 0)
            self.assertGreater(delivered, 0)
            self.assertEqual(sink.spans, accepted)
            self.assertLessEqual(most, MOST)

    def test_spans_that_pass_through_stay_within_the_limit(self):
        self.stays_below("batch")

    def test_spans_that_are_held_stay_within_the_limit(self):
        self.stays_below("tail_sampling")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    arguments, rest = parser.parse_known_args()
    daemon.BINARY = str(pathlib.Path(arguments.binary).resolve())
    unittest.main(argv=[sys.argv[0], *rest])

#!/usr/bin/env python3
"""Unmodified OpenTelemetry SDKs and an unmodified OpenTelemetry Collector, through sluice, to real receiving ends.

usage: matrix.py --sluice BINARY --work FOLDER [--only TEXT]

Each SDK program makes its spans once and exports them twice: through sluice, and straight to a sink. sluice fans
out to four backends (OTLP/gRPC gzip, OTLP/HTTP protobuf zstd, OTLP/HTTP JSON, and by OTLP/gRPC zstd a real collector that
passes on).
A case passes when every backend ends with exactly the spans, resources and scopes that went straight to the sink.
Prepared by test/run.sh: FOLDER holds venv/, node/, java/, emit-go and otelcol."""
import argparse
import contextlib
import pathlib
import subprocess
import sys
import tempfile

from daemon import Daemon, free_ports, wait_for
from sink import Sink

HERE = pathlib.Path(__file__).resolve().parent
TRACES = 120  # of five spans each: several requests per SDK, and a few per batch
SPANS = TRACES * 5


def forwarding_collector(grpc_port, sink_port):
    return f"""
receivers:
  otlp: {{protocols: {{grpc: {{endpoint: "127.0.0.1:{grpc_port}", max_recv_msg_size_mib: 64}}}}}}
exporters:
  otlp_grpc: {{endpoint: "127.0.0.1:{sink_port}", compression: none, tls: {{insecure: true}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces: {{receivers: [otlp], exporters: [otlp_grpc]}}
"""


# Every compression that the collector's own exporters offer, over both transports and both encodings.
GRPC_COMPRESSIONS = ["none", "gzip", "zstd", "snappy"]
HTTP_COMPRESSIONS = ["none", "gzip", "zstd", "zlib", "deflate", "snappy", "lz4", "x-snappy-framed"]
SENDERS = ([f"otlp_grpc/{c}" for c in GRPC_COMPRESSIONS] + [f"otlp_http/{c}" for c in HTTP_COMPRESSIONS] +
           [f"otlp_http/json_{c}" for c in ("none", "gzip")])


def sending_collector(port, grpc_port, http_port):
    exporters = "".join(
        f'  {name}: {{endpoint: "127.0.0.1:{grpc_port}", compression: {name.split("/")[1]}, tls: {{insecure: true}}}}\n'
        for name in SENDERS if name.startswith("otlp_grpc"))
    for name in SENDERS:
        if name.startswith("otlp_http"):
            kind = name.split("/")[1]
            encoding = "json" if kind.startswith("json_") else "proto"
            exporters += (f'  {name}: {{endpoint: "http://127.0.0.1:{http_port}", encoding: {encoding}, '
                          f'compression: {kind.removeprefix("json_")}}}\n')
    return f"""
receivers:
  otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{port}"}}}}}}
exporters:
{exporters}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces: {{receivers: [otlp], exporters: [{", ".join(SENDERS)}]}}
"""


def sluice_config(grpc_port, http_port, sinks, backend_port, edited):
    return f"""
receivers:
  otlp:
    protocols:
      grpc: {{endpoint: "127.0.0.1:{grpc_port}"}}
      http: {{endpoint: "127.0.0.1:{http_port}"}}
  otlp/edited:
    protocols:
      http: {{endpoint: "127.0.0.1:{edited}"}}
processors:
  batch: {{send_batch_size: 200, timeout: 50ms}}
  attributes:
    actions:
      - {{key: added, value: 7, action: insert}}
      - {{key: empty, action: delete}}
      - {{key: text, value: changed, action: update}}
exporters:
  otlp: {{endpoint: "127.0.0.1:{sinks['grpc'].grpc_port}", compression: gzip, tls: {{insecure: true}}}}
  otlphttp/proto: {{endpoint: "http://127.0.0.1:{sinks['proto'].http_port}", compression: zstd}}
  otlphttp/json: {{endpoint: "http://127.0.0.1:{sinks['json'].http_port}", encoding: json}}
  otlp/collector: {{endpoint: "127.0.0.1:{backend_port}", compression: zstd, tls: {{insecure: true}}}}
  otlp/edited: {{endpoint: "127.0.0.1:{sinks['edited'].grpc_port}", compression: none, tls: {{insecure: true}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces:
      receivers: [otlp]
      processors: [batch]
      exporters: [otlp, otlphttp/proto, otlphttp/json, otlp/collector]
    traces/edited:
      receivers: [otlp/edited]
      processors: [attributes, batch]
      exporters: [otlp/edited]
"""


def difference(got, want):
    missing = [row for row in want if row not in set(got)]
    extra = [row for row in got if row not in set(want)]
    return f"{len(got)} spans for {len(want)}; first missing {str(missing[:1])[:3000]}, first extra {str(extra[:1])[:3000]}"


def with_attributes(row, change):
    """The row with its span's attributes changed, and in the order of their keys: edits may move them."""
    from opentelemetry.proto.trace.v1 import trace_pb2
    span = trace_pb2.Span.FromString(row[4])
    attributes = {attribute.key: attribute.value for attribute in span.attributes}
    change(attributes)
    ordered = trace_pb2.Span()
    for key in sorted(attributes):
        ordered.attributes.add(key=key).value.CopyFrom(attributes[key])
    del span.attributes[:]
    span.attributes.extend(ordered.attributes)
    return row[:4] + (span.SerializeToString(deterministic=True),)


def edited(attributes):
    """What the pipeline `traces/edited` does to the attributes of a span."""
    from opentelemetry.proto.common.v1 import common_pb2
    attributes.pop("empty", None)
    attributes["added"] = common_pb2.AnyValue(int_value=7)
    if "text" in attributes:
        attributes["text"] = common_pb2.AnyValue(string_value="changed")


class Matrix:
    def __init__(self, arguments, folder):
        work = arguments.work
        self.only = arguments.only
        self.commands = {
            "python": [sys.executable, str(HERE / "python/emit.py")],
            "node": ["node", str(work / "node/emit.js")],
            "go": [str(work / "emit-go")],
            "java": ["java", "-XX:TieredStopAtLevel=1", "-cp",
                     f"{work}/java/target/emit.jar:{work}/java/target/dependency/*", "Emit"],
        }
        self.folder = folder
        self.passed, self.failed = 0, 0

    def case(self, name, body):
        if self.only not in name:
            return
        try:
            body()
            self.passed += 1
            print(f"ok      {name}", flush=True)
        except (AssertionError, subprocess.SubprocessError) as error:
            self.failed += 1
            print(f"FAILED  {name}: {error}", flush=True)

    def emit(self, language, protocol, compression, port, direct, service):
        done = subprocess.run(
            self.commands[language] + [protocol, compression, f"http://127.0.0.1:{port}",
                                       f"http://127.0.0.1:{direct.http_port}", service, str(TRACES)],
            capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        assert direct.count(service) == SPANS, f"the sink itself got {direct.count(service)}: {done.stderr}"

    def arrived(self, sink, service, want):
        wait_for(lambda: sink.count(service) >= len(want), 20, f"{len(want)} spans, got {sink.count(service)}")
        got = sink.spans(service)
        assert got == want, difference(got, want)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sluice", required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()

    direct = Sink()
    sinks = {name: Sink() for name in ("grpc", "proto", "json", "collector", "edited")}
    grpc_port, http_port, edited_port, backend_port, sender_port = free_ports(5)
    with tempfile.TemporaryDirectory() as temporary, contextlib.ExitStack() as stack:
        folder = pathlib.Path(temporary)
        matrix = Matrix(arguments, folder)
        otelcol = [str(arguments.work / "otelcol")]
        stack.enter_context(Daemon(otelcol, forwarding_collector(backend_port, sinks["collector"].grpc_port),
                                   backend_port, folder, "backend"))
        stack.enter_context(Daemon([arguments.sluice], sluice_config(grpc_port, http_port, sinks, backend_port,
                                                                     edited_port), grpc_port, folder, "sluice"))

        def through(language, protocol, compression):
            service = f"{language} {protocol} {compression}"
            port = grpc_port if protocol == "grpc" else http_port
            matrix.emit(language, protocol, compression, port, direct, service)
            want = direct.spans(service)
            for name in ("grpc", "proto", "json", "collector"):
                try:
                    matrix.arrived(sinks[name], service, want)
                except AssertionError as error:
                    raise AssertionError(f"backend {name}: {error}") from None

        for language in matrix.commands:
            for protocol in ("grpc", "http/protobuf") + (("http/json",) if language == "node" else ()):
                for compression in ("none", "gzip"):
                    matrix.case(f"SDK {language} over {protocol}, compression {compression}",
                                lambda: through(language, protocol, compression))

        def edits():
            matrix.emit("python", "http/protobuf", "gzip", edited_port, direct, "edited")
            wait_for(lambda: sinks["edited"].count("edited") >= SPANS, 20, f"{SPANS} spans")
            got = sorted(with_attributes(row, lambda _: None) for row in sinks["edited"].spans("edited"))
            want = sorted(with_attributes(row, edited) for row in direct.spans("edited"))
            assert got == want, difference(got, want)

        matrix.case("spans edited on the way carry exactly the edits", edits)

        def sender():
            config = sending_collector(sender_port, grpc_port, http_port)
            with Daemon(otelcol, config, sender_port, folder, "sender"):
                matrix.emit("python", "http/protobuf", "none", sender_port, direct, "sender")
                want = sorted(direct.spans("sender") * len(SENDERS))
                matrix.arrived(sinks["grpc"], "sender", want)

        matrix.case(f"a collector sends in {len(SENDERS)} combinations of transport, encoding and compression", sender)
        for sink in [direct, *sinks.values()]:
            sink.stop()
    print(f"{matrix.passed} passed, {matrix.failed} failed")
    return 1 if matrix.failed or not matrix.passed else 0


if __name__ == "__main__":
    sys.exit(main())

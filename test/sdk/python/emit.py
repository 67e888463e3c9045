"""Sends the same spans twice with the OpenTelemetry SDK for Python: to the collector under test and,
over OTLP/HTTP protobuf, straight to a sink. usage: emit.py PROTOCOL COMPRESSION URL DIRECT_URL SERVICE TRACES"""
import sys

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState
import grpc

protocol, compression, url, direct, service, traces = sys.argv[1:]
if protocol == "grpc":
    codec = grpc.Compression.Gzip if compression == "gzip" else grpc.Compression.NoCompression
    exporter = GrpcExporter(endpoint=url, insecure=True, compression=codec)
else:
    codec = Compression.Gzip if compression == "gzip" else Compression.NoCompression
    exporter = HttpExporter(endpoint=url + "/v1/traces", compression=codec)

provider = TracerProvider(resource=Resource.create({
    "service.name": service, "host.cores": 8, "flags.on": True, "ratios": [0.5, 1.25], "zones": ["a", "b"]}))
for each in (exporter, HttpExporter(endpoint=direct + "/v1/traces")):
    provider.add_span_processor(BatchSpanProcessor(each, max_queue_size=100_000))
tracer = provider.get_tracer("matrix", "1.2.3", schema_url="https://opentelemetry.io/schemas/1.26.0",
                             attributes={"scope.key": "scope value"})

remote = SpanContext(0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331, is_remote=True,
                     trace_flags=TraceFlags(1), trace_state=TraceState([("vendor", "a"), ("other", "b:1")]))
for i in range(int(traces)):
    parent = trace.set_span_in_context(trace.NonRecordingSpan(remote)) if i % 4 == 0 else None
    with tracer.start_as_current_span(f"GET /products/{i}", context=parent, kind=SpanKind.SERVER, attributes={
            "text": "naïve – 製品 🚀", "empty": "", "yes": True, "no": False, "small": -(2**63), "large": 2**63 - 1,
            "zero": 0, "real": 0.1, "huge": 1e300, "whole": 3.0, "texts": ["x", "", "ü"], "ints": [1, -2, 2**53 + 1],
            "reals": [0.5, -1e-9], "bools": [True, False], "none": []}) as root:
        with tracer.start_as_current_span("call", kind=SpanKind.CLIENT, links=[
                Link(remote, {"link.kind": "follows", "n": i})]) as child:
            child.add_event("retry", {"attempt": 2, "reason": "timeout"}, timestamp=1_700_000_000_123_456_789)
            child.record_exception(ValueError("bad \"quote\"\n\ttab"))
            child.set_status(Status(StatusCode.ERROR, "upstream said no"))
        for kind in (SpanKind.PRODUCER, SpanKind.CONSUMER, SpanKind.INTERNAL):
            with tracer.start_as_current_span(kind.name.lower(), kind=kind) as span:
                span.set_status(Status(StatusCode.OK))
        root.add_event("no attributes")
provider.shutdown()

"""Emits spans at a pace with the OpenTelemetry SDK for Python, whose exporter retries for as long as it takes, and prints how many
were exported and how many it gave up. usage: overload.py PROTOCOL URL SERVICE SPANS_PER_SECOND SECONDS"""
import sys
import time

from opentelemetry.exporter.otlp.proto.grpc import exporter as grpc_exporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import trace_exporter as http_exporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

protocol, url, service, rate, seconds = sys.argv[1:]
# It has no option for how often it retries: six times, which may be too few under this load.
grpc_exporter._MAX_RETRYS = http_exporter._MAX_RETRYS = 100
PATIENCE = 600  # seconds


class Counted(SpanExporter):
    def __init__(self, exporter):
        self.exporter, self.exported, self.failed = exporter, 0, 0

    def export(self, spans):
        result = self.exporter.export(spans)
        if result == SpanExportResult.SUCCESS:
            self.exported += len(spans)
        else:
            self.failed += len(spans)
        return result

    def shutdown(self):
        self.exporter.shutdown()


counted = Counted(GrpcExporter(endpoint=url, insecure=True, timeout=PATIENCE) if protocol == "grpc" else
                  http_exporter.OTLPSpanExporter(endpoint=url + "/v1/traces", timeout=PATIENCE))
provider = TracerProvider(resource=Resource.create({"service.name": service}), shutdown_on_exit=False)
provider.add_span_processor(BatchSpanProcessor(counted, max_queue_size=1_000_000, schedule_delay_millis=200))
tracer = provider.get_tracer("overload")
start = time.monotonic()
for number in range(int(rate) * int(seconds)):
    while (pause := start + number / int(rate) - time.monotonic()) > 0:
        time.sleep(pause)
    tracer.start_span(str(number)).end()
provider.force_flush()
provider.shutdown()
print(counted.exported, counted.failed)

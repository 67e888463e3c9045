"""A receiving end made of the real gRPC library and the real OTLP message classes: remembers every span."""
import gzip
import http.server
import json
import math
import threading
from concurrent import futures

import grpc
import zstandard
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as service

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


def hex_to_base64(node):
    """OTLP/JSON has ids in hex where protobuf's JSON has base64."""
    import base64
    if isinstance(node, list):
        return [hex_to_base64(each) for each in node]
    if isinstance(node, dict):
        return {key: base64.b64encode(bytes.fromhex(value)).decode()
                if key in ("traceId", "spanId", "parentSpanId") else hex_to_base64(value)
                for key, value in node.items()}
    return node


def canonical(span):
    """The bytes of a span, with every NaN the same one: JSON knows only one."""
    for each in [span, *span.events, *span.links]:
        for attribute in each.attributes:
            if math.isnan(attribute.value.double_value):
                attribute.value.double_value = math.nan
    return span.SerializeToString(deterministic=True)


class Sink:
    """`spans(service)`: one entry a span, as (resource, resource schema, scope, scope schema, span), each in
    deterministic bytes, sorted; so two sinks that got the same spans compare equal."""

    def __init__(self):
        self._lock = threading.Lock()
        self._spans = {}
        self._grpc = grpc.server(futures.ThreadPoolExecutor(4), options=[("grpc.max_receive_message_length", -1)])
        handler = grpc.unary_unary_rpc_method_handler(
            self._export, request_deserializer=service.ExportTraceServiceRequest.FromString,
            response_serializer=service.ExportTraceServiceResponse.SerializeToString)
        self._grpc.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(
            "opentelemetry.proto.collector.trace.v1.TraceService", {"Export": handler}),))
        self.grpc_port = self._grpc.add_insecure_port("127.0.0.1:0")
        self._grpc.start()

        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.read_body()
                encoding = self.headers.get("Content-Encoding", "")
                if encoding == "gzip":
                    body = gzip.decompress(body)
                elif encoding == "zstd":
                    body = zstandard.ZstdDecompressor().decompressobj().decompress(body)
                request = service.ExportTraceServiceRequest()
                is_json = self.headers["Content-Type"].startswith("application/json")
                if is_json:
                    json_format.ParseDict(hex_to_base64(json.loads(body)), request)
                else:
                    request.ParseFromString(body)
                sink.take(request, self.path)
                reply = b"{}" if is_json else b""
                self.send_response(200)
                self.send_header("Content-Type", self.headers["Content-Type"])
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def read_body(self):
                if self.headers.get("Transfer-Encoding", "") != "chunked":
                    return self.rfile.read(int(self.headers["Content-Length"]))
                body = b""
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 128  # as many connections as there are exporters come at once

        self._http = Server(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.http_port = self._http.server_port
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def _export(self, request, _context):
        self.take(request, EXPORT)
        return service.ExportTraceServiceResponse()

    def take(self, request, _path):
        rows = []
        for resource in request.resource_spans:
            name = next((a.value.string_value for a in resource.resource.attributes if a.key == "service.name"), "")
            for scope in resource.scope_spans:
                head = (resource.resource.SerializeToString(deterministic=True), resource.schema_url,
                        scope.scope.SerializeToString(deterministic=True), scope.schema_url)
                rows += [(name, head + (canonical(span),)) for span in scope.spans]
        with self._lock:
            for name, row in rows:
                self._spans.setdefault(name, []).append(row)

    def count(self, name):
        with self._lock:
            return len(self._spans.get(name, []))

    def spans(self, name):
        with self._lock:
            return sorted(self._spans.get(name, []))

    def stop(self):
        self._http.shutdown()
        self._grpc.stop(0)

"""Spans that come as OTLP and go to a Zipkin server: what its API returns, against the table of the specification."""
import urllib.request

from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

import cases
import form
import translate

SERVICE = "otlp to zipkin"
TRACE = "5b8aa5a2d2c872e8321cf37308d69df2"


def put(attributes, tags):
    for key, kind, value in tags:
        target = attributes.add(key=key).value
        if kind in ("strings", "int64s"):
            for each in value:
                one = target.array_value.values.add()
                setattr(one, "string_value" if kind == "strings" else "int_value", each)
        else:
            setattr(target, {"string": "string_value", "bool": "bool_value", "int64": "int_value",
                             "float64": "double_value"}[kind], value)


def request():
    content = cases.CONTENT["otel"]
    message = trace_service_pb2.ExportTraceServiceRequest()
    resource = message.resource_spans.add()
    put(resource.resource.attributes, [["service.name", "string", SERVICE], *content["resource"]])
    scope = resource.scope_spans.add()
    scope.scope.name, scope.scope.version = "doors", "1.2.3"
    made = [[TRACE, f"{index + 1:016x}"] for index in range(len(content["spans"]))]
    for index, span in enumerate(content["spans"]):
        _, own, parent = translate.ids_of(content["spans"], made, index)
        one = scope.spans.add(trace_id=bytes.fromhex(TRACE), span_id=bytes.fromhex(own), name=span["name"],
                              parent_span_id=bytes.fromhex(parent), start_time_unix_nano=span["start"] * 1000,
                              end_time_unix_nano=(span["start"] + span["duration"]) * 1000,
                              kind=form.KINDS.index(span["kind"]))
        one.status.code = getattr(trace_pb2.Status, f"STATUS_CODE_{span['status'].upper()}")
        one.status.message = span.get("message", "")
        put(one.attributes, span["attributes"])
        for event in span["events"]:
            put(one.events.add(name=event["name"], time_unix_nano=event["time"] * 1000).attributes, event["attributes"])
        if span.get("link"):
            one.links.add(trace_id=bytes.fromhex(content["link"][0]), span_id=bytes.fromhex(content["link"][1]))
    return message, made


def expected(made):
    content = cases.CONTENT["otel"]
    common = {"process.pid": "8", "zone": "ü", "otel.scope.name": "doors", "otel.scope.version": "1.2.3"}
    trace, link = content["link"]
    own = [
        {"text": "naïve – 製品 🚀", "empty": "", "yes": "true", "no": "false", "large": "9007199254740991",
         "zero": "0", "real": "0.1", "texts": '["x","","ü"]', "ints": "[1,-2]"},
        {"peer.service": "stock", "otel.status_code": "ERROR", "error": "upstream said no",
         "otlp.link.0": f"{trace}|{link}||{{}}|0"},
        {"otel.status_code": "OK"}, {}, {"span.kind": "internal"}]
    spans = []
    for index, span in enumerate(content["spans"]):
        _, own_id, parent = translate.ids_of(content["spans"], made, index)
        one = {"traceId": TRACE, "id": own_id, "name": span["name"].lower(), "timestamp": span["start"],
               "duration": span["duration"], "localEndpoint": {"serviceName": SERVICE},
               "tags": {**common, **own[index]}}
        if parent:
            one["parentId"] = parent
        if span["kind"] != "internal":
            one["kind"] = span["kind"].upper()
        spans.append(one)
    spans[0]["annotations"] = [
        {"timestamp": 1700000000312500, "value": 'retry|{"attempt":2,"reason":"timeout"}|0'},
        {"timestamp": 1700000000375000, "value": "no attributes"}]
    spans[1]["remoteEndpoint"] = {"serviceName": "stock"}
    return spans


def check(run, address):
    message, made = request()
    post = urllib.request.Request(f"http://{address}/v1/traces", message.SerializeToString(),
                                  {"Content-Type": "application/x-protobuf"})
    with urllib.request.urlopen(post, timeout=10) as answer:
        assert answer.status == 200, answer.status
    want = expected(made)
    form.compare(run.server.trace(TRACE, len(want)), want)

"""Sends spans with the real clients of Zipkin and Jaeger for Python.

Standard input: {"cases": [{"client", "service", "address", "content"}, ...]}. Standard output: one line a case,
{"service", "ids": [[trace, span] in hex, ...]}, and {"root": [start, end]} in microseconds where the client lets nobody
choose the time of the first span."""
import json
import sys
import time
import traceback


def typed(tags):
    return {key: value for key, _, value in tags}


def children(spans, parent):
    return [index for index, span in enumerate(spans) if span.get("parent") == parent]


def jaeger(case):
    import opentracing
    from jaeger_client import Config
    host, port = case["address"].split(":")
    content = case["content"]
    tracer = Config(
        config={"sampler": {"type": "const", "param": True}, "tags": {"ip": "127.0.0.1", **typed(content["process"])},
                "generate_128bit_trace_id": case["client"] == "jaeger128",
                "local_agent": {"reporting_host": host, "reporting_port": int(port)}},
        service_name=case["service"], validate=True).new_tracer()
    made = []
    for span in content["spans"]:
        references = [opentracing.child_of(made[span["parent"]].context)] if "parent" in span else []
        references += [opentracing.follows_from(made[index].context) for index in span.get("follows", [])]
        one = tracer.start_span(span["name"], references=references, tags=typed(span["tags"]),
                                start_time=span["start"] / 1e6)
        for log in span["logs"]:
            one.log_kv(typed(log["fields"]), timestamp=log["time"] / 1e6)
        made.append(one)
    for one, span in zip(made, content["spans"]):
        one.finish((span["start"] + span["duration"]) / 1e6)
    closed = tracer.close()
    end = time.monotonic() + 10
    while not closed.done():
        assert time.monotonic() < end, "not closed after 10 s"
        time.sleep(0.01)
    return {"ids": [[f"{one.trace_id:032x}", f"{one.span_id:016x}"] for one in made]}


def sampling(case):
    """Asks its sampler about two operations until the one that every strategy keeps is kept."""
    from jaeger_client.local_agent_net import LocalAgentSender
    from jaeger_client.sampler import ConstSampler, RemoteControlledSampler
    host, port = case["address"].split(":")
    sampler = RemoteControlledSampler(LocalAgentSender(host, int(port), 1), case["service"],
                                      init_sampler=ConstSampler(False), sampling_refresh_interval=0.05)
    end = time.monotonic() + 20
    while time.monotonic() < end:
        kept, tags = sampler.is_sampled(1, "kept")
        if kept:
            sampler.is_sampled(1, "dropped")  # a lower bound of zero may let the first one through
            dropped, _ = sampler.is_sampled(1, "dropped")
            sampler.close()
            return {"kept": kept, "dropped": dropped, "type": tags["sampler.type"], "param": tags["sampler.param"]}
        time.sleep(0.01)
    return {"kept": False}


def py_zipkin(case):
    import http.client
    from py_zipkin import Encoding, Kind
    from py_zipkin.zipkin import zipkin_span
    encoding, path, media = {
        "v1-json": (Encoding.V1_JSON, "/api/v1/spans", "application/json"),
        "v1-thrift": (Encoding.V1_THRIFT, "/api/v1/spans", "application/x-thrift"),
        "v2-json": (Encoding.V2_JSON, "/api/v2/spans", "application/json"),
        "v2-proto": (Encoding.V2_PROTO3, "/api/v2/spans", "application/x-protobuf"),
        "grpc": (Encoding.V2_PROTO3, report, None),
        "udp": (Encoding.V1_THRIFT, emit_zipkin_batch, None),
    }[case["client"].removeprefix("py_zipkin-")]
    content = case["content"]
    spans, endpoint = content["spans"], content["endpoint"]

    def post(body):
        if callable(path):
            return path(case["address"], bytes(body))
        connection = http.client.HTTPConnection(case["address"], timeout=10)
        connection.request("POST", path, body, {"Content-Type": media})
        status = connection.getresponse().status
        assert status == 202, f"status {status}"

    sent, ids = [], [None] * len(spans)

    def run(index):
        span = spans[index]
        own = {"transport_handler": sent.append, "sample_rate": 100.0, "use_128bit_trace_id": True} if index == 0 else {
            "timestamp": span["timestamp"] / 1e6, "duration": span["duration"] / 1e6}
        with zipkin_span(case["service"], span["name"], encoding=encoding, host=endpoint["ipv4"],
                         port=endpoint["port"], binary_annotations=dict(span["tags"]),
                         kind=Kind[span["kind"]] if "kind" in span else Kind.LOCAL, **own) as one:
            ids[index] = [one.zipkin_attrs.trace_id.zfill(32), one.zipkin_attrs.span_id]
            for annotation in span["annotations"]:
                one.add_annotation(annotation["value"], annotation["timestamp"] / 1e6)
            if "remoteEndpoint" in span:
                remote = span["remoteEndpoint"]
                one.add_sa_binary_annotation(remote.get("port", 0), remote["serviceName"],
                                             remote.get("ipv6") or remote.get("ipv4"))
            for child in children(spans, index):
                run(child)

    before = time.time()
    run(0)
    after = time.time()
    for body in sent:
        post(body)
    return {"ids": ids, "root": [int(before * 1e6), int(after * 1e6) + 1]}


def report(address, body):
    """zipkin.proto3.SpanService/Report; the body is the client's ListOfSpans."""
    import grpc
    with grpc.insecure_channel(address) as channel:
        answer = channel.unary_unary("/zipkin.proto3.SpanService/Report")(body, timeout=10)
        assert answer == b"", answer


def emit_zipkin_batch(address, body):
    """The other call of a jaeger-agent, by jaeger-client's stub; the body is py_zipkin's list of Thrift."""
    from jaeger_client.local_agent_net import LocalAgentSender
    from jaeger_client.thrift_gen.agent import Agent
    from jaeger_client.thrift_gen.zipkincore import ttypes
    from thrift.protocol import TBinaryProtocol, TCompactProtocol
    from thrift.transport import TTransport
    binary = TBinaryProtocol.TBinaryProtocol(TTransport.TMemoryBuffer(body))
    _, count = binary.readListBegin()
    spans = [ttypes.Span() for _ in range(count)]
    for span in spans:
        span.read(binary)
    host, port = address.split(":")
    sender = LocalAgentSender(host, 1, int(port))
    Agent.Client(sender, type("Factory", (), {"getProtocol": lambda _, to: TCompactProtocol.TCompactProtocol(to)})()
                 ).emitZipkinBatch(spans)


def exporter(name, address):
    host, _, port = address.partition(":")
    if name == "jaeger-udp":
        from opentelemetry.exporter.jaeger.thrift import JaegerExporter
        return JaegerExporter(agent_host_name=host, agent_port=int(port))
    if name == "jaeger-http":
        from opentelemetry.exporter.jaeger.thrift import JaegerExporter
        return JaegerExporter(collector_endpoint=f"http://{address}/api/traces?format=jaeger.thrift")
    if name == "jaeger-grpc":
        from opentelemetry.exporter.jaeger.proto.grpc import JaegerExporter
        return JaegerExporter(collector_endpoint=address, insecure=True)
    if name == "zipkin-json":
        from opentelemetry.exporter.zipkin.json import ZipkinExporter
    else:
        from opentelemetry.exporter.zipkin.proto.http import ZipkinExporter
    return ZipkinExporter(endpoint=f"http://{address}/api/v2/spans")


def opentelemetry(case):
    from opentelemetry import trace
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.trace.status import Status, StatusCode
    content = case["content"]
    provider = TracerProvider(resource=Resource({"service.name": case["service"], **typed(content["resource"])}))
    provider.add_span_processor(BatchSpanProcessor(exporter(case["client"].removeprefix("otel-"), case["address"])))
    tracer = provider.get_tracer("doors", "1.2.3")
    foreign = trace.SpanContext(*(int(each, 16) for each in content["link"]), is_remote=True)
    made = []
    for span in content["spans"]:
        context = trace.set_span_in_context(made[span["parent"]]) if "parent" in span else None
        one = tracer.start_span(span["name"], context, trace.SpanKind[span["kind"].upper()], typed(span["attributes"]),
                                [trace.Link(foreign)] if "link" in span else [], span["start"] * 1000)
        for event in span["events"]:
            one.add_event(event["name"], typed(event["attributes"]), event["time"] * 1000)
        if span["status"] != "unset":
            one.set_status(Status(StatusCode[span["status"].upper()], span.get("message")))
        made.append(one)
    for one, span in zip(made, content["spans"]):
        one.end((span["start"] + span["duration"]) * 1000)
    provider.shutdown()
    contexts = [one.get_span_context() for one in made]
    return {"ids": [[f"{each.trace_id:032x}", f"{each.span_id:016x}"] for each in contexts]}


KINDS = {"jaeger": jaeger, "jaeger128": jaeger, "sampling": sampling, "py_zipkin": py_zipkin, "otel": opentelemetry}

for each in json.load(sys.stdin)["cases"]:
    try:
        done = KINDS[each["client"].split("-")[0]](each)
    except Exception:  # of this case alone
        done = {"error": traceback.format_exc()}
    print(json.dumps({"service": each["service"], **done}), flush=True)

"""The cases: which client sends what through which door, and what must come of it."""
import copy
import dataclasses
import json
import pathlib
import typing

import exporters
import translate

CONTENT = json.loads((pathlib.Path(__file__).parent / "content.json").read_text())


@dataclasses.dataclass
class Case:
    program: str  # whose process runs it: a key of run.py's commands
    client: str
    door: str
    content: dict
    want: typing.Callable  # (service, content, answer of the program) -> spans as form.read makes them
    in_zipkin: typing.Optional[typing.Callable] = None  # the same, as the Zipkin server's API should return them

    @property
    def service(self):
        return f"{self.program} {self.client}"


# --- jaeger-client ---

# What a client says of the decision on the first span of a trace; Go's forgets it where a span starts with tags.
SAMPLER = {"sampler.type": ["string", "const"], "sampler.param": ["bool", True]}
UUID = {"client-uuid": translate.ANY}


def jaeger_content(binary, numbers="int64"):
    """`binary`: whether the client has tags of bytes; `numbers`: what it makes of a whole number."""
    content = copy.deepcopy(CONTENT["jaeger"])

    def adapt(tags):
        return [translate.number(tag, numbers) for tag in tags if binary or tag[1] != "binary"]

    content["process"] = adapt(content["process"])
    for span in content["spans"]:
        span["tags"] = adapt(span["tags"])
        for log in span["logs"]:
            log["fields"] = adapt(log["fields"])
    return content


def jaeger(program, client, door, version, binary=False, numbers="int64", sampler=SAMPLER, resolves_host=False, **process):
    """`resolves_host`: the client leaves out what it cannot find by the host's name, where that has no address."""
    def want(service, content, answer):
        expected = translate.jaeger_process(version, **process)
        if resolves_host and not translate.host_has_address():
            del expected["hostname"], expected["ip"]
        return translate.jaeger(service, content, answer["ids"], expected, sampler)
    return Case(program, client, door, jaeger_content(binary, numbers), want)


JAEGER = [
    jaeger("python-old", "jaeger-udp", "compact", "Python-4.8.0"),
    jaeger("python-old", "jaeger128-udp", "compact", "Python-4.8.0"),
    *[jaeger("node", client, door, "Node-3.19.0", binary=True, numbers="float64", **UUID) for client, door in
      [("jaeger-udp", "binary"), ("jaeger128-udp", "binary"), ("jaeger-http", "jaeger_http")]],
    # A service that has nothing but the address of its jaeger-agent, which also says what to sample.
    jaeger("node", "jaeger-env", "agent", "Node-3.19.0", binary=True, numbers="float64", sampler={
        "sampler.type": ["string", "probabilistic"], "sampler.param": ["float64", 1.0]}, **UUID),
    *[jaeger("go", client, door, "Go-2.30.0", binary=True, sampler={}, **UUID) for client, door in
      [("jaeger-udp", "compact"), ("jaeger128-udp", "compact"), ("jaeger-http", "jaeger_http")]],
    *[jaeger("java", client, door, "Java-1.8.1", resolves_host=True) for client, door in
      [("jaeger-udp", "compact"), ("jaeger128-udp", "compact"), ("jaeger-http", "jaeger_http")]],
]


# --- Zipkin's own ---

def zipkin_content(without=()):
    """The content without what a client cannot say."""
    content = copy.deepcopy(CONTENT["zipkin"])
    if "shared" in without:
        content["spans"] = [span for span in content["spans"] if "shared" not in span]
    for span in content["spans"]:
        remote = span.get("remoteEndpoint", {})
        if "ipv6" in without and remote.pop("ipv6", None):
            remote["ipv4"] = "10.9.8.7"
        if "name of a remote client" in without and span.get("kind") == "SERVER":
            remote.pop("serviceName", None)
        if "remote but a server" in without and span.get("kind") != "CLIENT":
            span.pop("remoteEndpoint", None)
    return content


def zipkin(program, client, door="zipkin", without=()):
    def sent(service, content, answer):
        return translate.zipkin_spans(service, content, answer["ids"], answer.get("root"))

    def want(service, content, answer):
        return translate.zipkin(sent(service, content, answer))
    return Case(program, client, door, zipkin_content(without), want, sent)


def zipkin_by_agent(program, client, door, without):
    """By Jaeger's receiver: nothing of it goes to the Zipkin server."""
    return dataclasses.replace(zipkin(program, client, door, without), in_zipkin=None)


PY_ZIPKIN = ("shared", "remote but a server")
ZIPKIN_JS = ("ipv6", "name of a remote client")
ZIPKIN = [
    zipkin("python-old", "py_zipkin-v1-json", without=PY_ZIPKIN),
    zipkin("python-old", "py_zipkin-v1-thrift", without=PY_ZIPKIN),
    zipkin_by_agent("python-old", "py_zipkin-udp", "compact", without=(*PY_ZIPKIN, "ipv6")),
    zipkin("python", "py_zipkin-v2-json", without=PY_ZIPKIN),
    zipkin("python", "py_zipkin-v2-proto", "zipkin_proto", without=PY_ZIPKIN),
    zipkin("python", "py_zipkin-grpc", without=PY_ZIPKIN),
    zipkin("node", "zipkin-v1", without=ZIPKIN_JS),
    zipkin("node", "zipkin-v2", without=ZIPKIN_JS),
    zipkin("go", "zipkin-json"),
    zipkin("go", "zipkin64-json"),
    zipkin("go", "zipkin-proto", "zipkin_proto"),
    zipkin("java", "brave-json"),
    zipkin("java", "brave-proto", "zipkin_proto"),
    zipkin("java", "brave-thrift"),
    zipkin("java", "brave-v1"),
]


# --- OpenTelemetry's exporters ---

def by_jaeger(program, client, door, exporter):
    def want(service, content, answer):
        return exporter.jaeger(service, content, answer["ids"])
    return Case(program, client, door, CONTENT["otel"], want)


def by_zipkin(program, client, exporter, door="zipkin"):
    def sent(service, content, answer):
        return exporter.zipkin(service, content, answer["ids"])

    def want(service, content, answer):
        return translate.zipkin(sent(service, content, answer))

    def back(service, content, answer):
        return translate.come_back(sent(service, content, answer))
    return Case(program, client, door, CONTENT["otel"], want, back)


OPENTELEMETRY = [
    by_jaeger("python-old", "otel-jaeger-udp", "compact", exporters.PYTHON_THRIFT),
    by_jaeger("python-old", "otel-jaeger-http", "jaeger_http", exporters.PYTHON_THRIFT),
    by_jaeger("python-old", "otel-jaeger-grpc", "jaeger_grpc", exporters.PYTHON_GRPC),
    by_jaeger("node", "otel-jaeger-udp", "binary", exporters.NODE),
    by_jaeger("node", "otel-jaeger-http", "jaeger_http", exporters.NODE),
    by_jaeger("go", "otel-jaeger-udp", "compact", exporters.GO),
    by_jaeger("go", "otel-jaeger-http", "jaeger_http", exporters.GO),
    by_jaeger("java", "otel-jaeger-http", "jaeger_http", exporters.JAVA_THRIFT),
    by_jaeger("java", "otel-jaeger-grpc", "jaeger_grpc", exporters.JAVA_GRPC),
    by_zipkin("python-otel", "otel-zipkin-json", exporters.PYTHON_ZIPKIN),
    by_zipkin("python-otel", "otel-zipkin-proto", exporters.PYTHON_ZIPKIN, "zipkin_proto"),
    by_zipkin("node", "otel-zipkin-json", exporters.NODE_ZIPKIN),
    by_zipkin("go", "otel-zipkin-json", exporters.GO_ZIPKIN),
]

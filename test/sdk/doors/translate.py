"""What sluice should make of the spans of content.json: the translation of Jaeger and Zipkin to OTLP, once more.

Written from the tables of the formats, for the content alone: small, and independent of the code under test."""
import json
import socket

from form import Between, Text

ANY = ["string", Text(".+")]
KINDS = ("server", "client", "producer", "consumer", "internal")


def typed(tags):
    return {key: [kind, value] for key, kind, value in tags}


def number(tag, kind):
    """The tag as a client writes it that has one kind of whole numbers: "int64", or "float64" for all."""
    key, own, value = tag
    return [key, kind, float(value) if kind == "float64" else value] if own == "int64" else tag


def ids_of(spans, made, index):
    """Trace, own and parent id of a span, from the ids that the program printed."""
    span = spans[index]
    if "shared" in span:  # the server's half has the ids of the client's
        trace, own = made[span["shared"]]
        return trace, own, ids_of(spans, made, span["shared"])[2]
    parent = span["parent"] if "parent" in span else (span.get("follows") or [None])[0]
    return made[index][0], made[index][1], made[parent][1] if parent is not None else ""


# --- Jaeger ---

def jaeger(service, content, made, process=None, tags=None, flags=1):
    """`process`: the tags that the client adds to its process by itself; `tags`: to the first span of a trace."""
    resource = {"service.name": ["string", service], **typed(content["process"]), **(process or {})}
    if "hostname" in resource:
        resource["host.name"] = resource.pop("hostname")
    if "jaeger.version" in resource:
        kind, version = resource.pop("jaeger.version")
        resource["opencensus.exporterversion"] = [kind, "Jaeger-" + version]
    spans = content["spans"]
    return [{**jaeger_span(spans, made, index, resource, tags or {}), "flags": flags} for index in range(len(spans))]


def jaeger_span(spans, made, index, resource, root_tags):
    span = spans[index]
    trace, own, parent = ids_of(spans, made, index)
    tags = typed(span["tags"])
    if not parent:
        tags.update(root_tags)
    kind = tags.pop("span.kind", ["string", "unspecified"])[1]
    scope = [tags.pop(f"otel.scope.{part}", tags.pop(f"otel.library.{part}", ["string", ""]))[1]
             for part in ("name", "version")]
    for part in ("name", "version"):
        tags.pop(f"otel.library.{part}", None)
    return {
        "resource": resource, "scope": scope, "trace": trace, "id": own, "parent": parent, "state": "",
        "name": span["name"], "kind": kind, "start": span["start"] * 1000,
        "end": (span["start"] + span["duration"]) * 1000, "status": jaeger_status(tags), "attributes": tags,
        "events": [jaeger_event(log) for log in span["logs"]], "links": jaeger_links(span, made),
    }


def jaeger_status(tags):
    """Takes the tags of the status away."""
    status = "unset"
    code = tags.pop("otel.status_code", None)
    message = tags.pop("otel.status_description", ["string", ""])[1]
    if tags.get("error") == ["bool", True]:
        status = "error"
        tags.pop("error")
    elif code:
        status = code[1].lower()
    return [status, message]


def jaeger_event(log):
    fields = typed(log["fields"])
    return [log["time"] * 1000, fields.pop("event", ["string", ""])[1], fields]


def jaeger_links(span, made):
    followed = [made[index] for index in span.get("follows", [])] + span.get("links", [])
    return [[*link, "", {"opentracing.ref_type": ["string", "follows_from"]}] for link in followed]


def host_has_address():
    """Not where there is no /etc/hosts and no name service, as in a bare root."""
    try:
        return bool(socket.gethostbyname(socket.gethostname()))
    except OSError:
        return False


def jaeger_process(version, **more):
    """What jaeger-client says of itself in every language."""
    return {"hostname": ["string", socket.gethostname()], "ip": ["string", Text(r"[0-9a-f.:]+")],
            "jaeger.version": ["string", version], **more}


# --- Zipkin ---

def zipkin_spans(service, content, made, root=None):
    """The spans of content.json as JSON v2 of Zipkin. `root`: where the first span's time must lie."""
    spans = []
    for index, span in enumerate(content["spans"]):
        trace, own, parent = ids_of(content["spans"], made, index)
        one = {"traceId": trace.removeprefix("0" * 16), "id": own, "name": span["name"], "timestamp": span["timestamp"],
               "duration": span["duration"], "localEndpoint": {"serviceName": service, **content["endpoint"]}}
        if index == 0 and root:
            one["timestamp"], one["duration"] = Between(*root), Between(1, root[1] - root[0])
        if parent:
            one["parentId"] = parent
        if "shared" in span:
            one["shared"] = True
        one.update({key: span[key] for key in ("kind", "remoteEndpoint", "annotations", "tags") if span.get(key)})
        spans.append(one)
    return spans


RESOURCE_PREFIXES = ("service.", "host.", "process.", "telemetry.")


def zipkin(spans):
    """Spans of Zipkin in JSON v2 to the form of form.py."""
    return [zipkin_span(span) for span in spans]


def zipkin_span(span):
    attributes = {key: ["string", value] for key, value in span.get("tags", {}).items()}
    local = span["localEndpoint"]
    resource = {key: attributes.pop(key) for key in list(attributes)
                if key.startswith(RESOURCE_PREFIXES) and key != "service.name"}
    resource["service.name"] = ["string", local["serviceName"]]
    scope = [attributes.pop(f"otel.scope.{part}", attributes.pop(f"otel.library.{part}", ["string", ""]))[1]
             for part in ("name", "version")]
    for part in ("name", "version"):
        attributes.pop(f"otel.library.{part}", None)
    status = zipkin_status(attributes)
    attributes.update(address("network.local", local))
    remote = span.get("remoteEndpoint", {})
    attributes.update(address("network.peer", remote))
    if "serviceName" in remote and "peer.service" not in attributes:
        attributes["service.peer.name"] = ["string", remote["serviceName"]]
    kind = span["kind"].lower() if span.get("kind") else "unspecified"
    if attributes.get("span.kind") == ["string", "internal"]:
        kind = "internal"
        attributes.pop("span.kind")
    for mark in ("debug", "shared"):
        if span.get(mark):
            attributes[f"zipkin.{mark}"] = ["bool", True]
    start, duration = span["timestamp"], span["duration"]
    return {
        "resource": resource, "scope": scope, "trace": span["traceId"].zfill(32), "id": span["id"],
        "parent": span.get("parentId", ""), "state": "", "flags": 0, "name": span["name"], "kind": kind,
        "start": nanoseconds(start), "end": nanoseconds(start, duration), "status": status, "attributes": attributes,
        "events": [[each["timestamp"] * 1000, each["value"], {}] for each in span.get("annotations", [])], "links": [],
    }


def come_back(spans):
    """What a Zipkin server has of OpenTelemetry's spans after their way through OTLP."""
    spans = json.loads(json.dumps(spans))
    for span in spans:
        span["name"] = span["name"].lower()
        for part in ("name", "version"):  # the older of two names for the same
            text = span["tags"].pop(f"otel.library.{part}", None)
            if text:
                span["tags"][f"otel.scope.{part}"] = text
        if "peer.service" in span["tags"]:
            span["remoteEndpoint"] = {"serviceName": span["tags"]["peer.service"]}
    return spans


def nanoseconds(start, duration=0):
    if isinstance(start, Between):
        return Between(start.low * 1000, start.high * 1000)
    return (start + duration) * 1000


def zipkin_status(attributes):
    """`error` stays where it alone says what failed, so that it is the same on its way back to Zipkin."""
    code = attributes.pop("otel.status_code", None)
    message = attributes.pop("otel.status_description", ["string", ""])[1]
    error = attributes.pop("error", ["string", None])[1]
    if code:
        return [code[1].lower(), message or error or ""]
    if error is None:
        return ["unset", ""]
    attributes["error"] = ["string", error]
    return ["error", error]


def address(prefix, endpoint):
    found = {}
    ip = endpoint.get("ipv4") or endpoint.get("ipv6")
    if ip:
        found[f"{prefix}.address"] = ["string", ip]
    if endpoint.get("port"):
        found[f"{prefix}.port"] = ["int64", endpoint["port"]]
    return found

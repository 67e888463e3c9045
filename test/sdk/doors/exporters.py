"""How each of OpenTelemetry's exporters writes a span for Jaeger or Zipkin: their ways differ.

`Exporter` turns the content "otel" of content.json into spans of Jaeger or of Zipkin as that exporter sends them."""
import copy
import dataclasses
import json
import typing

import translate


def compact(values):
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


@dataclasses.dataclass
class Exporter:
    lists: typing.Callable = compact  # the text of an attribute that is a list
    scope: tuple = ("otel.scope", "otel.library")  # the prefixes under which it names the scope
    resource_on_spans: bool = False  # whether the resource's attributes are on each span
    resource_in_process: bool = True  # whether they are in the process
    name_on_spans: bool = False  # the same of service.name
    event_key: str = "event"
    internal: bool = True  # whether it says so of a span that is internal
    error_tag: tuple = ("error", "bool", True)
    message_key: str = "otel.status_description"
    numbers: str = "int64"  # its kind of whole numbers
    process: dict = dataclasses.field(default_factory=dict)  # the tags that it adds to the process by itself
    flags: int = 1  # 0 where it does not say that the span was sampled
    annotation: typing.Callable = None  # the text of an event
    lower_case: bool = False  # whether it writes names so
    peer: bool = False  # whether it makes a remote endpoint of peer.service
    debug: bool = False  # whether it calls a sampled span one to debug

    def tags(self, service, content, span):
        tags = []
        for key, kind, value in span["attributes"]:
            if kind in ("strings", "int64s"):
                tags.append([key, "string", self.lists(value)])
            else:
                tags.append(translate.number([key, kind, value], self.numbers))
        if self.resource_on_spans:
            tags += self.resource(content)
        if self.name_on_spans:
            tags.append(["service.name", "string", service])
        for prefix in self.scope:
            tags += [[f"{prefix}.name", "string", "doors"], [f"{prefix}.version", "string", "1.2.3"]]
        return tags + self.status(span)

    def resource(self, content):
        return [translate.number(tag, self.numbers) for tag in content["resource"]]

    def status(self, span):
        if span["status"] == "error":
            tags = [["otel.status_code", "string", "ERROR"], list(self.error_tag)]
            return tags + ([[self.message_key, "string", span["message"]]] if self.message_key else [])
        if span["status"] == "ok":
            return [["otel.status_code", "string", "OK"]]
        return []

    def jaeger(self, service, content, made):
        spans = []
        for span in content["spans"]:
            one = {key: span[key] for key in ("name", "start", "duration", "parent") if key in span}
            one["tags"] = self.tags(service, content, span)
            if span["kind"] != "internal" or self.internal:
                one["tags"].append(["span.kind", "string", span["kind"]])
            one["logs"] = [{"time": event["time"], "fields": [[self.event_key, "string", event["name"]],
                                                               *[translate.number(each, self.numbers)
                                                                 for each in event["attributes"]]]}
                           for event in span["events"]]
            if span.get("link"):
                one["links"] = [content["link"]]
            spans.append(one)
        process = self.resource(content) if self.resource_in_process else []
        return translate.jaeger(service, {"process": process, "spans": spans}, made, copy.deepcopy(self.process),
                                flags=self.flags)

    def zipkin(self, service, content, made):
        spans = []
        for index, span in enumerate(content["spans"]):
            trace, own, parent = translate.ids_of(content["spans"], made, index)
            tags = {key: text(value) for key, _, value in self.tags(service, content, span)}
            one = {"traceId": trace, "id": own, "name": span["name"].lower() if self.lower_case else span["name"],
                   "timestamp": span["start"], "duration": span["duration"], "localEndpoint": {"serviceName": service},
                   "tags": tags}
            if parent:
                one["parentId"] = parent
            if span["kind"] != "internal":
                one["kind"] = span["kind"].upper()
            if span["events"]:
                one["annotations"] = [{"timestamp": event["time"], "value": self.annotation(event)}
                                      for event in span["events"]]
            if self.peer and "peer.service" in tags:
                one["remoteEndpoint"] = {"serviceName": tags["peer.service"]}
            if self.debug:
                one["debug"] = True
            spans.append(one)
        return spans


def text(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else repr(value)


def attributes(event):
    return {key: value for key, _, value in event["attributes"]}


PYTHON_GRPC = Exporter(lists=lambda values: str(tuple(values)), resource_on_spans=True, name_on_spans=True,
                       event_key="message")
PYTHON_THRIFT = dataclasses.replace(PYTHON_GRPC, resource_in_process=False)
NODE = Exporter(lists=lambda values: ",".join(str(each) for each in values), scope=("otel.library",), numbers="float64",
                resource_on_spans=True, resource_in_process=False, name_on_spans=True, internal=False)
GO = Exporter(scope=("otel.library",), internal=False)
JAVA_GRPC = Exporter(internal=False, flags=0, process={
    "jaeger.version": ["string", "opentelemetry-java"], "hostname": translate.ANY, "ip": translate.ANY})
JAVA_THRIFT = dataclasses.replace(JAVA_GRPC, message_key="otel.status_message")
ERROR_TEXT = ("error", "string", "upstream said no")
PYTHON_ZIPKIN = Exporter(lists=lambda values: json.dumps([str(each) for each in values], separators=(",", ":")),
                         resource_on_spans=True, name_on_spans=True, error_tag=ERROR_TEXT, message_key="", debug=True,
                         annotation=lambda event: json.dumps({event["name"]: attributes(event)}))
NODE_ZIPKIN = Exporter(lists=lambda values: ",".join(str(each) for each in values), scope=(), resource_on_spans=True,
                       name_on_spans=True, error_tag=ERROR_TEXT, message_key="", annotation=lambda event: event["name"])
GO_ZIPKIN = Exporter(resource_on_spans=True, name_on_spans=True, error_tag=ERROR_TEXT, message_key="",
                     lower_case=True, peer=True, annotation=lambda event: event["name"] + (
                         f": {compact(attributes(event))}" if event["attributes"] else ""))

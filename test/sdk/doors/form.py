"""Spans in a form to compare: plain dictionaries, with the type beside each value, as [type, value].

What came out of sluice is read from OTLP by `read`; what should have come is made by translate.py."""
import re

from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

KINDS = ["unspecified", "internal", "server", "client", "producer", "consumer"]
VALUE_KINDS = {"string_value": "string", "bool_value": "bool", "int_value": "int64", "double_value": "float64"}
STATUSES = ["unset", "ok", "error"]


class Between:
    """Equal to every number from `low` to `high`: for what a client alone decides."""

    def __init__(self, low, high):
        self.low, self.high = low, high

    def __eq__(self, other):
        return isinstance(other, int) and self.low <= other <= self.high

    def __repr__(self):
        return f"{self.low}..{self.high}"


class Text:
    """Equal to every string that the pattern matches whole."""

    def __init__(self, pattern):
        self.pattern = pattern

    def __eq__(self, other):
        return isinstance(other, str) and re.fullmatch(self.pattern, other) is not None

    def __repr__(self):
        return f"/{self.pattern}/"


def value_of(any_value):
    kind = any_value.WhichOneof("value")
    if kind is None:
        return ["empty", None]
    value = getattr(any_value, kind)
    if kind == "array_value":
        return ["array", [value_of(each) for each in value.values]]
    if kind == "bytes_value":
        return ["binary", value.hex()]
    return [VALUE_KINDS[kind], value]


def attributes_of(key_values):
    attributes = {}
    for each in key_values:
        assert each.key not in attributes, f"attribute {each.key} twice"
        attributes[each.key] = value_of(each.value)
    return attributes


def read(row):
    """One row of the sink: the bytes of resource and scope, their schemas, and the span's bytes."""
    resource, resource_schema, scope, scope_schema, span = row
    assert (resource_schema, scope_schema) == ("", ""), row
    resource = resource_pb2.Resource.FromString(resource)
    scope = common_pb2.InstrumentationScope.FromString(scope)
    span = trace_pb2.Span.FromString(span)
    return {
        "resource": attributes_of(resource.attributes), "scope": [scope.name, scope.version],
        "trace": span.trace_id.hex(), "id": span.span_id.hex(), "parent": span.parent_span_id.hex(),
        "state": span.trace_state, "flags": span.flags, "name": span.name, "kind": KINDS[span.kind],
        "start": span.start_time_unix_nano, "end": span.end_time_unix_nano,
        "status": [STATUSES[span.status.code], span.status.message],
        "attributes": attributes_of(span.attributes),
        "events": [[each.time_unix_nano, each.name, attributes_of(each.attributes)] for each in span.events],
        "links": [[each.trace_id.hex(), each.span_id.hex(), each.trace_state, attributes_of(each.attributes)]
                  for each in span.links],
    }


def in_order(spans):
    """A shared span has the id of its other half: the kind tells them apart."""
    return sorted(spans, key=lambda span: (span["id"], span.get("kind") or ""))


def differences(got, want, path=""):
    """Where the two differ, one line each."""
    if isinstance(got, dict) and isinstance(want, dict):
        lines = [f"{path}.{key}: not expected, {got[key]!r}" for key in got if key not in want]
        lines += [f"{path}.{key}: missing, {want[key]!r}" for key in want if key not in got]
        both = [key for key in got if key in want]
        return lines + [line for key in both for line in differences(got[key], want[key], f"{path}.{key}")]
    if isinstance(got, list) and isinstance(want, list) and len(got) == len(want):
        return [line for index, each in enumerate(got) for line in differences(each, want[index], f"{path}[{index}]")]
    if want == got and (type(got) is type(want) or isinstance(want, (Between, Text))):
        return []
    return [f"{path}: {got!r} instead of {want!r}"]


def compare(got, want):
    """Raises an AssertionError with every difference."""
    got, want = in_order(got), in_order(want)
    assert len(got) == len(want), f"{len(got)} spans instead of {len(want)}: {[each.get('name') for each in got]}"
    lines = [line for one, other in zip(got, want) for line in differences(one, other, str(other.get("name")))]
    assert not lines, "\n    ".join(["differs", *lines])

#!/usr/bin/env python3
"""Processors that edit spans beside the OpenTelemetry Collector's: the same requests, the same options, the same spans.

usage: processors.py --sluice BINARY --work FOLDER [--only TEXT] [--seed NUMBER]

Every case is a pipeline of its own in one sluice and in one collector, and a path of its own at the sink of each. All spans
come to all of them, and must leave the same: the span, its scope and its resource. The order of attributes means nothing: where
one is removed, the collector puts the last one in its place.
Prepared by test/run.sh: FOLDER holds venv/ and otelcol."""
import collections
import pathlib
import sys
import tempfile
import time

from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as service

import beside
from daemon import Daemon, free_ports, wait_for
from random_spans import random_requests
from sink import Sink, canonical

REQUESTS = 300

Case = collections.namedtuple("Case", "name processor options")

CARDS = '"4[0-9]{12}(?:[0-9]{3})?", "(5[1-5][0-9]{14})"'

CASES = [
    Case("a name from attributes", "span", '{name: {from_attributes: [http.request.method, http.route], separator: " "}}'),
    Case("a name from one attribute of any type", "span", "{name: {from_attributes: [note]}}"),
    Case("attributes from a name", "span",
         "{name: {to_attributes: {rules: ['^/api/v1/document/(?P<document_id>.*)/update$', '(?P<number>[0-9]+)', "
         "'(?P<note>[a-z]+)']}}}"),
    Case("attributes from a name, up to the first match", "span",
         "{name: {to_attributes: {break_after_match: true, rules: ['^/api/(v1|v2)/', '(?P<number>[0-9]+)']}}}"),
    Case("attributes from a name that is kept", "span",
         "{name: {to_attributes: {keep_original_name: true, rules: ['(?P<number>[0-9]+)', '^(?P<user_id>.)']}}}"),
    Case("a name from attributes and back", "span",
         "{name: {from_attributes: [db.system.name], to_attributes: {rules: ['(?P<card>[0-9]+)']}}}"),
    Case("a status", "span", "{status: {code: Error, description: refused}}"),
    Case("a status without a description", "span", "{status: {code: Ok}}"),
    Case("no status, of some spans", "span",
         "{status: {code: Unset}, include: {match_type: strict, services: [shop, pay]}, "
         "exclude: {match_type: regexp, span_names: ['^/api']}}"),
    Case("names of spans with some attributes", "span",
         "{name: {from_attributes: [user.id]}, include: {match_type: regexp, attributes: [{key: note, value: '[0-9]'}]}}"),
    Case("keys on a list", "redaction", f"{{allowed_keys: [note, card, user.email, http.route], blocked_values: [{CARDS}], "
         "summary: debug}"),
    Case("no keys at all", "redaction", "{summary: info}"),
    Case("all keys and some values", "redaction", f"{{allow_all_keys: true, blocked_values: [{CARDS}, secret, '@'], summary: debug}}"),
    Case("values of all types", "redaction",
         f"{{allow_all_keys: true, redact_all_types: true, blocked_values: [{CARDS}, '[0-9]+'], summary: debug}}"),
    Case("blocked keys", "redaction", "{allow_all_keys: true, blocked_key_patterns: ['.*token.*', key, note], summary: info}"),
    Case("blocked keys of all types", "redaction",
         "{allow_all_keys: true, redact_all_types: true, blocked_key_patterns: [a], hash_function: sha1, summary: silent}"),
    Case("ignored keys", "redaction",
         "{allowed_keys: [note], ignored_keys: [safe, service.name], ignored_key_patterns: ['^k8s', '_key$'], "
         "blocked_values: ['.'], summary: debug}"),
    Case("allowed values", "redaction",
         "{allow_all_keys: true, blocked_values: ['[a-z]+@'], blocked_key_patterns: [card], "
         "allowed_values: ['@mycompany', '^4'], summary: debug}"),
    Case("an allowed empty value", "redaction",
         "{allow_all_keys: true, blocked_values: ['e'], blocked_key_patterns: ['e'], allowed_values: ['^$'], summary: debug}"),
    Case("matches without text", "redaction", "{allow_all_keys: true, blocked_values: ['s*', '^', '$'], summary: info}"),
    Case("patterns one after the other", "redaction", "{allow_all_keys: true, blocked_values: ['c+', '\\*+a', '(?i)SHOP']}"),
] + [
    Case(f"hashed by {function}", "redaction",
         f"{{allow_all_keys: true, blocked_values: [{CARDS}, secret], hash_function: {function}, hmac_key: {'k' * 64}}}")
    for function in ("md5", "sha1", "sha3", "hmac-sha256", "hmac-sha512")
] + [
    Case("attributes inserted, updated and upserted", "attributes",
         "{actions: [{key: note, value: n, action: insert}, {key: card, value: 7, action: update}, "
         "{key: safe, value: true, action: upsert}, {key: copy, from_attribute: user.id, action: insert}]}"),
    Case("attributes deleted and hashed", "attributes",
         "{actions: [{key: note, action: delete}, {pattern: ^user, action: delete}, {key: card, action: hash}, "
         "{pattern: token, action: hash}]}"),
    Case("attributes extracted and converted", "attributes",
         "{actions: [{key: note, pattern: '^(?P<first>[a-z]+)(?P<rest>.*)', action: extract}, "
         "{key: card, converted_type: int, action: convert}, {key: user.id, converted_type: double, action: convert}, "
         "{key: details, converted_type: string, action: convert}]}"),
    Case("attributes of spans that match", "attributes",
         "{include: {match_type: regexp, span_names: ['^/api'], services: [shop]}, "
         "exclude: {match_type: regexp, span_kinds: [SERVER]}, actions: [{key: matched, value: yes, action: insert}]}"),
    Case("attributes of resources", "resource",
         "{attributes: [{key: note, action: delete}, {key: env, value: prod, action: upsert}, {key: card, action: hash}, "
         "{key: copy, from_attribute: service.name, action: insert}]}"),
]


def sort_attributes(message):
    message.attributes.sort(key=lambda attribute: attribute.key)


class EditedSpans(Sink):
    """By the name of a case, which stands in the path: each span with its scope and resource, by its ids."""

    def __init__(self):
        self.rows = collections.defaultdict(dict)
        super().__init__()

    def take(self, request, path):
        rows = {}
        for resource in request.resource_spans:
            sort_attributes(resource.resource)
            for scope in resource.scope_spans:
                sort_attributes(scope.scope)
                for span in scope.spans:
                    for each in [span, *span.events, *span.links]:
                        sort_attributes(each)
                    rows[span.trace_id + span.span_id] = (
                        canonical(span), scope.scope.SerializeToString(deterministic=True),
                        resource.resource.SerializeToString(deterministic=True), str(resource.resource), str(scope.scope), str(span))
        with self._lock:
            self.rows[path.split("/")[1]].update(rows)


class Side:
    """sluice, or the collector, and what came out of it."""

    def __init__(self, name, command):
        self.name, self.sink = name, EditedSpans()
        self.port = free_ports(1)[0]
        self.command = command
        self.config = beside.config(self.port, self.sink.http_port, [(case.processor, case.options) for case in CASES])

    def run(self, requests, folder):
        """Ends when all has been delivered: what is queued leaves at the stop."""
        with Daemon(self.command, self.config, self.port, folder, self.name):
            beside.post(self.name, self.port, requests)
            spans = sum(len(scope.spans) for body in requests
                        for resource in service.ExportTraceServiceRequest.FromString(body).resource_spans
                        for scope in resource.scope_spans)
            wait_for(lambda: all(len(self.sink.rows[f"c{number}"]) >= spans for number in range(len(CASES))), 60,
                     f"{spans} spans of each case from {self.name}")
            time.sleep(0.1)
        self.sink.stop()


def compare(ours, theirs):
    assert ours and ours.keys() == theirs.keys(), f"{len(ours)} spans from sluice, {len(theirs)} from the collector"
    different = [key for key in ours if ours[key][:3] != theirs[key][:3]]
    if different:
        shortest = min(different, key=lambda key: len(theirs[key][0]))
        parts = "".join(f"-- sluice --\n{own}-- collector --\n{other}" for own, other in zip(ours[shortest][3:], theirs[shortest][3:])
                        if own != other)
        raise AssertionError(f"{len(different)} of {len(ours)} spans differ, such as\n{parts}")
    return f"{len(ours)} spans"


def main():
    arguments = beside.arguments()
    CASES[:] = [case for case in CASES if arguments.only in f"{case.processor}: {case.name}"]

    requests = random_requests(arguments.seed, REQUESTS, 12)
    sides = [Side("sluice", [arguments.sluice]), Side("collector", [str(arguments.work / "otelcol")])]
    with tempfile.TemporaryDirectory() as temporary:
        for side in sides:
            side.run(requests, pathlib.Path(temporary))
    return beside.report([f"{case.processor}: {case.name}" for case in CASES],
                         lambda number: compare(*(side.sink.rows[f"c{number}"] for side in sides)))


if __name__ == "__main__":
    sys.exit(main())

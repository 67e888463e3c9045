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

import beside
from random_spans import random_requests

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


def main():
    arguments = beside.arguments()
    CASES[:] = [case for case in CASES if arguments.only in f"{case.processor}: {case.name}"]

    requests = random_requests(arguments.seed, REQUESTS, 12)
    sides = beside.sides(arguments, [(case.processor, case.options) for case in CASES])
    with tempfile.TemporaryDirectory() as temporary:
        for side in sides:
            side.run(requests, pathlib.Path(temporary))
    return beside.report([f"{case.processor}: {case.name}" for case in CASES],
                         lambda number: beside.compare(sides, number))


if __name__ == "__main__":
    sys.exit(main())

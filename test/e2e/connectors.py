"""Connectors between pipelines, as their users meet them. Run by run.py."""
import json
import unittest

from daemon import DOORS, OWN, Daemon, post, request, run, span, spans_of

# The batches of both pipelines wait for longer than a test does, so that only a drain empties them.
JOINED = DOORS + """
  zipkin: {endpoint: "127.0.0.1:{zipkin}"}
processors:
  attributes/mark: {actions: [{key: mark, value: "yes", action: insert}]}
  batch/first: {timeout: 1h}
  batch/last: {timeout: 1h}
connectors: {forward: }
exporters:
  file/all: {path: "{dir}/all.jsonl"}
  file/marked: {path: "{dir}/marked.jsonl"}
""" + OWN + """
  pipelines:
    traces/last: {receivers: [forward, zipkin], processors: [batch/last], exporters: [file/all]}
    traces/marked: {receivers: [forward], processors: [attributes/mark], exporters: [file/marked]}
    traces/first: {receivers: [otlp], processors: [batch/first], exporters: [forward]}
"""

ROUTED = DOORS + """
connectors:
  routing:
    default_pipelines: [traces/rest]
    table:
      - {context: request, condition: 'request["X-Tenant"] == "acme"', pipelines: [traces/acme]}
      - {condition: 'span.name == "span 2"', action: copy, pipelines: [traces/acme, traces/some]}
      - {condition: 'resource.attributes["service.name"] == "shop"', pipelines: [traces/some]}
exporters:
  file/acme: {path: "{dir}/acme.jsonl"}
  file/some: {path: "{dir}/some.jsonl"}
  file/rest: {path: "{dir}/rest.jsonl"}
""" + OWN + """
  pipelines:
    traces/in: {receivers: [otlp], exporters: [routing]}
    traces/acme: {receivers: [routing], exporters: [file/acme]}
    traces/some: {receivers: [routing], exporters: [file/some]}
    traces/rest: {receivers: [routing], exporters: [file/rest]}
"""

CIRCLE = DOORS.replace("{grpc}", "0").replace("{http}", "0") + """
connectors: {forward: , forward/2: }
exporters: {debug: }
service:
  pipelines:
    traces/a: {receivers: [otlp, forward/2], exporters: [forward]}
    traces/b: {receivers: [forward], exporters: [forward/2, debug]}
"""


def names(path):
    return sorted(each["name"] for each in spans_of(path))


class Connectors(unittest.TestCase):
    def balances(self, sluice, component, **expected):
        flow = {name: sluice.metric("sluice_component_spans", kind="connector", component=component, flow=name)
                for name in ("in", "out", "dropped", "refused")}
        self.assertEqual({name: flow[name] for name in expected}, expected)
        self.assertEqual(flow["in"], flow["out"] + flow["dropped"] + flow["refused"])

    def test_what_a_drain_empties_goes_all_the_way_through_forward(self):
        with Daemon(JOINED, zipkin=0) as sluice:
            self.assertEqual(post(sluice.http, [span(1), span(2)])[0], 200)
            self.assertEqual(post(sluice.http, [span(3)])[0], 200)
            self.assertEqual(sluice.terminate(), 0, sluice.log())
            self.assertIn("everything was delivered", sluice.log())
            everything, marked = spans_of(sluice.dir + "/all.jsonl"), spans_of(sluice.dir + "/marked.jsonl")
            self.assertEqual(names(sluice.dir + "/all.jsonl"), ["span 1", "span 2", "span 3"])
            self.assertEqual(names(sluice.dir + "/marked.jsonl"), ["span 1", "span 2", "span 3"])
            self.assertEqual([len(each.get("attributes", [])) for each in everything], [0, 0, 0])
            self.assertEqual([len(each.get("attributes", [])) for each in marked], [1, 1, 1])

    def test_routing_sends_spans_by_header_resource_and_name(self):
        with Daemon(ROUTED) as sluice:
            body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span(1), span(2)]}]}]}).encode()
            headers = {"content-type": "application/json", "x-tenant": "acme"}
            self.assertEqual(request(sluice.http, "POST", "/v1/traces", body, headers)[0], 200)
            self.assertEqual(post(sluice.http, [span(2), span(3)], service="shop")[0], 200)
            self.assertEqual(post(sluice.http, [span(2), span(4)], service="auth")[0], 200)
            self.balances(sluice, "routing", **{"in": 6, "out": 6})
            self.assertEqual(sluice.terminate(), 0, sluice.log())
            self.assertEqual(names(sluice.dir + "/acme.jsonl"), ["span 1", "span 2", "span 2", "span 2"])
            self.assertEqual(names(sluice.dir + "/some.jsonl"), ["span 2", "span 2", "span 2", "span 3"])
            self.assertEqual(names(sluice.dir + "/rest.jsonl"), ["span 2", "span 4"])

    def test_a_circle_of_pipelines_is_drawn(self):
        code, _, errors = run("validate", "--config", "yaml:" + CIRCLE)
        self.assertEqual(code, 1)
        self.assertIn("spans would go in a circle: traces/a → forward → traces/b → forward/2 → traces/a", errors)

"""Connectors between pipelines, as their users meet them. Run by run.py."""
import unittest

from daemon import DOORS, OWN, Daemon, post, run, span, spans_of

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

    def test_a_circle_of_pipelines_is_drawn(self):
        code, _, errors = run("validate", "--config", "yaml:" + CIRCLE)
        self.assertEqual(code, 1)
        self.assertIn("spans would go in a circle: traces/a → forward → traces/b → forward/2 → traces/a", errors)

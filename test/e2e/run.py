#!/usr/bin/env python3
"""End to end: the binary as its users meet it. usage: run.py --binary PATH [unittest arguments]"""
import argparse
import json
import os
import pathlib
import signal
import socket
import sys
import unittest

import daemon
import thrift
from balancing import Balancing, Tier  # pylint: disable=unused-import; run from here
from connectors import Connectors  # pylint: disable=unused-import
from daemon import DOORS, OWN, Daemon, free_port, post, request, run, span, spans_of

ROOT = pathlib.Path(__file__).resolve().parents[2]

TO_FILE = DOORS + """
processors:
  batch: {timeout: 50ms}
exporters:
  file: {path: "{dir}/traces.jsonl"}
""" + OWN + """
  pipelines:
    traces: {receivers: [otlp], processors: [batch], exporters: [file]}
"""


class Delivery(unittest.TestCase):
    def test_what_is_sent_is_in_the_file_after_the_drain(self):
        with Daemon(TO_FILE) as sluice:
            attributes = [{"key": "http.method", "value": {"stringValue": "GET"}},
                          {"key": "size", "value": {"intValue": "9007199254740993"}}]
            sent = [span(1, attributes=attributes), span(2), span(3)]
            status, headers, body = post(sluice.http, sent)
            self.assertEqual((status, json.loads(body)), (200, {}), body)
            self.assertEqual(post(sluice.http, [span(4)], compress=True)[0], 200)
            self.assertEqual(sluice.terminate(), 0, sluice.log())
            arrived = {each["name"]: each for each in spans_of(sluice.dir + "/traces.jsonl")}
            self.assertEqual(sorted(arrived), ["span 1", "span 2", "span 3", "span 4"])
            self.assertEqual(arrived["span 1"], sent[0])

    def test_spans_pass_from_one_daemon_to_the_next_over_grpc_and_http(self):
        for exporter in ('otlp: {endpoint: "127.0.0.1:{next_grpc}", tls: {insecure: true}, compression: %s}',
                         'otlphttp: {endpoint: "http://127.0.0.1:{next_http}", compression: %s}'):
            for compression in ("none", "gzip", "zstd"):
                with self.subTest(exporter=exporter.split(":")[0], compression=compression), \
                        Daemon(TO_FILE) as last:
                    chain = DOORS + "exporters:\n  " + exporter % compression + OWN + \
                        "  pipelines:\n    traces: {receivers: [otlp], exporters: [%s]}\n" % exporter.split(":")[0]
                    with Daemon(chain, next_grpc=last.grpc, next_http=last.http) as first:
                        for number in range(1, 11):
                            self.assertEqual(post(first.http, [span(10 * number + i) for i in range(10)])[0], 200)
                        self.assertEqual(first.terminate(), 0, first.log())
                    self.assertEqual(last.terminate(), 0, last.log())
                    names = {each["name"] for each in spans_of(last.dir + "/traces.jsonl")}
                    self.assertEqual(names, {f"span {n}" for n in range(10, 110)})

    def test_two_receivers_two_pipelines_and_shared_exporters(self):
        configuration = """
receivers:
  otlp/a: {protocols: {http: {endpoint: "127.0.0.1:{http}"}}}
  otlp/b: {protocols: {http: {endpoint: "127.0.0.1:{second}"}}}
processors:
  attributes/mark: {actions: [{key: mark, value: yes, action: insert}]}
exporters:
  file/all: {path: "{dir}/all.jsonl"}
  file/marked: {path: "{dir}/marked.jsonl"}
""" + OWN + """
  pipelines:
    traces/plain: {receivers: [otlp/a, otlp/b], exporters: [file/all]}
    traces/marked: {receivers: [otlp/b], processors: [attributes/mark], exporters: [file/all, file/marked]}
"""
        with Daemon(configuration, second=free_port()) as sluice:
            self.assertEqual(post(sluice.http, [span(1)])[0], 200)
            self.assertEqual(post(sluice.second, [span(2), span(3)])[0], 200)
            self.assertEqual(sluice.terminate(), 0, sluice.log())
            everything = spans_of(sluice.dir + "/all.jsonl")
            marked = spans_of(sluice.dir + "/marked.jsonl")
            self.assertEqual(sorted(each["name"] for each in everything),
                             ["span 1", "span 2", "span 2", "span 3", "span 3"])
            self.assertEqual(sorted(each["name"] for each in marked), ["span 2", "span 3"])
            self.assertEqual([len(each.get("attributes", [])) for each in marked], [1, 1])
            self.assertEqual(sum(len(each.get("attributes", [])) for each in everything), 2)


class OwnPages(unittest.TestCase):
    def test_metrics_have_the_collectors_names_and_every_component_balances(self):
        with Daemon(TO_FILE) as sluice:
            post(sluice.http, [span(1), span(2)])
            request(sluice.http, "POST", "/v1/traces", b"\x0a\xff", {"content-type": "application/x-protobuf"})
            sluice.wait_until(lambda: sluice.metric("otelcol_exporter_sent_spans", exporter="file") == 2, "2 sent")
            self.assertEqual(sluice.metric("otelcol_receiver_accepted_spans", receiver="otlp", transport="http"), 2)
            for name in ("otelcol_process_uptime", "otelcol_process_cpu_seconds", "otelcol_process_memory_rss",
                         "sluice_in_flight_limit_bytes"):
                self.assertGreater(sluice.metric(name), 0, name)
            self.assertEqual(sluice.metric("target_info", service_name="sluice"), 1)
            for kind, component in (("receiver", "otlp"), ("processor", "batch"), ("exporter", "file")):
                flow = {name: sluice.metric("sluice_component_spans", kind=kind, component=component, flow=name)
                        for name in ("in", "out", "dropped", "refused")}
                held = sluice.metric("sluice_component_held_spans", kind=kind, component=component)
                self.assertEqual(flow["in"], 2, (component, flow))
                self.assertEqual(flow["in"], flow["out"] + flow["dropped"] + flow["refused"] + held, (component, flow))
            self.assertEqual(request(sluice.metrics, "POST", "/metrics")[0], 405)

    def test_health_answers_as_the_collectors_does(self):
        with Daemon(TO_FILE) as sluice:
            status, headers, body = request(sluice.health, "GET", "/")
            answer = json.loads(body)
            self.assertEqual((status, headers["content-type"]), (200, "application/json"))
            self.assertEqual(answer["status"], "Server available")
            self.assertRegex(answer["upSince"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$")
            self.assertRegex(answer["uptime"], r"^[0-9.e-]+s$")

    def test_health_says_no_while_the_drain_goes_on(self):
        with Daemon(NOWHERE.replace("{drain}", "30s")) as sluice:
            self.assertEqual(post(sluice.http, [span(1)])[0], 200)
            sluice.process.send_signal(signal.SIGTERM)
            sluice.wait_until(lambda: request(sluice.health, "GET", "/ready")[0] == 503, "503")
            status, _, body = request(sluice.health, "GET", "/")
            self.assertEqual((status, json.loads(body)["status"]), (503, "Server not available"))


NOWHERE = DOORS + """
exporters:
  otlp: {endpoint: "127.0.0.1:1", tls: {insecure: true}}
""" + OWN + """
  drain_timeout: {drain}
  pipelines:
    traces: {receivers: [otlp], exporters: [otlp]}
"""


class Stopping(unittest.TestCase):
    def test_a_drain_that_cannot_end_ends_at_its_deadline_and_says_what_was_left(self):
        with Daemon(NOWHERE.replace("{drain}", "300ms")) as sluice:
            self.assertEqual(post(sluice.http, [span(1), span(2), span(3)])[0], 200)
            self.assertEqual(sluice.terminate(), 0)
            self.assertRegex(sluice.log(), r"not delivered.*spans=3")

    def test_a_second_signal_cuts_the_drain_short(self):
        with Daemon(NOWHERE.replace("{drain}", "1h")) as sluice:
            self.assertEqual(post(sluice.http, [span(1)])[0], 200)
            sluice.process.send_signal(signal.SIGINT)
            sluice.wait_until(lambda: "drains" in sluice.log(), "drain")
            self.assertEqual(sluice.terminate(), 0)
            self.assertRegex(sluice.log(), r"not delivered.*spans=1")

    def test_a_hangup_does_not_end_it(self):
        with Daemon(TO_FILE) as sluice:
            sluice.process.send_signal(signal.SIGHUP)
            sluice.wait_until(lambda: "SIGHUP" in sluice.log(), "a line about SIGHUP")
            self.assertEqual(post(sluice.http, [span(1)])[0], 200)
            self.assertEqual(sluice.terminate(), 0)


class BadInput(unittest.TestCase):
    def test_bad_requests_get_their_own_status_and_disturb_nobody(self):
        with Daemon(TO_FILE) as sluice:
            protobuf = {"content-type": "application/x-protobuf"}
            for status, method, path, body, headers in (
                    (400, "POST", "/v1/traces", b"\x0a\xff", protobuf),
                    (400, "POST", "/v1/traces", b"{", {"content-type": "application/json"}),
                    (400, "POST", "/v1/traces", b"not gzip", {**protobuf, "content-encoding": "gzip"}),
                    (415, "POST", "/v1/traces", b"x", {"content-type": "text/plain"}),
                    (405, "GET", "/v1/traces", None, {}),
                    (404, "POST", "/v2/traces", b"", protobuf)):
                with self.subTest(path=path, body=body):
                    self.assertEqual(request(sluice.http, method, path, body, headers)[0], status)
            self.assertEqual(post(sluice.http, [span(1)])[0], 200)
            self.assertEqual(sluice.terminate(), 0, sluice.log())
            self.assertEqual(len(spans_of(sluice.dir + "/traces.jsonl")), 1)

    def test_a_span_without_ids_is_left_out_and_the_sender_told(self):
        with Daemon(TO_FILE) as sluice:
            status, _, body = post(sluice.http, [span(1), {**span(2), "spanId": ""}])
            self.assertEqual(status, 200)
            self.assertEqual(int(json.loads(body)["partialSuccess"]["rejectedSpans"]), 1)
            self.assertEqual(sluice.terminate(), 0, sluice.log())
            self.assertEqual([each["name"] for each in spans_of(sluice.dir + "/traces.jsonl")], ["span 1"])


AGENT = """
receivers:
  jaeger:
    protocols:
      thrift_compact: {endpoint: "127.0.0.1:{compact}", socket_buffer_size: {buffer}}
      thrift_binary: {endpoint: "127.0.0.1:{binary}", socket_buffer_size: {buffer}, max_packet_size: 65535}
exporters:
  file: {path: "{dir}/traces.jsonl"}
""" + OWN + """
  pipelines:
    traces: {receivers: [jaeger], exporters: [file]}
"""


class Datagrams(unittest.TestCase):
    """The agent's ports: what was sent is what was received and what the kernel dropped, to the datagram."""
    DOORS = (("compact", thrift.Compact), ("binary", thrift.Binary))
    REASONS = ("kernel", "busy", "overload", "rejected", "empty", "too_large", "malformed", "wrong_type",
               "unknown_method", "invalid_id")

    def daemon(self, buffer):
        return Daemon(AGENT, compact=free_port(socket.SOCK_DGRAM), binary=free_port(socket.SOCK_DGRAM), buffer=buffer)

    def client(self, port):
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(client.close)
        client.connect(("127.0.0.1", port))
        return client

    def counts(self, sluice, door):
        """What became of the datagrams: by reason, and "received"."""
        label = f'transport="udp_thrift_{door}"'
        found = {}
        for line in request(sluice.metrics, "GET", "/metrics")[2].decode().splitlines():
            if line.startswith("sluice_datagrams_") and label in line:
                name = line.split('reason="')[1].split('"')[0] if "reason=" in line else "received"
                found[name] = int(float(line.rsplit(" ", 1)[1]))
        return found

    def settles(self, sluice, door, sent):
        """Until all is accounted for: the counts."""
        def told():
            counts = self.counts(sluice, door)
            return counts["received"] + counts["kernel"]
        sluice.wait_until(lambda: told() >= sent, f"{sent} datagrams on {door}")
        counts = self.counts(sluice, door)
        self.assertEqual(counts["received"] + counts["kernel"], sent, (door, counts))
        return counts

    def spans_are(self, sluice, expected):
        """Until so many spans have been taken or refused; no others came in."""
        def flow(name):
            return sluice.metric("sluice_component_spans", kind="receiver", component="jaeger", flow=name)
        sluice.wait_until(lambda: flow("out") + flow("refused") >= expected, f"{expected} spans")
        self.assertEqual(flow("out") + flow("refused"), expected)
        self.assertEqual(flow("in"), expected)
        self.assertEqual(sluice.metric("otelcol_receiver_accepted_spans", receiver="jaeger") +
                         sluice.metric("otelcol_receiver_refused_spans", receiver="jaeger"), expected)

    def test_what_the_kernel_drops_is_counted_when_nothing_more_comes(self):
        # All that is let in was so before the first drop, so no datagram tells of one.
        with self.daemon(buffer=16384) as sluice:
            sluice.pause()
            for door, protocol in self.DOORS:
                client = self.client(getattr(sluice, door))
                for _ in range(1000):
                    client.send(protocol.message("emitBatch", arguments=thrift.batch(protocol, 2)))
            sluice.resume()
            received = 0
            for door, _ in self.DOORS:
                counts = self.settles(sluice, door, 1000)
                self.assertGreater(counts["kernel"], 0)
                self.assertGreater(counts["received"], 0)
                received += counts["received"]
            self.spans_are(sluice, 2 * received)

    def test_what_the_kernel_drops_of_a_flood_is_counted(self):
        with self.daemon(buffer=16384) as sluice:
            messages = [(self.client(getattr(sluice, door)),
                         protocol.message("emitBatch", arguments=thrift.batch(protocol, 10)))
                        for door, protocol in self.DOORS]
            for turn in range(5000):
                if turn in (1000, 3000):
                    sluice.pause()
                if turn in (2000, 4000):
                    sluice.resume()
                for client, message in messages:
                    client.send(message)
            received = 0
            for door, _ in self.DOORS:
                counts = self.settles(sluice, door, 5000)
                self.assertGreater(counts["kernel"], 1000)
                self.assertEqual({counts[reason] for reason in self.REASONS if reason != "kernel"}, {0})
                received += counts["received"]
            self.spans_are(sluice, 10 * received)
            self.assertEqual(sluice.terminate(), 0, sluice.log())
            self.assertEqual(len(spans_of(sluice.dir + "/traces.jsonl")), 10 * received)

    def test_what_waits_in_the_sockets_when_it_is_told_to_stop_is_delivered(self):
        with self.daemon(buffer=200_000) as sluice:
            sluice.pause()
            for door, protocol in self.DOORS:
                client = self.client(getattr(sluice, door))
                for _ in range(100):
                    client.send(protocol.message("emitBatch", arguments=thrift.batch(protocol, 2)))
            sluice.process.send_signal(signal.SIGTERM)
            sluice.resume()
            self.assertEqual(sluice.process.wait(daemon.DEADLINE), 0, sluice.log())
            self.assertEqual(len(spans_of(sluice.dir + "/traces.jsonl")), 2 * 2 * 100)

    def test_each_method_and_message_type_leaves_its_counter_behind(self):
        with self.daemon(buffer=200_000) as sluice:
            for door, protocol in self.DOORS:
                client = self.client(getattr(sluice, door))
                cases = [(self.reason(name, kind, fits), protocol.message(name, kind, arguments))
                         for kind in (*range(8), *((255,) if door == "binary" else ()))
                         for name in ("emitBatch", "emitZipkinBatch", "getSamplingStrategy", "", "n" * 60_000)
                         for fits, arguments in (("emitBatch", thrift.batch(protocol, 1)),
                                                 ("emitZipkinBatch", thrift.zipkin_batch(protocol)), (None, b"\0"))]
                cases += [("empty", b""), ("malformed", b"\xff" * 65_507 if door == "binary" else b"x"),
                          (None, protocol.message("emitBatch", arguments=thrift.batch(protocol, 0)))]
                if door == "compact":  # the default is 65000 bytes
                    cases.append(("too_large", b"\xff" * 65_507))
                before = self.counts(sluice, door)
                for reason, message in cases:
                    with self.subTest(door, reason=reason, message=message[:40]):
                        client.send(message)
                        expected = {**before, "received": before["received"] + 1}
                        if reason is not None:
                            expected[reason] += 1
                        sluice.wait_until(lambda: self.counts(sluice, door) == expected, "its counter")
                        before = expected
            self.spans_are(sluice, 2 * 2 * 2)  # call and oneway, of both methods, on both doors
            self.assertEqual(sluice.terminate(), 0, sluice.log())

    def reason(self, name, kind, fits):
        if kind not in (thrift.CALL, thrift.ONEWAY):
            return "wrong_type"
        if name not in ("emitBatch", "emitZipkinBatch"):
            return "unknown_method"
        return None if name == fits else "malformed"


class Sampling(unittest.TestCase):
    CONFIGURATION = DOORS + """
processors:
  tail_sampling:
    decision_wait: 300ms
    policies:
      - {name: errors, type: status_code, status_code: {status_codes: [ERROR]}}
      - {name: slow, type: latency, latency: {threshold_ms: 500}}
exporters:
  file: {path: "{dir}/traces.jsonl"}
""" + OWN + """
  admin: {endpoint: "127.0.0.1:{admin}"}
  pipelines:
    traces: {receivers: [otlp], processors: [tail_sampling], exporters: [file]}
"""

    def test_each_decision_is_explained_and_counted(self):
        with Daemon(self.CONFIGURATION, admin=free_port()) as sluice:
            for part in range(3):  # each trace comes in three requests
                spans = []
                for number in range(1, 61):
                    each = span(number, spanId=f"{part + 1:016x}")
                    if part == 1 and number <= 10:
                        each["status"] = {"code": 2}
                    if part == 2 and 10 < number <= 25:
                        each["endTimeUnixNano"] = "1700000001000000000"
                    spans.append(each)
                self.assertEqual(post(sluice.http, spans)[0], 200)
            decisions = []

            def all_decided():
                answer = request(sluice.admin, "GET", "/sampling/decisions?limit=1000")[2]
                decisions[:] = json.loads(answer)["decisions"]
                return len(decisions) == 60
            sluice.wait_until(all_decided, "all traces are decided")
            by_trace = {int(each["trace_id"], 16): each for each in decisions}
            self.assertEqual(sorted(by_trace), list(range(1, 61)))
            for number, each in by_trace.items():
                expected = ("kept", "errors") if number <= 10 else ("kept", "slow") if number <= 25 else \
                    ("not sampled", None)
                self.assertEqual((each["decision"], each.get("policy")), expected)
                self.assertEqual((each["spans"], each["because"], each["has_root"]), (3, "waited", True))
                self.assertEqual(each["duration_ms"], 1000 if 10 < number <= 25 else 1)
                self.assertEqual([said["name"] for said in each["policies"]], ["errors", "slow"])

            code, out, _ = run("explain", "--admin", f"127.0.0.1:{sluice.admin}", f"{12:032X}")
            self.assertEqual(code, 0)
            for words in ("was kept", "by policy slow", "errors (status_code): not sampled; no span that matches",
                          "slow (latency): sampled; 1000 ms"):
                self.assertIn(words, out)
            code, _, err = run("explain", "--admin", f"127.0.0.1:{sluice.admin}", f"{99:032x}")
            self.assertEqual(code, 1)
            self.assertIn("nothing is known", err)
            self.assertEqual(run("explain", "12")[0], 2)
            self.assertEqual(run("explain", "--admin", f"127.0.0.1:{free_port()}", f"{12:032x}")[0], 3)

            self.assertEqual(sluice.metric("sluice_tail_sampling_decisions"), 60)
            self.assertEqual(sluice.terminate(), 0, sluice.log())
            kept = [each["traceId"] for each in spans_of(sluice.dir + "/traces.jsonl")]
            self.assertEqual(sorted(kept), sorted(f"{number:032x}" for number in range(1, 26) for _ in range(3)))

    def test_a_simulation_says_what_the_daemon_does(self):
        for record, name in (("", "json"), (", format: proto", "proto"), (", compression: zstd", "zstd"),
                             (", format: proto, compression: zstd", "proto, zstd")):
            with self.subTest(recorded_as=name), Daemon(
                    self.CONFIGURATION.replace("file: {", 'file/record: {path: "{dir}/record"%s}\n  file: {' % record) +
                    "    traces/record: {receivers: [otlp], exporters: [file/record]}\n", admin=free_port()) as sluice:
                for request_number in range(10):
                    spans = [span(20 * request_number + i, status={"code": 2 if i % 7 == 0 else 1}) for i in range(1, 21)]
                    self.assertEqual(post(sluice.http, spans)[0], 200)
                self.assertEqual(sluice.terminate(), 0, sluice.log())
                kept = {each["traceId"] for each in spans_of(sluice.dir + "/traces.jsonl")}
                configuration = sluice.dir + "/sluice.yaml"
                arguments = ("simulate", "--config", configuration, "--input", sluice.dir + "/record")
                code, out, err = run(*arguments, "--json")
                self.assertEqual(code, 0, err)
                told = json.loads(out)
                self.assertEqual(told["in"]["traces"], 200)
                self.assertEqual((told["kept"]["traces"], told["kept"]["spans"]), (len(kept), len(kept)))
                self.assertEqual([each["traces"] for each in told["policies"]], [len(kept), 0])
                self.assertEqual(told["examples_kept"], sorted(kept)[:5])

                none = pathlib.Path(sluice.dir, "none.yaml")
                none.write_text(pathlib.Path(configuration).read_text().replace("[ERROR]", "[UNSET]"))
                told = json.loads(run(*arguments, "--against", str(none), "--json")[1])
                self.assertEqual((told["changes"]["newly_kept"], told["changes"]["no_longer_kept"]), (len(kept), 0))
                self.assertIn(f"{len(kept)} traces are newly kept", run(*arguments, "--against", str(none))[1])
                self.assertEqual(run("simulate", "--config", configuration, "--input", configuration)[0], 1)
                self.assertEqual(run("simulate", "--config", configuration, "--input", sluice.dir + "/absent")[0], 1)


class CommandLine(unittest.TestCase):
    def test_usage(self):
        self.assertEqual(run("--version")[:2], (0, "sluice 0.1.0\n"))
        self.assertEqual(run("--help")[0], 0)
        self.assertEqual(run("--no-such-flag")[0], 2)
        self.assertEqual(run("no-such-command")[0], 2)

    def test_components_are_listed(self):
        code, text, _ = run("components")
        self.assertEqual(code, 0)
        for name in ("otlp", "batch", "attributes", "resource", "otlphttp", "file", "debug", "nop", "health_check",
                     "jaeger", "loadbalancing", "jaegerremotesampling", "zipkin", "filter", "transform", "forward", "routing"):
            self.assertIn(f"  - {name}", text)

    def test_functions_of_ottl_are_listed(self):
        code, text, _ = run("components", "--functions")
        self.assertEqual(code, 0)
        self.assertIn("  - set(target path, value any)\n", text)
        self.assertIn("  - IsMatch(target text, pattern string) -> bool\n", text)

    def test_all_mistakes_are_said_at_once_with_their_places(self):
        with Daemon(TO_FILE.replace("timeout: 50ms", "timeot: 50ms").replace("file: {path", "file: {pth"),
                    ready=False) as sluice:
            self.assertEqual(sluice.process.wait(daemon.DEADLINE), 1)
            self.assertRegex(sluice.log(), r'sluice\.yaml:\d+:\d+: processors\.batch\.timeot: unknown key; '
                                           r'did you mean "timeout"\?')
            self.assertRegex(sluice.log(), r"sluice\.yaml:\d+:\d+: exporters\.file\.pth: unknown key")

    def test_a_missing_file_is_a_configuration_error(self):
        code, _, errors = run("--config", "/no/such/file.yaml")
        self.assertEqual(code, 1)
        self.assertIn("/no/such/file.yaml", errors)

    def test_a_port_in_use_is_named(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            with Daemon(TO_FILE, ready=False, http=port) as sluice:
                self.assertEqual(sluice.process.wait(daemon.DEADLINE), 3)
                self.assertIn(f"127.0.0.1:{port}", sluice.log())

    def test_an_address_that_two_components_want_is_a_configuration_error(self):
        for second in ("grpc", "http"):
            with self.subTest(second), Daemon(TO_FILE.replace("{health}", "{%s}" % second), ready=False) as sluice:
                self.assertEqual(sluice.process.wait(daemon.DEADLINE), 1)
                self.assertIn(str(getattr(sluice, second)), sluice.log())

    def test_a_file_that_cannot_be_opened_is_named(self):
        with Daemon(TO_FILE.replace("{dir}/traces.jsonl", "/proc/none/traces.jsonl"), ready=False) as sluice:
            self.assertEqual(sluice.process.wait(daemon.DEADLINE), 3)
            self.assertIn("/proc/none/traces.jsonl", sluice.log())

    def test_the_examples_are_valid(self):
        for example in sorted((ROOT / "deploy/examples").glob("*.yaml")):
            with self.subTest(example.name):
                code, _, errors = run("validate", "--config", str(example))
                self.assertEqual(code, 0, errors)

    def test_without_a_configuration_it_writes_to_a_file_and_a_line_on_the_console(self):
        sets = ("receivers.otlp.protocols.grpc.endpoint=127.0.0.1:{grpc}",
                "receivers.otlp.protocols.http.endpoint=127.0.0.1:{http}",
                "extensions.health_check.endpoint=127.0.0.1:{health}",
                "service.telemetry.metrics.level=none")
        with Daemon(None, [word for each in sets for word in ("--set", each)]) as sluice:
            self.assertEqual(post(sluice.http, [span(1), span(2)])[0], 200)
            self.assertEqual(sluice.terminate(), 0, sluice.log())
            self.assertEqual(len(spans_of(sluice.dir + "/sluice-traces.jsonl")), 2)
            self.assertRegex(sluice.log(), r"spans\W+2")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    options, rest = parser.parse_known_args()
    daemon.BINARY = os.path.abspath(options.binary)
    sys.dont_write_bytecode = True
    unittest.main(argv=[sys.argv[0], *rest])

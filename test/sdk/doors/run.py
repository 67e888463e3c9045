#!/usr/bin/env python3
"""Unmodified clients of Zipkin and Jaeger, through every door of sluice, to a real Zipkin server and a sink of OTLP.

usage: run.py --sluice BINARY --work FOLDER [--only TEXT]

A program per language (python/, node/, go/, java/) makes the spans of content.json with each client it has, and prints
the ids that the client gave them. A case passes when the spans that arrive are those: ids, parents, names, kinds,
times, attributes with their types, events, links, status, resource and scope. What came as Zipkin goes on to a Zipkin
server as well, which must give back the spans that were sent. Prepared by test/run.sh in FOLDER."""
import argparse
import contextlib
import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))

import cases
import form
import otlp
import sampling
from daemon import Daemon, free_ports, wait_for
from sink import Sink
from zipkin_server import ZipkinServer


def commands(work):
    emit = str(HERE / "python/emit.py")
    return {
        "python-old": [str(work / "doors-python-old/bin/python"), "-W", "ignore", emit],
        "python": [str(work / "doors-python/bin/python"), emit],
        # Apart from py_zipkin: both bring the classes of the same messages, and protobuf refuses the second.
        "python-otel": [str(work / "doors-python/bin/python"), emit],
        "node": ["node", str(work / "doors-node/emit.js")],
        "go": [str(work / "doors-go")],
        "java": ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp",
                 f"{work}/doors-java/target/doors.jar:{work}/doors-java/target/dependency/*", "Doors"],
    }


def sluice_config(doors, sink, zipkin_port, strategies):
    zipkin_server = f"http://127.0.0.1:{zipkin_port}/api/v2/spans"
    retry = "retry_on_failure: {initial_interval: 100ms}"
    return f"""
extensions:
  jaegerremotesampling:
    http: {{endpoint: "{doors['sampling']}"}}
    grpc: {{endpoint: "{doors['sampling_grpc']}"}}
    source: {{file: "{strategies}", reload_interval: 100ms}}
receivers:
  otlp: {{protocols: {{http: {{endpoint: "{doors['otlp']}"}}}}}}
  zipkin: {{endpoint: "{doors['zipkin']}"}}
  zipkin/proto: {{endpoint: "{doors['zipkin_proto']}"}}
  jaeger:
    protocols:
      thrift_compact: {{endpoint: "{doors['compact']}"}}
      thrift_binary: {{endpoint: "{doors['binary']}"}}
      thrift_http: {{endpoint: "{doors['jaeger_http']}"}}
      grpc: {{endpoint: "{doors['jaeger_grpc']}"}}
exporters:
  otlp: {{endpoint: "127.0.0.1:{sink.grpc_port}", compression: none, tls: {{insecure: true}}}}
  zipkin: {{endpoint: "{zipkin_server}", {retry}}}
  zipkin/proto: {{endpoint: "{zipkin_server}", format: proto, {retry}}}
service:
  extensions: [jaegerremotesampling]
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces/jaeger: {{receivers: [jaeger], exporters: [otlp]}}
    traces/zipkin: {{receivers: [zipkin, otlp], exporters: [otlp, zipkin]}}
    traces/proto: {{receivers: [zipkin/proto], exporters: [otlp, zipkin/proto]}}
"""


class Program:
    """A client program at work on its cases; `answers` fills as it prints them."""

    def __init__(self, command, todo, on_answer):
        self.answers, self.todo, self.on_answer = {}, todo, on_answer
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        stderr=subprocess.PIPE)
        self.errors = ""
        self.threads = [threading.Thread(target=each, daemon=True) for each in (self.read, self.read_errors)]
        for thread in self.threads:
            thread.start()
        with contextlib.suppress(BrokenPipeError):  # its own words will say why
            self.process.stdin.write(json.dumps({"cases": todo}))
            self.process.stdin.close()

    def read(self):
        for line in self.process.stdout:
            if line.startswith("{"):
                answer = json.loads(line)
                self.answers[answer["service"]] = answer
                self.on_answer(answer)

    def read_errors(self):
        self.errors = self.process.stderr.read()

    def finish(self):
        try:
            self.process.wait(90)
        except subprocess.TimeoutExpired:
            self.process.kill()
        for thread in self.threads:
            thread.join(10)

    def answer(self, service):
        answer = self.answers.get(service, {"error": f"no answer, exit code {self.process.returncode}"})
        assert "error" not in answer, f"{answer['error']}\n{self.errors[-3000:]}"
        return answer


class Doors:
    def __init__(self, arguments, sink, server, addresses):
        self.only, self.sink, self.server, self.addresses = arguments.only, sink, server, addresses
        self.commands = commands(arguments.work)
        self.passed, self.failed, self.programs = 0, 0, {}

    def case(self, name, body):
        if self.only not in name:
            return
        try:
            body()
            self.passed += 1
            print(f"ok      {name}", flush=True)
        except (AssertionError, OSError) as error:
            self.failed += 1
            print(f"FAILED  {name}: {str(error)[:6000]}", flush=True)

    def start(self, all_cases, on_answer):
        """One process for each program that has something to do; all at once."""
        todo = {}
        for case in all_cases:
            if self.only in name_of(case):
                todo.setdefault(case.program, []).append({
                    "client": case.client, "service": case.service, "address": self.addresses[case.door],
                    "content": case.content})
        self.programs = {program: Program(self.commands[program], each, on_answer) for program, each in todo.items()}

    def finish(self):
        for program in self.programs.values():
            program.finish()

    def check(self, case):
        answer = self.programs[case.program].answer(case.service)
        want = case.want(case.service, case.content, answer)
        ends = {"as OTLP": lambda: form.compare(self.arrived(case.service, len(want)), want)}
        if case.in_zipkin:
            sent = case.in_zipkin(case.service, case.content, answer)
            ends["in the Zipkin server"] = lambda: form.compare(self.server.trace(sent[0]["traceId"], len(sent)), sent)
        problems = []
        for end, check in ends.items():
            try:
                check()
            except AssertionError as error:
                problems.append(f"{end}: {error}")
        assert not problems, "; ".join(problems)

    def arrived(self, service, count):
        try:
            wait_for(lambda: self.sink.count(service) >= count, 20, f"{count} spans")
        except AssertionError as error:
            raise AssertionError(f"{error}, got {self.sink.count(service)}") from None
        return [form.read(row) for row in self.sink.spans(service)]


def name_of(case):
    return f"{case.program}: {case.client} by the door {case.door}"


def addresses():
    tcp = ["otlp", "zipkin", "zipkin_proto", "jaeger_http", "jaeger_grpc", "sampling", "sampling_grpc", "server"]
    ports = dict(zip(tcp, free_ports(len(tcp))))
    ports.update(zip(["compact", "binary"], free_ports(2, socket.SOCK_DGRAM)))
    found = {name: f"127.0.0.1:{port}" for name, port in ports.items()}
    return {**found, "agent": f"{found['binary']},{found['sampling']}"}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sluice", required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()

    doors, sink = addresses(), Sink()
    server_port = int(doors["server"].split(":")[1])
    with tempfile.TemporaryDirectory() as temporary, contextlib.ExitStack() as stack:
        folder = pathlib.Path(temporary)
        server = stack.enter_context(ZipkinServer(arguments.work / "zipkin-server.jar", server_port, folder))
        strategies = sampling.Strategies(folder / "strategies.json", ["node jaeger-env"])
        stack.enter_context(Daemon([arguments.sluice], sluice_config(doors, sink, server_port, strategies.path),
                                   int(doors["zipkin"].split(":")[1]), folder, "sluice"))
        server.wait()
        run = Doors(arguments, sink, server, doors)
        span_cases = [*cases.JAEGER, *cases.ZIPKIN, *cases.OPENTELEMETRY]
        run.start([*span_cases, *sampling.CASES], strategies.changed_after)
        run.finish()
        for case in span_cases:
            run.case(name_of(case), lambda: run.check(case))
        for case in sampling.CASES:
            run.case(name_of(case), lambda: case.check(run.programs[case.program].answer(case.service)))
        run.case("OTLP to a Zipkin server", lambda: otlp.check(run, doors["otlp"]))
    sink.stop()
    print(f"{run.passed} passed, {run.failed} failed")
    return 1 if run.failed or not run.passed else 0


if __name__ == "__main__":
    sys.exit(main())

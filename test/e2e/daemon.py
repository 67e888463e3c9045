"""Starts the binary under test with a configuration, and speaks HTTP to it. Standard library alone."""
import gzip
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time

BINARY = ""
DEADLINE = 30  # seconds; a sanitizer build on a busy machine is slow

# Parts of most configurations; a Daemon puts its ports in.
OWN = """
extensions:
  health_check: {endpoint: "127.0.0.1:{health}"}
service:
  extensions: [health_check]
  telemetry:
    metrics: {readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: {metrics}}}}}]}
"""
DOORS = """
receivers:
  otlp:
    protocols:
      grpc: {endpoint: "127.0.0.1:{grpc}"}
      http: {endpoint: "127.0.0.1:{http}"}
"""


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(type=kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(*arguments, **environment):
    """The binary to its end: (exit code, standard output, standard error)."""
    ended = subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=DEADLINE,
                           env={**os.environ, **environment})
    return ended.returncode, ended.stdout, ended.stderr


def request(port, method, path, body=None, headers=None):
    """(status, headers with lower-case names, body) of one HTTP request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
    finally:
        connection.close()


def post(port, spans, path="/v1/traces", compress=False, service="shop"):
    """Sends `spans` (OTLP/JSON objects) as one request."""
    body = json.dumps({"resourceSpans": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]},
        "scopeSpans": [{"scope": {"name": "e2e"}, "spans": spans}]}]}).encode()
    headers = {"content-type": "application/json"}
    if compress:
        body, headers["content-encoding"] = gzip.compress(body), "gzip"
    return request(port, "POST", path, body, headers)


def span(number, **more):
    """A span whose ids hold its number."""
    return {"traceId": f"{number:032x}", "spanId": f"{number:016x}", "name": f"span {number}", "kind": 2,
            "startTimeUnixNano": "1700000000000000000", "endTimeUnixNano": "1700000000001000000", **more}


def spans_of(path):
    """All spans in a file of OTLP/JSON lines."""
    found = []
    for line in pathlib.Path(path).read_text().splitlines():
        for resource in json.loads(line).get("resourceSpans", []):
            for scope in resource.get("scopeSpans", []):
                found += scope.get("spans", [])
    return found


class Daemon:
    """One running sluice. `configuration` may name {http}, {grpc}, {health}, {metrics} (ports) and {dir}."""

    def __init__(self, configuration, arguments=(), ready=True, **names):
        self.folder = tempfile.TemporaryDirectory(prefix="sluice-e2e-")
        self.dir = self.folder.name
        for name in ("http", "grpc", "health", "metrics"):
            setattr(self, name, free_port())
        for name, value in names.items():
            setattr(self, name, value)
        self.log_path = os.path.join(self.dir, "log")
        command = [BINARY]
        if configuration is not None:
            path = os.path.join(self.dir, "sluice.yaml")
            text = configuration
            for name in ("http", "grpc", "health", "metrics", "dir", *names):
                text = text.replace("{%s}" % name, str(getattr(self, name)))
            pathlib.Path(path).write_text(text)
            command += ["--config", path]
        command += [each.format(**{k: v for k, v in vars(self).items() if k != "folder"}) for each in arguments]
        self.log_file = open(self.log_path, "w")
        self.process = subprocess.Popen(command, stdout=self.log_file, stderr=subprocess.STDOUT, cwd=self.dir)
        if ready:
            try:
                self.wait_until(self.is_ready, "ready")
            except BaseException:
                self.close()
                raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log_file.close()
        self.folder.cleanup()

    def is_ready(self):
        try:
            return request(self.health, "GET", "/ready")[0] == 200
        except OSError:
            return False

    def wait_until(self, condition, what):
        end = time.monotonic() + DEADLINE
        while not condition():
            if self.process.poll() is not None:
                raise AssertionError(f"sluice ended with {self.process.returncode}:\n{self.log()}")
            if time.monotonic() > end:
                raise AssertionError(f"waited in vain for: {what}\n{self.log()}")
            time.sleep(0.01)

    def log(self):
        return pathlib.Path(self.log_path).read_text()

    def metric(self, name, **labels):
        """The sum over all series of `name` that carry `labels`."""
        total = 0.0
        for line in request(self.metrics, "GET", "/metrics")[2].decode().splitlines():
            if not line.startswith((name + " ", name + "{")):
                continue
            if all(f'{key}="{value}"' in line for key, value in labels.items()):
                total += float(line.rsplit(" ", 1)[1])
        return total

    def pause(self):
        """Stops the process where it is; sent to its sockets, what comes stays there."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def terminate(self):
        """Asks it to stop and waits: its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE)

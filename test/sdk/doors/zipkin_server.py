"""A real Zipkin server on loopback, up while the `with` lasts, and its query API."""
import json
import os
import subprocess
import urllib.error
import urllib.request

from daemon import wait_for


class ZipkinServer:
    def __init__(self, jar, port, folder):
        self.port = port
        self.log = folder / "zipkin.log"
        self.command = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-jar", str(jar),
                        "--armeria.ports[0].ip=127.0.0.1", f"--armeria.ports[0].port={port}",
                        "--armeria.ports[0].protocols[0]=http"]

    def __enter__(self):
        environment = {**os.environ, "STORAGE_TYPE": "mem", "SELF_TRACING_ENABLED": "false"}
        self.process = subprocess.Popen(self.command, env=environment, stdout=self.log.open("w"),
                                        stderr=subprocess.STDOUT)
        return self

    def __exit__(self, *_):
        self.process.kill()  # it keeps nothing that would be lost
        self.process.wait(30)

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return json.load(answer)

    def healthy(self):
        assert self.process.poll() is None, f"the Zipkin server ended:\n{self.log.read_text()[-4000:]}"
        try:
            return self.get("/health")["status"] == "UP"
        except OSError:
            return False

    def wait(self):
        wait_for(self.healthy, 60, "the Zipkin server")

    def trace(self, trace_id, count):
        """The spans of a trace, once there are `count`."""
        spans = []

        def arrived():
            try:
                spans[:] = self.get(f"/api/v2/trace/{trace_id}")
            except urllib.error.HTTPError as error:
                assert error.code == 404, error
            return len(spans) >= count

        try:
            wait_for(arrived, 20, f"{count} spans in Zipkin")
        except AssertionError as error:
            raise AssertionError(f"{error}, got {len(spans)}") from None
        return spans

"""Programs under test: free ports for them, waits with an end, and a `with` that starts and stops one."""
import contextlib
import socket
import subprocess
import time


def free_ports(count, kind=socket.SOCK_STREAM):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket(type=kind)) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.02)


def listening(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Daemon:
    """A program with a configuration file, up while the `with` lasts; ended by SIGTERM, exit code checked."""

    def __init__(self, command, config, port, folder, name):
        path = folder / f"{name}.yaml"
        path.write_text(config)
        self.log = folder / f"{name}.log"
        self.command, self.port = command + ["--config", str(path)], port

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=self.log.open("w"), stderr=subprocess.STDOUT)
        wait_for(lambda: listening(self.port) or self.process.poll() is not None, 30, f"port {self.port}")
        if self.process.poll() is not None:
            raise AssertionError(f"{self.command[0]} ended at once:\n{self.log.read_text()}")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        code = self.process.wait(30)
        if code != 0:
            raise AssertionError(f"{self.command[0]} ended with {code}:\n{self.log.read_text()[-4000:]}")

"""Remote sampling: what the clients make of the strategies that sluice serves, before and after the file changes."""
import dataclasses
import json
import os
import threading

KEEPS_ALL_BUT = {"type": "probabilistic", "param": 1.0, "operation_strategies": [
    {"operation": "dropped", "type": "probabilistic", "param": 0.0}]}
LIMITED = {"type": "ratelimiting", "param": 100}


@dataclasses.dataclass
class Case:
    """The client asks for its strategy until the operation "kept" is kept; then it asks about "dropped"."""
    program: str
    client: str
    door: str
    kind: str = "probabilistic"  # of the decision, as the client's tags say; "" where it has none
    content: dict = dataclasses.field(default_factory=dict)

    @property
    def service(self):
        return f"{self.program} {self.client}"

    def check(self, answer):
        assert answer["kept"], "the strategy never arrived"
        if self.kind == "ratelimiting":
            want = {"type": "ratelimiting", "param": 100}
        else:
            want = {"dropped": False, **({"type": "probabilistic", "param": 1} if self.kind else {})}
        got = {key: answer.get(key) for key in want}
        assert got == want, f"{got} instead of {want}"


CASES = [
    Case("python-old", "sampling", "sampling"),
    Case("node", "sampling", "sampling"),
    Case("go", "sampling", "sampling"),
    Case("java", "sampling", "sampling"),
    Case("go", "otelsampling", "sampling", ""),
    Case("java", "otelsampling", "sampling_grpc", ""),
    # Served by the default strategy, which keeps nothing, until the file has changed.
    Case("go", "sampling-changed", "sampling", "ratelimiting"),
]


class Strategies:
    """The file: without the service of the last case at first. `others`: services beside those of the cases."""

    def __init__(self, path, others):
        self.path, self.lock = path, threading.Lock()
        self.kept = [{"service": service, **KEEPS_ALL_BUT}
                     for service in [*others, *(case.service for case in CASES[:-1])]]
        self.write(self.kept)

    def write(self, services):
        text = json.dumps({"default_strategy": {"type": "probabilistic", "param": 0.0}, "service_strategies": services})
        beside = self.path.with_suffix(".new")
        beside.write_text(text)
        os.replace(beside, self.path)

    def changed_after(self, answer):
        """Changes the file once a client has been served from the first one."""
        if "kept" in answer:
            with self.lock:
                self.write([*self.kept, {"service": CASES[-1].service, **LIMITED}])

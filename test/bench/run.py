#!/usr/bin/env python3
"""Measures what sluice costs per span, beside a bare TCP relay and, where one is given, the OpenTelemetry Collector.

usage: test/bench/run.py [--build build/release] [--collector BINARY] [LANE...]

The program under test has core 0, generator and sink core 1. The figure is its CPU time per span: steadier than
throughput, and still only good as a ratio within one run. A lane in which spans were lost shows no figure.

`agent…` is sluice alone as an agent with loadbalancing before three members (…b: with a batch processor ahead of it),
`sampler…` as one of these, which holds spans for ten seconds and keeps a tenth of the traces. They run when they are named."""
import argparse
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

LANES = {  # name: generator options, exporter compression, can a relay do it
    "grpc512": (["--batch", "512", "--rate", "150000"], "none", True),
    "grpc100": (["--batch", "100", "--rate", "150000"], "none", True),
    "grpc10": (["--batch", "10", "--rate", "100000", "--total", "300000"], "none", True),
    "http": (["--protocol", "http", "--rate", "100000"], "none", False),
    "gunzip": (["--compression", "gzip", "--rate", "80000"], "none", False),
    "gzip": (["--compression", "gzip", "--rate", "80000", "--total", "500000"], "gzip", False),
    "saturated": (["--batch", "512", "--total", "3000000"], "none", True),
}
TIER = {  # name: generator options, processors, exporter
    **{f"agent{size}": (["--batch", size, "--rate", "100000"], [], "loadbalancing") for size in ("512", "100")},
    **{f"agent{size}b": (["--batch", size, "--rate", "100000"], ["batch"], "loadbalancing") for size in ("512", "100")},
    **{f"sampler{size}": (["--batch", size, "--rate", "50000", "--total", "1500000"], ["tail_sampling"], "otlp")
       for size in ("2730", "512", "171", "100", "33")},
}
MEMBERS = 3
CONFIG = """
receivers:
  otlp:
    protocols:
      grpc: {{endpoint: "127.0.0.1:{grpc}", max_recv_msg_size_mib: 64}}
      http: {{endpoint: "127.0.0.1:{http}"}}
processors:
  batch: {{send_batch_size: 8192, timeout: 200ms}}
  tail_sampling:
    decision_wait: 10s
    num_traces: 1000000
    policies:
      - {{name: errors, type: status_code, status_code: {{status_codes: [ERROR]}}}}
      - {{name: slow, type: latency, latency: {{threshold_ms: 60000}}}}
      - {{name: share, type: probabilistic, probabilistic: {{sampling_percentage: 10}}}}
exporters:
  otlp: {{endpoint: "127.0.0.1:{sink}", compression: {compression}, tls: {{insecure: true}}}}
  loadbalancing:
    protocol: {{otlp: {{compression: none, tls: {{insecure: true}}}}}}
    resolver: {{static: {{hostnames: {members}}}}}
service:
  telemetry: {{metrics: {{level: none}}, logs: {{level: warn}}}}
  pipelines:
    traces: {{receivers: [otlp], processors: {processors}, exporters: [{exporter}]}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_port(port):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.001)
    sys.exit(f"nothing listens on port {port}")


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mb(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return round(int(line.split()[1]) / 1000, 1)


def on_core(core, command, **options):
    return subprocess.Popen(["taskset", "-c", str(core)] + command, **options)


def start_sink(load, port):
    sink = on_core(1, [load, "sink", "--listen", f"127.0.0.1:{port}"], stdout=subprocess.PIPE, text=True)
    wait_port(port)
    return sink


def spans_at(sink):
    sink.send_signal(signal.SIGUSR1)
    return json.loads(sink.stdout.readline())["spans"]


def measure(command, port, sink_ports, load, options, kept=1.0, settle=1):
    sinks = [start_sink(load, each) for each in sink_ports]
    tested = on_core(0, command, stderr=subprocess.DEVNULL)
    try:
        wait_port(port)
        time.sleep(1)
        before = cpu_seconds(tested.pid)
        idle = peak_mb(tested.pid)
        run = on_core(1, [load, "generate", "--to", f"127.0.0.1:{port}"] + options, stdout=subprocess.PIPE, text=True)
        sent = json.loads(run.communicate()[0])
        arrived, last = 0, -1
        while arrived < sent["ok"] and arrived != last:  # what is on its way gets there within the batch timeout
            last = arrived
            time.sleep(settle)
            arrived = sum(map(spans_at, sinks))
        spent = cpu_seconds(tested.pid) - before
        lost = round(kept * sent["ok"]) - arrived
        good = lost <= 0 if kept == 1.0 else abs(lost) < 0.1 * arrived
        return {"cpu_us_per_span": round(spent / sent["ok"] * 1e6, 3) if good else None, "lost": lost if kept == 1.0 else None,
                "failed": sent["failed"], "spans_per_s": sent["spans_per_s"], "bytes_per_span": sent["bytes_per_span"],
                "idle_mb": idle, "peak_mb": peak_mb(tested.pid)}
    finally:
        for process in (tested, *sinks):
            process.terminate()
            process.wait(20)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build/release", type=pathlib.Path)
    parser.add_argument("--collector")
    parser.add_argument("lanes", nargs="*", default=[])
    arguments = parser.parse_args()
    load, relay = str(arguments.build / "test/bench_load"), str(arguments.build / "test/bench_relay")
    with tempfile.TemporaryDirectory() as folder:
        for lane in arguments.lanes or LANES:
            options, compression, relayed = LANES.get(lane, (None, "none", False))
            processors, exporter = ["batch"], "otlp"
            if lane in TIER:
                options, processors, exporter = TIER[lane]
            grpc, http, *sinks = (free_port() for _ in range(2 + (MEMBERS if exporter == "loadbalancing" else 1)))
            config = pathlib.Path(folder) / "config.yaml"
            config.write_text(CONFIG.format(grpc=grpc, http=http, sink=sinks[0], compression=compression, exporter=exporter,
                                            processors=json.dumps(processors),
                                            members=json.dumps([f"127.0.0.1:{each}" for each in sinks])))
            port = http if "http" in options else grpc
            tested = {"relay": [relay, str(port), str(sinks[0])]} if relayed else {}
            if arguments.collector and lane in LANES:
                tested["collector"] = [arguments.collector, "--config", str(config)]
            tested["sluice"] = [str(arguments.build / "sluice"), "--config", str(config)]
            # What a sampler holds at the end of the load is decided after its wait.
            sampled = {"kept": 0.1, "settle": 12} if "tail_sampling" in processors else {}
            for name, command in tested.items():
                print(json.dumps({"lane": lane, "of": name} | measure(command, port, sinks, load, options, **sampled)),
                      flush=True)


if __name__ == "__main__":
    main()

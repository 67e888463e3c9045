"""What comparisons of processors with the collector's have in common: every case is a pipeline of its own, all of which get
the same requests, with a path of its own at the sink."""
import argparse
import http.client
import pathlib


def config(port, sink_port, processors):
    """`processors`: of each case its type and its options."""
    blocks, exporters, chains = "", "", ""
    for number, (kind, options) in enumerate(processors):
        name = f"c{number}"
        blocks += f"  {kind}/{name}: {options}\n"
        exporters += (f'  otlp_http/{name}: {{endpoint: "http://127.0.0.1:{sink_port}/{name}", compression: none, '
                      "sending_queue: {queue_size: 10000}, retry_on_failure: {initial_interval: 100ms}}\n")
        chains += (f"    traces/{name}: {{receivers: [otlp], processors: [{kind}/{name}], "
                   f"exporters: [otlp_http/{name}]}}\n")
    return (f'receivers:\n  otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{port}"}}}}}}\n'
            f"processors:\n{blocks}exporters:\n{exporters}"
            f"service:\n  telemetry: {{metrics: {{level: none}}}}\n  pipelines:\n{chains}")


def post(name, port, bodies):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for body in bodies:
        connection.request("POST", "/v1/traces", body, {"Content-Type": "application/x-protobuf"})
        response = connection.getresponse()
        answer = response.read()
        assert response.status == 200, f"{name} answered {response.status} {answer}"
    connection.close()


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sluice", required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--seed", type=int, default=1)
    read = parser.parse_args()
    print(f"seed {read.seed}", flush=True)
    return read


def report(labels, compare):
    """`compare`: of the number of a case what to say of it, or an AssertionError. The exit code."""
    failed = 0
    for number, label in enumerate(labels):
        try:
            print(f"ok      {label}: {compare(number)}", flush=True)
        except AssertionError as error:
            print(f"FAILED  {label}: {error}", flush=True)
            failed += 1
    print(f"{len(labels) - failed} passed, {failed} failed")
    return 1 if failed or not labels else 0

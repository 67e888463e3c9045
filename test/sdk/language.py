#!/usr/bin/env python3
"""filter, transform and the connector forward beside the OpenTelemetry Collector's: the same requests, the same options, the
same spans.

usage: language.py --sluice BINARY --work FOLDER [--only TEXT] [--seed NUMBER]

As processors.py does it. Cases with `propagate` have a sluice and a collector each of their own, since they refuse requests;
they must refuse the same ones. At the end a filter gets 100,000 spans.
Prepared by test/run.sh: FOLDER holds venv/ and otelcol."""
import pathlib
import sys
import tempfile

import beside
import language_cases
from random_spans import random_requests
from random_traces import RandomTraces

REQUESTS = 150
MANY_TRACES, MANY = 24_000, 100_000


def run(arguments, cases, requests, refusals=False):
    sides = beside.sides(arguments, [(case.processor, case.options) for case in cases])
    with tempfile.TemporaryDirectory() as temporary:
        for side in sides:
            side.run(requests, pathlib.Path(temporary), refusals)
    return sides


def compare_alone(arguments, case, requests):
    sides = run(arguments, [case], requests, refusals=True)
    ours, theirs = ([status == 200 for status in side.answers] for side in sides)
    assert ours == theirs, f"sluice took {sum(ours)} of {len(ours)} requests, the collector {sum(theirs)}"
    assert 0 < sum(ours) < len(ours), f"{sum(ours)} of {len(ours)} requests were taken"
    return f"{sum(ours)} of {len(ours)} requests, " + beside.compare(sides, 0)


def compare_many(arguments, case):
    traces = RandomTraces(arguments.seed, MANY_TRACES, 200)
    total = sum(map(len, traces.spans.values()))
    assert total >= MANY, f"{total} spans"
    sides = run(arguments, [case], traces.requests)
    return f"of {total} spans " + beside.compare(sides, 0)


def main():
    arguments = beside.arguments()

    def wanted(cases):
        return [case for case in cases if arguments.only in case.label]

    together, alone, many = map(wanted, (language_cases.TOGETHER, language_cases.ALONE, language_cases.MANY))
    requests = random_requests(arguments.seed, REQUESTS, 12)
    sides = run(arguments, together, requests)
    few = random_requests(arguments.seed, REQUESTS, 3)

    def compared(number):
        if number < len(together):
            return beside.compare(sides, number)
        if number < len(together) + len(alone):
            return compare_alone(arguments, alone[number - len(together)], few)
        return compare_many(arguments, many[number - len(together) - len(alone)])

    return beside.report([case.label for case in together + alone + many], compared)


if __name__ == "__main__":
    sys.exit(main())

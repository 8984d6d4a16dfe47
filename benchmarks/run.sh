#!/usr/bin/env bash
# Runs a benchmark of the serving path and prints its table. The machine should do nothing else.
#
#   benchmarks/run.sh pipeline-latency [BYTES…]           docs/pipeline-latency.md
#   benchmarks/run.sh live-dispatch [TURNS [SECONDS [ROBOTS…]]]  docs/dispatch.md
#   benchmarks/run.sh batching [POLICY [OPTION=VALUE…]]   docs/dispatch.md
#
# Without arguments it is what the page shows. JAVA_HOME is a JDK 25.

set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/.."
case "${1:-}" in
  pipeline-latency) main=stream.PipelineLatencyBenchmark ;;
  live-dispatch) main=stream.LiveDispatchBenchmark ;;
  batching) main=engine.BatchingBenchmark ;;
  *)
    sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
shift
log=target/benchmarks.log
mkdir -p target
if ! ./mvnw -B -ntp -pl tests -am test-compile dependency:build-classpath \
  -Dspotless.check.skip=true -Dmdep.outputFile=target/test-classpath </dev/null >"$log" 2>&1; then
  grep -E '^\[ERROR\]' "$log" | head -n 20 >&2
  exit 1
fi
# shellcheck disable=SC2086  # several flags in one variable
exec "${JAVA_HOME:+$JAVA_HOME/bin/}java" --enable-native-access=ALL-UNNAMED \
  --sun-misc-unsafe-memory-access=allow -Djava.awt.headless=true ${PI0_JAVA_OPTS:-} \
  -cp "tests/target/test-classes:$(cat tests/target/test-classpath)" \
  "dev.pi0stream.tests.$main" "$@"

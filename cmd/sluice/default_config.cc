#include "cmd/sluice/default_config.h"

namespace sluice {

const std::string_view default_config = R"(receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 127.0.0.1:4317
      http:
        endpoint: 127.0.0.1:4318
processors:
  batch:
exporters:
  file:
    path: ${env:SLUICE_TRACES:-sluice-traces.jsonl}
    rotation:
      max_megabytes: 100
      max_backups: 3
  debug:
    verbosity: basic
extensions:
  health_check:
service:
  extensions: [health_check]
  pipelines:
    traces:
      receivers: [otlp]
      processors: [batch]
      exporters: [file, debug]
)";

}  // namespace sluice

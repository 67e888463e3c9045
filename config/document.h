#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/error.h"
#include "config/node.h"

namespace sluice::config {

/// "batch/small": what a component is called in its section and in the pipelines.
struct ComponentId {
  std::string text;
  std::string type() const { return text.substr(0, text.find('/')); }
};

struct ComponentRef {
  std::string id;
  Position position;
};

struct PipelineSection {
  std::string id;  ///< "traces/fast"
  Position position;
  std::vector<ComponentRef> receivers, processors, exporters;
};

struct PrometheusReader {
  std::string host = "localhost";
  std::uint16_t port = 8888;
};

struct ServiceSection {
  std::vector<PipelineSection> pipelines;
  std::vector<ComponentRef> extensions;
  std::string logs_level = "info";
  std::string logs_encoding = "console";
  std::string metrics_level = "normal";
  std::vector<PrometheusReader> prometheus = {{}};
  /// Attributes of what sluice says about itself; an empty value removes a default one.
  std::vector<std::pair<std::string, std::string>> resource;
  std::string admin_endpoint;         ///< service.admin.endpoint; empty: none
  std::uint64_t in_flight_bytes = 0;  ///< service.limits.in_flight; 0: the default
  std::chrono::nanoseconds drain_timeout = std::chrono::seconds(10);
};

/// One configuration: the sections with their components, cross-references checked.
struct Document {
  std::vector<std::pair<ComponentId, Node>> receivers, processors, exporters, connectors,
      extensions;
  ServiceSection service;
};

struct LoadOptions {
  std::vector<std::string> configs;  ///< paths, or "file:…", "env:NAME", "yaml:…"
  std::vector<std::string> sets;     ///< "a.b=c", "a::b=c"
  bool traces_only = false;
  std::string built_in;  ///< the text used when `configs` is empty
};

/// Reads, merges, expands and checks. Every mistake goes to `problems`; the document is usable only
/// when there are no errors. Types of components are checked by the graph. Components that no
/// pipeline uses are a warning and stay, so that their options are checked too; with `traces_only`,
/// those that only pipelines of other signals use are left out.
Document load(const LoadOptions& options, Problems& problems);

/// The same from one YAML text, for tests.
Document load_text(std::string_view text, std::string file, Problems& problems,
                   bool traces_only = false);

}  // namespace sluice::config

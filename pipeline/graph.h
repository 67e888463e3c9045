#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/document.h"
#include "pipeline/component.h"
#include "pipeline/net/event_loop.h"
#include "pipeline/net/server.h"

namespace sluice {

/// Every type of component there is; filled by cmd/sluice/components.cc, the only file that knows them.
struct ComponentTable {
  std::vector<ReceiverType> receivers;
  std::vector<ProcessorType> processors;
  std::vector<ExporterType> exporters;
  std::vector<ExtensionType> extensions;
};

/// What the graph borrows from `main`, so that a reload can hand it to the next one.
struct Surroundings {
  net::EventLoops& loops;
  net::Listeners& listeners;
  Ledger& ledger;
  Metrics& metrics;
};

/// The pipelines of one configuration: exporters once, processors per pipeline and worker, receivers
/// once with a fan-out into the pipelines that name them.
class Graph {
 public:
  /// Decodes every component and connects them; no I/O. Mistakes go to the document's problems; null
  /// when there are any.
  static std::unique_ptr<Graph> build(const config::Document& document, const ComponentTable& table,
                                      const Surroundings& surroundings, config::Problems& problems);
  virtual ~Graph() = default;

  /// Exporters, processors, extensions, receivers. False with a sentence in `error`; what was started is
  /// stopped again by the destructor.
  virtual bool start(std::string& error) = 0;
  /// Receivers, then processors along each pipeline, then exporters; what is not delivered by the
  /// deadline is dropped and counted. Returns the spans that were left.
  virtual std::uint64_t stop(std::chrono::nanoseconds deadline) = 0;
};

}  // namespace sluice

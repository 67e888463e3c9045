#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "config/document.h"
#include "pipeline/component.h"
#include "pipeline/net/event_loop.h"
#include "pipeline/net/server.h"

namespace sluice {

/// Every type of component there is; filled by cmd/sluice/components.cc, the only file that knows
/// them.
struct ComponentTable {
  std::vector<ReceiverType> receivers;
  std::vector<ProcessorType> processors;
  std::vector<ExporterType> exporters;
  std::vector<ConnectorType> connectors;
  std::vector<ExtensionType> extensions;
};

/// What the graph borrows from `main`, so that a reload can hand it to the next one.
struct Surroundings {
  net::EventLoops& loops;
  net::Listeners& doors;  ///< of the receivers: closed first when the daemon stops
  net::Listeners& own;    ///< of the extensions and the own metrics: they answer while it drains
  Ledger& ledger;
  Metrics& metrics;
  Admin* admin = nullptr;
};

/// The pipelines of one configuration: exporters once, processors per pipeline and worker,
/// connectors per worker, receivers once with a fan-out into the pipelines that name them. Its
/// verbs are called from one thread that is none of the loops'. It is destroyed after the loops
/// have stopped.
class Graph {
 public:
  /// Decodes every component and connects them; no I/O. Mistakes go to `problems`; null when there
  /// are any.
  static std::unique_ptr<Graph> build(const config::Document& document, const ComponentTable& table,
                                      const Surroundings& surroundings, config::Problems& problems);
  virtual ~Graph() = default;

  /// With the loops running: exporters, processors, extensions, receivers, then the doors. False
  /// with a sentence in `error`; what was started goes with the graph.
  virtual bool start(std::string& error) = 0;
  /// Closes the doors, then stops the receivers, the processors and connectors along the way of the
  /// spans, then the exporters; what is not delivered by the deadline, or when `hurry` asks, is
  /// left. Returns how many spans that are.
  virtual std::uint64_t stop(std::chrono::nanoseconds deadline, std::stop_token hurry) = 0;
};

}  // namespace sluice

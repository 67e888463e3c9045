#include "pipeline/graph.h"

#include <algorithm>
#include <map>
#include <utility>

#include "config/connections.h"
#include "pipeline/countdown.h"
#include "pipeline/fanout.h"
#include "pipeline/graph_parts.h"
#include "pipeline/stages.h"

namespace sluice {
namespace {

using config::ComponentRef;
using config::Document;
using config::PipelineSection;

/// What spans can be handed to: an exporter, or a pipeline or connector with all that comes behind.
struct Sink {
  std::vector<Consumer*> by_worker;
  std::size_t steps = 0;       ///< from here to the farthest exporter
  bool reads_context = false;  ///< some component here or behind does
};

/// Declared, and so destroyed, such that whoever may still answer goes before whoever waits for the
/// answer: exporters, then processors and connectors against the way of the spans, then receivers.
class PipelineGraph final : public Graph {
 public:
  PipelineGraph(const Document& document, const GraphParts& parts, const Surroundings& surroundings,
                config::Problems& problems);

  bool start(std::string& error) override;
  std::uint64_t stop(std::chrono::nanoseconds deadline, std::stop_token hurry) override;

 private:
  using TimePoint = std::chrono::steady_clock::time_point;

  void build_exporters(const Document& document, const GraphParts& parts);
  Sink build_pipeline(const PipelineSection& section, const Document& document,
                      const GraphParts& parts);
  const Sink& connector(const std::string& id, const Document& document, const GraphParts& parts);
  Sink build_stages(std::string_view kind, const std::string& id, const Sink& next,
                    const Decoded<ProcessorBuilder>& decoded);
  void build_receivers(const Document& document, const GraphParts& parts,
                       config::Problems& problems);
  void build_extensions(const Document& document, const GraphParts& parts,
                        config::Problems& problems);
  Sink join(const std::vector<Sink>& sinks);
  SpanCounters& counters(std::string_view kind, const std::string& id);
  ComponentContext context(const std::string& id, Executor& executor) const {
    return {id, executor, around_.metrics, around_.ledger};
  }

  void set_ready(bool ready);
  void stop_receivers(TimePoint limit, std::stop_token hurry);
  void stop_exporters(TimePoint limit, std::stop_token hurry);
  std::uint64_t held() const;

  Surroundings around_;
  std::map<std::pair<std::string, std::string>, std::unique_ptr<SpanCounters>> counters_;
  std::vector<std::pair<std::string, std::unique_ptr<Extension>>> extensions_;
  std::vector<std::pair<std::string, std::unique_ptr<Receiver>>> receivers_;
  std::vector<std::unique_ptr<Consumer>> fanouts_;
  std::vector<Sink> pipelines_;  ///< in the order of the file
  std::map<std::string, Sink> connectors_;
  Stages stages_;
  struct OwnedExporter {
    Executor* executor;
    std::unique_ptr<Exporter> exporter;
    Sink sink;
  };
  std::map<std::string, OwnedExporter> exporters_;
};

bool names(const std::vector<ComponentRef>& references, std::string_view id) {
  return std::any_of(references.begin(), references.end(),
                     [&](const auto& each) { return each.id == id; });
}

/// What came up while a component was built, as mistakes in its place of the file.
void report(const std::vector<std::string>& errors, std::string_view section,
            const config::Node& node, const std::string& id, config::Problems& problems) {
  for (const std::string& error : errors) {
    problems.error(node.position(), std::string(section) + "." + id, error);
  }
}

PipelineGraph::PipelineGraph(const Document& document, const GraphParts& parts,
                             const Surroundings& surroundings, config::Problems& problems)
    : around_(surroundings), stages_(surroundings.loops) {
  build_exporters(document, parts);
  const auto& sections = document.service.pipelines;
  pipelines_.resize(sections.size());
  for (const std::size_t index : config::downstream_first(document)) {
    pipelines_[index] = build_pipeline(sections[index], document, parts);
  }
  build_receivers(document, parts, problems);
  build_extensions(document, parts, problems);
}

void PipelineGraph::build_exporters(const Document& document, const GraphParts& parts) {
  const auto& pipelines = document.service.pipelines;
  for (const auto& [id, node] : document.exporters) {
    const bool used = std::any_of(pipelines.begin(), pipelines.end(), [&id = id](const auto& each) {
      return names(each.exporters, id.text);
    });
    if (!used) continue;
    Executor& executor = around_.loops[exporters_.size() % around_.loops.size()];
    const ExporterContext given{context(id.text, executor), counters("exporter", id.text),
                                around_.loops};
    const Decoded<ExporterBuilder>& decoded = parts.exporters.at(id.text);
    std::unique_ptr<Exporter> exporter = decoded.build(given);
    const std::vector<Consumer*> by_worker(around_.loops.size(), exporter.get());
    exporters_.emplace(
        id.text,
        OwnedExporter{&executor, std::move(exporter), {by_worker, 0, decoded.reads_context}});
  }
}

/// From its end to its entry. What its connectors lead to has been built.
Sink PipelineGraph::build_pipeline(const PipelineSection& section, const Document& document,
                                   const GraphParts& parts) {
  std::vector<Sink> sinks;
  for (const ComponentRef& each : section.exporters) {
    const auto found = exporters_.find(each.id);
    sinks.push_back(found != exporters_.end() ? found->second.sink
                                              : connector(each.id, document, parts));
  }
  Sink entry = join(sinks);
  for (std::size_t place = section.processors.size(); place-- > 0;) {
    const std::string& id = section.processors[place].id;
    entry = build_stages("processor", id, entry, parts.processors.at(id));
  }
  return entry;
}

const Sink& PipelineGraph::connector(const std::string& id, const Document& document,
                                     const GraphParts& parts) {
  if (const auto found = connectors_.find(id); found != connectors_.end()) return found->second;
  std::vector<Sink> exits;
  std::vector<std::string> pipelines;
  for (std::size_t i = 0; i < pipelines_.size(); ++i) {
    const PipelineSection& section = document.service.pipelines[i];
    if (!names(section.receivers, id)) continue;
    exits.push_back(pipelines_[i]);
    pipelines.push_back(section.id);
  }
  const Decoded<ConnectorBuilder>& decoded = parts.connectors.at(id);
  const auto build = [&](const ProcessorContext& given) {
    ConnectorContext context{given, {}};
    for (std::size_t i = 0; i < exits.size(); ++i)
      context.exits.push_back({pipelines[i], exits[i].by_worker[given.worker]});
    return decoded.build(context);
  };
  Sink entry = build_stages("connector", id, join(exits), {build, decoded.reads_context});
  return connectors_.emplace(id, std::move(entry)).first->second;
}

/// A processor or connector before `next`, one a worker.
Sink PipelineGraph::build_stages(std::string_view kind, const std::string& id, const Sink& next,
                                 const Decoded<ProcessorBuilder>& decoded) {
  Sink sink{{}, next.steps + 1, next.reads_context || decoded.reads_context};
  Siblings siblings(around_.loops.size());
  for (std::size_t worker = 0; worker < around_.loops.size(); ++worker) {
    const ProcessorContext given{context(id, around_.loops[worker]),
                                 counters(kind, id),
                                 *next.by_worker[worker],
                                 siblings,
                                 worker,
                                 around_.admin};
    std::unique_ptr<Processor> stage = decoded.build(given);
    sink.by_worker.push_back(stage.get());
    stages_.add(worker, sink.steps, std::move(stage));
  }
  return sink;
}

/// The one, or a fan-out into all.
Sink PipelineGraph::join(const std::vector<Sink>& sinks) {
  if (sinks.size() == 1) return sinks.front();
  Sink joined;
  for (const Sink& each : sinks) {
    joined.steps = std::max(joined.steps, each.steps);
    joined.reads_context |= each.reads_context;
  }
  for (std::size_t worker = 0; worker < around_.loops.size(); ++worker) {
    std::vector<Consumer*> next;
    for (const Sink& each : sinks) next.push_back(each.by_worker[worker]);
    fanouts_.push_back(make_fanout(std::move(next)));
    joined.by_worker.push_back(fanouts_.back().get());
  }
  return joined;
}

void PipelineGraph::build_receivers(const Document& document, const GraphParts& parts,
                                    config::Problems& problems) {
  for (const auto& [id, node] : document.receivers) {
    std::vector<Sink> sinks;
    for (std::size_t i = 0; i < pipelines_.size(); ++i) {
      if (names(document.service.pipelines[i].receivers, id.text)) sinks.push_back(pipelines_[i]);
    }
    if (sinks.empty()) continue;
    Sink next = join(sinks);
    std::vector<std::string> errors;
    const ReceiverContext given{context(id.text, around_.loops[0]),
                                counters("receiver", id.text),
                                around_.doors,
                                std::move(next.by_worker),
                                next.reads_context,
                                &errors};
    receivers_.emplace_back(id.text, parts.receivers.at(id.text).build(given));
    report(errors, "receivers", node, id.text, problems);
  }
}

void PipelineGraph::build_extensions(const Document& document, const GraphParts& parts,
                                     config::Problems& problems) {
  for (const auto& [id, node] : document.extensions) {
    if (!names(document.service.extensions, id.text)) continue;
    std::vector<std::string> errors;
    const ExtensionContext given{context(id.text, around_.loops[0]), around_.own, around_.doors,
                                 around_.loops, &errors};
    extensions_.emplace_back(id.text, parts.extensions.at(id.text).build(given));
    report(errors, "extensions", node, id.text, problems);
  }
}

SpanCounters& PipelineGraph::counters(std::string_view kind, const std::string& id) {
  auto& slot = counters_[{std::string(kind), id}];
  if (!slot) slot = std::make_unique<SpanCounters>(around_.metrics, kind, id);
  return *slot;
}

/// `start` of one component on its own executor; its id goes before what it says.
template <typename Component>
bool start_one(Component& component, Executor& executor, std::string_view kind,
               const std::string& id, std::string& error) {
  bool started = false;
  run_on(executor, [&] { started = component.start(error); });
  if (!started) error = std::string(kind) + " " + id + ": " + error;
  return started;
}

bool PipelineGraph::start(std::string& error) {
  for (const auto& [id, owned] : exporters_) {
    if (!start_one(*owned.exporter, *owned.executor, "exporter", id, error)) return false;
  }
  stages_.start();
  for (const auto& [id, extension] : extensions_) {
    if (!start_one(*extension, around_.loops[0], "extension", id, error)) return false;
  }
  for (const auto& [id, receiver] : receivers_) {
    if (!start_one(*receiver, around_.loops[0], "receiver", id, error)) return false;
  }
  if (!around_.own.open(error) || !around_.doors.open(error)) return false;
  set_ready(true);
  return true;
}

std::uint64_t PipelineGraph::stop(std::chrono::nanoseconds deadline, std::stop_token hurry) {
  // A share of the time for each, so that a request that is never answered leaves the exporters
  // some.
  const TimePoint start = std::chrono::steady_clock::now();
  set_ready(false);
  stop_receivers(start + deadline / 2, hurry);
  stages_.stop(start + deadline * 3 / 4, hurry);
  stop_exporters(start + deadline, hurry);
  return held();
}

void PipelineGraph::set_ready(bool ready) {
  for (const auto& [id, extension] : extensions_) {
    run_on(around_.loops[0], [&extension = *extension, ready] { extension.ready(ready); });
  }
}

void PipelineGraph::stop_receivers(TimePoint limit, std::stop_token hurry) {
  // The doors first: until they are shut, other workers bring what had come through them, and a
  // receiver that has been stopped refuses it.
  Countdown shut;
  around_.doors.stop(limit - std::chrono::steady_clock::now(), shut.ticket());
  shut.wait_until(limit, hurry);
  Countdown stopped;
  for (const auto& [id, receiver] : receivers_) {
    around_.loops[0].post([each = receiver.get(), done = stopped.ticket()]() mutable {
      each->stop(std::move(done));
    });
  }
  stopped.wait_until(limit, hurry);
}

void PipelineGraph::stop_exporters(TimePoint limit, std::stop_token hurry) {
  Countdown stopped;
  for (const auto& [id, owned] : exporters_) {
    owned.executor->post([each = owned.exporter.get(), done = stopped.ticket()]() mutable {
      each->stop(std::move(done));
    });
  }
  stopped.wait_until(limit, hurry);
  // The extensions last: they answer until there is nothing more to say.
  for (const auto& [id, extension] : extensions_) {
    run_on(around_.loops[0], [&extension = *extension] { extension.stop(); });
  }
}

std::uint64_t PipelineGraph::held() const {
  std::uint64_t spans = 0;
  for (const auto& [id, owned] : exporters_) spans += owned.exporter->held();
  for (const auto& [key, each] : counters_) {
    if (key.first == "processor" || key.first == "connector")
      spans += static_cast<std::uint64_t>(std::max<std::int64_t>(each->held.value(), 0));
  }
  return spans;
}

}  // namespace

std::unique_ptr<Graph> Graph::build(const Document& document, const ComponentTable& table,
                                    const Surroundings& surroundings, config::Problems& problems) {
  const GraphParts parts = decode_parts(document, table);
  if (problems.any_errors()) return nullptr;
  auto graph = std::make_unique<PipelineGraph>(document, parts, surroundings, problems);
  if (problems.any_errors()) return nullptr;
  return graph;
}

}  // namespace sluice

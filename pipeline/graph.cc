#include "pipeline/graph.h"

#include <algorithm>
#include <map>
#include <utility>

#include "pipeline/countdown.h"
#include "pipeline/fanout.h"
#include "pipeline/graph_parts.h"

namespace sluice {
namespace {

using config::ComponentRef;
using config::Document;
using config::PipelineSection;

/// Declared, and so destroyed, such that whoever may still answer goes before whoever waits for the
/// answer: exporters, then processors from the last to the first, then receivers.
class PipelineGraph final : public Graph {
 public:
  PipelineGraph(const Document& document, const GraphParts& parts, const Surroundings& surroundings,
                config::Problems& problems);
  ~PipelineGraph() override;

  bool start(std::string& error) override;
  std::uint64_t stop(std::chrono::nanoseconds deadline, std::stop_token hurry) override;

 private:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// One pipeline on one worker.
  struct Lane {
    std::unique_ptr<Consumer> fanout;  ///< to the exporters; null where there is one alone
    std::vector<std::unique_ptr<Processor>> processors;
    Consumer* entry = nullptr;
  };
  struct Pipeline {
    std::string id;
    std::vector<Lane> lanes;  ///< by worker
  };

  void build_exporters(const Document& document, const GraphParts& parts);
  Pipeline build_pipeline(const PipelineSection& section, const GraphParts& parts);
  Lane build_lane(const PipelineSection& section, const GraphParts& parts, std::size_t worker,
                  std::vector<Siblings>& siblings);
  void build_receivers(const Document& document, const GraphParts& parts,
                       config::Problems& problems);
  void build_extensions(const Document& document, const GraphParts& parts,
                        config::Problems& problems);
  std::vector<Consumer*> entries_of(std::string_view receiver, const Document& document);
  SpanCounters& counters(std::string_view kind, const std::string& id);
  ComponentContext context(const std::string& id, Executor& executor) const {
    return {id, executor, around_.metrics, around_.ledger};
  }

  void set_ready(bool ready);
  void stop_receivers(TimePoint limit, std::stop_token hurry);
  void stop_processors(TimePoint limit, std::stop_token hurry);
  void stop_exporters(TimePoint limit, std::stop_token hurry);
  std::uint64_t held() const;

  Surroundings around_;
  std::map<std::pair<std::string, std::string>, std::unique_ptr<SpanCounters>> counters_;
  std::vector<std::pair<std::string, std::unique_ptr<Extension>>> extensions_;
  std::vector<std::pair<std::string, std::unique_ptr<Receiver>>> receivers_;
  std::vector<std::unique_ptr<Consumer>> receiver_fanouts_;
  std::vector<Pipeline> pipelines_;
  struct OwnedExporter {
    std::string id;
    Executor* executor;
    std::unique_ptr<Exporter> exporter;
  };
  std::vector<OwnedExporter> exporters_;
};

bool names(const std::vector<ComponentRef>& references, std::string_view id) {
  return std::any_of(references.begin(), references.end(),
                     [&](const auto& each) { return each.id == id; });
}

bool reads_context(const PipelineSection& pipeline, const GraphParts& parts) {
  const auto reads = [](const auto& section) {
    return [&section](const ComponentRef& each) { return section.at(each.id).reads_context; };
  };
  return std::any_of(pipeline.processors.begin(), pipeline.processors.end(),
                     reads(parts.processors)) ||
         std::any_of(pipeline.exporters.begin(), pipeline.exporters.end(), reads(parts.exporters));
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
    : around_(surroundings) {
  build_exporters(document, parts);
  for (const PipelineSection& section : document.service.pipelines) {
    pipelines_.push_back(build_pipeline(section, parts));
  }
  build_receivers(document, parts, problems);
  build_extensions(document, parts, problems);
}

PipelineGraph::~PipelineGraph() {
  exporters_.clear();
  for (Pipeline& pipeline : pipelines_) {
    for (Lane& lane : pipeline.lanes) {
      while (!lane.processors.empty()) lane.processors.pop_back();
    }
  }
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
    exporters_.push_back({id.text, &executor, parts.exporters.at(id.text).build(given)});
  }
}

PipelineGraph::Pipeline PipelineGraph::build_pipeline(const PipelineSection& section,
                                                      const GraphParts& parts) {
  Pipeline pipeline{section.id, {}};
  std::vector<Siblings> siblings(section.processors.size(), Siblings(around_.loops.size()));
  for (std::size_t worker = 0; worker < around_.loops.size(); ++worker) {
    pipeline.lanes.push_back(build_lane(section, parts, worker, siblings));
  }
  return pipeline;
}

PipelineGraph::Lane PipelineGraph::build_lane(const PipelineSection& section,
                                              const GraphParts& parts, std::size_t worker,
                                              std::vector<Siblings>& siblings) {
  Lane lane;
  std::vector<Consumer*> sinks;
  for (const ComponentRef& each : section.exporters) {
    const auto found =
        std::find_if(exporters_.begin(), exporters_.end(),
                     [&](const OwnedExporter& owned) { return owned.id == each.id; });
    sinks.push_back(found->exporter.get());
  }
  if (sinks.size() > 1) lane.fanout = make_fanout(sinks);
  lane.entry = lane.fanout ? lane.fanout.get() : sinks.front();

  for (std::size_t place = section.processors.size(); place-- > 0;) {
    const std::string& id = section.processors[place].id;
    const ProcessorContext given{context(id, around_.loops[worker]), counters("processor", id),
                                 *lane.entry, siblings[place], worker, around_.admin};
    lane.processors.push_back(parts.processors.at(id).build(given));
    lane.entry = lane.processors.back().get();
  }
  std::reverse(lane.processors.begin(), lane.processors.end());
  return lane;
}

/// By worker: the one pipeline that names the receiver, or a fan-out into all that do.
std::vector<Consumer*> PipelineGraph::entries_of(std::string_view receiver,
                                                 const Document& document) {
  std::vector<Consumer*> entries;
  for (std::size_t worker = 0; worker < around_.loops.size(); ++worker) {
    std::vector<Consumer*> lanes;
    for (std::size_t i = 0; i < pipelines_.size(); ++i) {
      if (!names(document.service.pipelines[i].receivers, receiver)) continue;
      lanes.push_back(pipelines_[i].lanes[worker].entry);
    }
    if (lanes.empty()) return {};
    if (lanes.size() > 1) {
      receiver_fanouts_.push_back(make_fanout(lanes));
      lanes = {receiver_fanouts_.back().get()};
    }
    entries.push_back(lanes.front());
  }
  return entries;
}

void PipelineGraph::build_receivers(const Document& document, const GraphParts& parts,
                                    config::Problems& problems) {
  const auto& pipelines = document.service.pipelines;
  for (const auto& [id, node] : document.receivers) {
    std::vector<Consumer*> next = entries_of(id.text, document);
    if (next.empty()) continue;
    const bool wants_context =
        std::any_of(pipelines.begin(), pipelines.end(), [&, &id = id](const auto& each) {
          return names(each.receivers, id.text) && reads_context(each, parts);
        });
    std::vector<std::string> errors;
    const ReceiverContext given{context(id.text, around_.loops[0]),
                                counters("receiver", id.text),
                                around_.doors,
                                std::move(next),
                                wants_context,
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
  for (const auto& [id, executor, exporter] : exporters_) {
    if (!start_one(*exporter, *executor, "exporter", id, error)) return false;
  }
  for (const Pipeline& pipeline : pipelines_) {
    for (std::size_t worker = 0; worker < pipeline.lanes.size(); ++worker) {
      const auto& processors = pipeline.lanes[worker].processors;
      run_on(around_.loops[worker], [&] {
        std::for_each(processors.rbegin(), processors.rend(),
                      [](const auto& each) { each->start(); });
      });
    }
  }
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
  stop_processors(start + deadline * 3 / 4, hurry);
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

/// The first processors of all pipelines, then the second ones …: what one hands on as it stops,
/// the next one takes.
void PipelineGraph::stop_processors(TimePoint limit, std::stop_token hurry) {
  bool any = true;
  for (std::size_t position = 0; std::exchange(any, false); ++position) {
    Countdown stopped;
    for (const Pipeline& pipeline : pipelines_) {
      for (std::size_t worker = 0; worker < pipeline.lanes.size(); ++worker) {
        const auto& processors = pipeline.lanes[worker].processors;
        if (position >= processors.size()) continue;
        any = true;
        around_.loops[worker].post(
            [each = processors[position].get(), done = stopped.ticket()]() mutable {
              each->stop(std::move(done));
            });
      }
    }
    stopped.wait_until(limit, hurry);
  }
}

void PipelineGraph::stop_exporters(TimePoint limit, std::stop_token hurry) {
  Countdown stopped;
  for (const auto& [id, executor, exporter] : exporters_) {
    executor->post([each = exporter.get(), done = stopped.ticket()]() mutable {
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
  for (const auto& [id, executor, exporter] : exporters_) spans += exporter->held();
  for (const auto& [key, each] : counters_) {
    if (key.first == "processor")
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

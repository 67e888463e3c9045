#include "config/pipelines.h"

#include <algorithm>
#include <initializer_list>
#include <set>

#include "config/component_id.h"

namespace sluice::config {
namespace {

using Components = std::vector<std::pair<ComponentId, Node>>;

const std::vector<std::string> signals = {"traces", "metrics", "logs", "profiles"};

std::vector<ComponentRef> decode_references(const Node& list) {
  std::vector<ComponentRef> references;
  std::set<std::string> seen;
  for (const Node& item : list.list()) {
    const std::string text = item.as_string();
    const auto id = parse_component_id(text);
    if (!id) {
      const bool told = item.kind() == Node::Kind::map || item.kind() == Node::Kind::list;
      if (!told) item.unexpected("", "an id such as \"batch\" or \"batch/small\"");
      continue;
    }
    if (!seen.insert(*id).second) {
      item.error("", in_quotes(*id) + " is listed twice");
      continue;
    }
    references.push_back({*id, item.position()});
  }
  return references;
}

void expect_some(const Node& pipeline, std::string_view key, const std::string& what) {
  const Node list = pipeline.child(key);
  if (!list.present()) {
    pipeline.error(key, "required, but missing");
  } else if (list.kind() == Node::Kind::null ||
             (list.kind() == Node::Kind::list && list.list().empty())) {
    pipeline.error(key, "expected at least one " + what + ", found none");
  }
}

PipelineSection decode_pipeline(const std::string& id, const Node& node) {
  PipelineSection section;
  section.id = id;
  section.position = node.key_position();
  section.receivers = decode_references(node.child("receivers"));
  section.processors = decode_references(node.child("processors"));
  section.exporters = decode_references(node.child("exporters"));
  expect_some(node, "receivers", "receiver");
  expect_some(node, "exporters", "exporter");
  node.no_other_keys();
  return section;
}

/// The same for a pipeline that is not ours: names are taken, mistakes are not looked for.
PipelineSection skim_pipeline(const std::string& id, const Node& node) {
  PipelineSection section;
  section.id = id;
  const auto skim = [&node](const char* key) {
    std::vector<ComponentRef> references;
    const Node list = node.kind() == Node::Kind::map ? node.child(key) : Node();
    if (list.kind() != Node::Kind::list) return references;
    for (const Node& item : list.list()) {
      if (item.kind() != Node::Kind::scalar) continue;
      if (const auto name = parse_component_id(item.as_string())) references.push_back({*name, {}});
    }
    return references;
  };
  section.receivers = skim("receivers");
  section.processors = skim("processors");
  section.exporters = skim("exporters");
  return section;
}

/// The components that references of one kind may name.
class Names {
 public:
  Names(std::string kind, std::initializer_list<const Components*> sections)
      : kind_(std::move(kind)) {
    for (const Components* components : sections) {
      for (const auto& [id, node] : *components) ids_.push_back(id.text);
    }
  }

  void check(const std::vector<ComponentRef>& references, const std::string& path,
             Problems& problems) const {
    for (const ComponentRef& reference : references) {
      const std::string& id = reference.id;
      if (std::ranges::find(ids_, id) != ids_.end()) continue;
      problems.error(reference.position, path,
                     "no " + kind_ + " is named " + in_quotes(id) + hint(id));
    }
  }

 private:
  /// The nearest name; where none is near, all of them, unless there are too many to read.
  std::string hint(const std::string& id) const {
    constexpr std::size_t readable_max = 8;
    const std::string near = did_you_mean(id, ids_);
    if (!near.empty() || ids_.empty() || ids_.size() > readable_max) return near;
    std::string all;
    for (const std::string& known : ids_)
      all += (all.empty() ? "; there is " : ", ") + in_quotes(known);
    return all;
  }

  std::string kind_;
  std::vector<std::string> ids_;
};

}  // namespace

Pipelines decode_pipelines(const Node& node, bool traces_only) {
  Pipelines pipelines;
  std::set<std::string> seen;
  for (const auto& [key, pipeline] : node.entries()) {
    const auto id = parse_component_id(key);
    const std::string signal = id ? ComponentId{*id}.type() : key.substr(0, key.find('/'));
    if (std::ranges::find(signals, signal) == signals.end()) {
      pipeline.error("", "unknown signal " + in_quotes(signal) + did_you_mean(signal, signals));
    } else if (!id) {
      pipeline.error(
          "", "expected an id such as \"traces\" or \"traces/fast\", found " + in_quotes(key));
    } else if (!seen.insert(*id).second) {
      pipeline.error("", in_quotes(*id) + " is there twice");
    } else if (signal == "traces") {
      pipelines.traces.push_back(decode_pipeline(*id, pipeline));
    } else {
      pipelines.skipped.push_back(skim_pipeline(*id, pipeline));
      if (!traces_only) {
        pipeline.error(
            "", "sluice carries traces, not " + signal + "; --traces-only skips this pipeline");
      }
    }
  }
  return pipelines;
}

void check_references(const Document& document, Problems& problems) {
  const Names receivers("receiver", {&document.receivers, &document.connectors});
  const Names processors("processor", {&document.processors});
  const Names exporters("exporter", {&document.exporters, &document.connectors});
  for (const PipelineSection& pipeline : document.service.pipelines) {
    const std::string path = "service.pipelines." + pipeline.id;
    receivers.check(pipeline.receivers, path + ".receivers", problems);
    processors.check(pipeline.processors, path + ".processors", problems);
    exporters.check(pipeline.exporters, path + ".exporters", problems);
  }
  Names("extension", {&document.extensions})
      .check(document.service.extensions, "service.extensions", problems);
}

}  // namespace sluice::config

#include "config/document.h"

#include <algorithm>
#include <set>

#include "config/component_id.h"
#include "config/connections.h"
#include "config/expansion.h"
#include "config/merge.h"
#include "config/pipelines.h"
#include "config/service.h"
#include "config/source.h"
#include "config/yaml.h"

namespace sluice::config {
namespace {

using Components = std::vector<std::pair<ComponentId, Node>>;
using Ids = std::set<std::string>;

Components decode_section(const Node& section, Problems& problems) {
  Components components;
  Ids seen;
  for (const auto& [key, node] : section.entries()) {
    const auto id = parse_component_id(key);
    if (!id) {
      problems.error(
          node.key_position(), node.path(),
          "expected an id such as \"batch\" or \"batch/small\", found " + in_quotes(key));
    } else if (!seen.insert(*id).second) {
      problems.error(node.key_position(), node.path(), in_quotes(*id) + " is there twice");
    } else {
      components.emplace_back(ComponentId{*id}, node);
    }
  }
  return components;
}

void collect(const std::vector<ComponentRef>& references, Ids& ids) {
  for (const ComponentRef& reference : references) ids.insert(reference.id);
}

template <typename Member>
Ids ids_in(const std::vector<PipelineSection>& pipelines, Member member) {
  Ids ids;
  for (const PipelineSection& pipeline : pipelines) collect(pipeline.*member, ids);
  return ids;
}

/// Leaves out what only skipped pipelines use, and says what no pipeline uses.
void settle_unused(Components& components, const Ids& used, const Ids& skipped,
                   Problems& problems) {
  std::erase_if(components, [&](const auto& component) {
    const std::string& id = component.first.text;
    return !used.contains(id) && skipped.contains(id);
  });
  for (const auto& [id, node] : components) {
    if (used.contains(id.text)) continue;
    problems.warning(node.key_position(), node.path(), "no pipeline uses it");
  }
}

/// A connector is used on either side of a pipeline.
Ids connectors_in(const std::vector<PipelineSection>& pipelines) {
  Ids ids = ids_in(pipelines, &PipelineSection::receivers);
  ids.merge(ids_in(pipelines, &PipelineSection::exporters));
  return ids;
}

void settle_unused(Document& document, const std::vector<PipelineSection>& skipped,
                   Problems& problems) {
  const auto settle = [&](Components& components, auto member) {
    settle_unused(components, ids_in(document.service.pipelines, member), ids_in(skipped, member),
                  problems);
  };
  settle(document.receivers, &PipelineSection::receivers);
  settle(document.processors, &PipelineSection::processors);
  settle(document.exporters, &PipelineSection::exporters);
  settle_unused(document.connectors, connectors_in(document.service.pipelines),
                connectors_in(skipped), problems);
  Ids listed;
  collect(document.service.extensions, listed);
  for (const auto& [id, node] : document.extensions) {
    if (listed.contains(id.text)) continue;
    problems.warning(node.key_position(), node.path(), "service.extensions does not list it");
  }
}

void expect_pipelines(const Node& root, const Pipelines& pipelines, bool traces_only) {
  const Node service = root.child("service");
  const Node node = service.child("pipelines");
  if (!service.present()) return root.error("service", "required, but missing");
  if (!node.present()) return service.error("pipelines", "required, but missing");
  const bool only_others = traces_only && pipelines.traces.empty() && !pipelines.skipped.empty();
  if (only_others || node.entries().empty()) {
    service.error("pipelines", "expected at least one pipeline of traces, found none");
  }
}

Document decode(const Node& root, bool traces_only, Problems& problems) {
  Document document;
  if (root.kind() == Node::Kind::null) {
    problems.error(root.position(), "", "the configuration is empty");
    return document;
  }
  document.receivers = decode_section(root.child("receivers"), problems);
  document.processors = decode_section(root.child("processors"), problems);
  document.exporters = decode_section(root.child("exporters"), problems);
  document.extensions = decode_section(root.child("extensions"), problems);
  document.connectors = decode_section(root.child("connectors"), problems);
  document.service = decode_service(root.child("service"));
  const Pipelines pipelines =
      decode_pipelines(root.child("service").child("pipelines"), traces_only);
  document.service.pipelines = pipelines.traces;
  if (root.kind() == Node::Kind::map) expect_pipelines(root, pipelines, traces_only);
  root.no_other_keys();
  check_references(document, problems);
  check_connections(document, problems);
  settle_unused(document, pipelines.skipped, problems);
  return document;
}

/// All sources in order; null if one of them could not be read, with errors for each that could
/// not.
ValuePtr read_all(const LoadOptions& options, Problems& problems) {
  std::vector<ValuePtr> values;
  if (options.configs.empty()) values.push_back(parse_yaml(options.built_in, "built-in", problems));
  for (const std::string& source : options.configs) values.push_back(read_source(source, problems));
  values.push_back(read_sets(options.sets, problems));
  if (std::ranges::find(values, nullptr) != values.end()) return nullptr;
  ValuePtr merged = values.front();
  for (std::size_t i = 1; i < values.size(); ++i) {
    if (values[i]->kind != Node::Kind::null) merged = merge(merged, values[i]);
  }
  return merged;
}

Document load_value(const ValuePtr& value, bool traces_only, Problems& problems) {
  const ValuePtr expanded = value == nullptr ? nullptr : expand(value, problems);
  return expanded == nullptr ? Document()
                             : decode(make_node(expanded, "", problems), traces_only, problems);
}

}  // namespace

Document load(const LoadOptions& options, Problems& problems) {
  return load_value(read_all(options, problems), options.traces_only, problems);
}

Document load_text(std::string_view text, std::string file, Problems& problems, bool traces_only) {
  return load_value(parse_yaml(text, file, problems), traces_only, problems);
}

}  // namespace sluice::config

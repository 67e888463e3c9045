#include "pipeline/graph_parts.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "pipeline/foreign_types.h"

namespace sluice {
namespace {

using Section = std::vector<std::pair<config::ComponentId, config::Node>>;

template <typename Type>
const Type* find_type(const std::vector<Type>& types, std::string_view name) {
  for (const Type& type : types) {
    if (type.name == name) return &type;
    if (std::find(type.aliases.begin(), type.aliases.end(), name) != type.aliases.end())
      return &type;
  }
  return nullptr;
}

template <typename Builder, typename Type>
std::map<std::string, Decoded<Builder>> decode_section(std::string_view kind,
                                                       const Section& section,
                                                       const std::vector<Type>& types) {
  std::map<std::string, Decoded<Builder>> parts;
  for (const auto& [id, node] : section) {
    if (const Type* type = find_type(types, id.type())) {
      parts.emplace(id.text, type->decode(node));
      continue;
    }
    std::vector<std::string> known;
    for (const Type& each : types) known.emplace_back(each.name);
    node.error("", unknown_type(kind, id.type(), known));
  }
  return parts;
}

}  // namespace

GraphParts decode_parts(const config::Document& document, const ComponentTable& table) {
  return {
      decode_section<ReceiverBuilder>("receiver", document.receivers, table.receivers),
      decode_section<ProcessorBuilder>("processor", document.processors, table.processors),
      decode_section<ExporterBuilder>("exporter", document.exporters, table.exporters),
      decode_section<ConnectorBuilder>("connector", document.connectors, table.connectors),
      decode_section<ExtensionBuilder>("extension", document.extensions, table.extensions),
  };
}

}  // namespace sluice

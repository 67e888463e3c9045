#pragma once

#include <map>
#include <string>

#include "config/document.h"
#include "pipeline/component.h"
#include "pipeline/graph.h"

namespace sluice {

/// Every component of a document, decoded: by id, the closure that makes its instances.
struct GraphParts {
  std::map<std::string, Decoded<ReceiverBuilder>> receivers;
  std::map<std::string, Decoded<ProcessorBuilder>> processors;
  std::map<std::string, Decoded<ExporterBuilder>> exporters;
  std::map<std::string, Decoded<ConnectorBuilder>> connectors;
  std::map<std::string, Decoded<ExtensionBuilder>> extensions;
};

/// Mistakes, unknown types among them, go to the nodes and so to the document's problems; a
/// component of an unknown type is left out.
GraphParts decode_parts(const config::Document& document, const ComponentTable& table);

}  // namespace sluice

#include "config/connections.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace sluice::config {
namespace {

/// Pipelines and connectors as the nodes of one graph, whose edges are the ways of the spans:
/// "traces/a" → "forward" → "traces/b". Pipelines come first, in their order.
class Ways {
 public:
  explicit Ways(const Document& document);

  /// Leaves out every node that leads to none that is still there, the last ones first, and again,
  /// until what is left leads into circles. Returns what was left out, in that order.
  std::vector<std::size_t> trim();
  /// One circle among what trimming has left, and leaves its nodes out. Empty where nothing is
  /// left.
  std::vector<std::size_t> take_circle();

  const std::string& name(std::size_t node) const { return names_[node]; }

 private:
  void add_way(std::size_t from, std::size_t to);
  void leave_out(std::size_t node);

  std::vector<std::string> names_;
  std::vector<std::vector<std::size_t>> next_, before_;
  std::vector<std::size_t> ways_out_;  ///< to nodes that are still there
  std::vector<bool> there_;
  std::vector<std::size_t> ends_;  ///< nodes that lead to none, to be left out
};

Ways::Ways(const Document& document) {
  for (const PipelineSection& pipeline : document.service.pipelines) names_.push_back(pipeline.id);
  std::map<std::string_view, std::size_t> connectors;
  for (const auto& [id, node] : document.connectors) {
    connectors.emplace(id.text, names_.size());
    names_.push_back(id.text);
  }
  next_.resize(names_.size());
  before_.resize(names_.size());
  ways_out_.resize(names_.size());
  there_.resize(names_.size(), true);
  for (std::size_t i = 0; i < document.service.pipelines.size(); ++i) {
    const PipelineSection& pipeline = document.service.pipelines[i];
    for (const ComponentRef& each : pipeline.exporters) {
      if (const auto found = connectors.find(each.id); found != connectors.end())
        add_way(i, found->second);
    }
    for (const ComponentRef& each : pipeline.receivers) {
      if (const auto found = connectors.find(each.id); found != connectors.end())
        add_way(found->second, i);
    }
  }
  for (std::size_t node = names_.size(); node-- > 0;) {
    if (ways_out_[node] == 0) ends_.push_back(node);
  }
}

void Ways::add_way(std::size_t from, std::size_t to) {
  next_[from].push_back(to);
  before_[to].push_back(from);
  ++ways_out_[from];
}

void Ways::leave_out(std::size_t node) {
  there_[node] = false;
  for (const std::size_t before : before_[node]) {
    if (--ways_out_[before] == 0 && there_[before]) ends_.push_back(before);
  }
}

std::vector<std::size_t> Ways::trim() {
  std::vector<std::size_t> order;
  while (!ends_.empty()) {
    const std::size_t node = ends_.back();
    ends_.pop_back();
    if (!there_[node]) continue;
    order.push_back(node);
    leave_out(node);
  }
  return order;
}

std::vector<std::size_t> Ways::take_circle() {
  const auto start = std::ranges::find(there_, true);
  if (start == there_.end()) return {};
  // Everything that is left leads on, so a walk comes back to where it was before.
  std::vector<std::size_t> path;
  std::vector<bool> seen(names_.size());
  std::size_t node = static_cast<std::size_t>(start - there_.begin());
  while (!seen[node]) {
    seen[node] = true;
    path.push_back(node);
    node = *std::ranges::find_if(next_[node], [this](std::size_t next) { return there_[next]; });
  }
  path.erase(path.begin(), std::ranges::find(path, node));
  // From the pipeline that the file names first, whatever the walk met first.
  std::rotate(path.begin(), std::ranges::min_element(path), path.end());
  for (const std::size_t each : path) leave_out(each);
  return path;
}

void report_circles(const Document& document, Problems& problems) {
  Ways ways(document);
  for (;;) {
    ways.trim();
    const std::vector<std::size_t> circle = ways.take_circle();
    if (circle.empty()) return;
    std::string drawn;
    for (const std::size_t node : circle) drawn += ways.name(node) + " → ";
    const PipelineSection& pipeline = document.service.pipelines[circle[0]];
    const auto reference =
        std::ranges::find(pipeline.exporters, ways.name(circle[1]), &ComponentRef::id);
    problems.error(reference->position, "service.pipelines." + pipeline.id + ".exporters",
                   "spans would go in a circle: " + drawn + ways.name(circle[0]));
  }
}

using Uses = std::map<std::string_view, std::vector<std::pair<Position, std::string>>>;

/// By id, where pipelines name it on one side.
Uses uses_of(const std::vector<PipelineSection>& pipelines,
             std::vector<ComponentRef> PipelineSection::*side, std::string_view key) {
  Uses uses;
  for (const PipelineSection& pipeline : pipelines) {
    for (const ComponentRef& each : pipeline.*side) {
      uses[each.id].emplace_back(each.position,
                                 "service.pipelines." + pipeline.id + "." + std::string(key));
    }
  }
  return uses;
}

void expect_other_side(const Uses& uses, const Uses& others, const std::string& id,
                       std::string_view side, Problems& problems) {
  const auto found = uses.find(id);
  if (found == uses.end() || others.contains(id)) return;
  for (const auto& [position, path] : found->second) {
    problems.error(position, path,
                   "no pipeline of traces has the connector " + in_quotes(id) + " among its " +
                       std::string(side));
  }
}

bool has(const std::vector<std::pair<ComponentId, Node>>& components, std::string_view id) {
  return std::ranges::any_of(components,
                             [id](const auto& component) { return component.first.text == id; });
}

}  // namespace

std::vector<std::size_t> downstream_first(const Document& document) {
  std::vector<std::size_t> order = Ways(document).trim();
  std::erase_if(order, [&](std::size_t node) { return node >= document.service.pipelines.size(); });
  return order;
}

void check_connections(const Document& document, Problems& problems) {
  const auto& pipelines = document.service.pipelines;
  const Uses as_receiver = uses_of(pipelines, &PipelineSection::receivers, "receivers");
  const Uses as_exporter = uses_of(pipelines, &PipelineSection::exporters, "exporters");
  for (const auto& [id, node] : document.connectors) {
    for (const auto& [kind, section] : {std::pair("a receiver", &document.receivers),
                                        std::pair("an exporter", &document.exporters)}) {
      if (!has(*section, id.text)) continue;
      problems.error(node.key_position(), node.path(),
                     std::string(kind) + " has the id " + in_quotes(id.text) +
                         " too, so that pipelines cannot say which they mean");
    }
    expect_other_side(as_receiver, as_exporter, id.text, "exporters", problems);
    expect_other_side(as_exporter, as_receiver, id.text, "receivers", problems);
  }
  report_circles(document, problems);
}

}  // namespace sluice::config

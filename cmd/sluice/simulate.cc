#include "cmd/sluice/simulate.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>

#include <nlohmann/json.hpp>

#include "cmd/sluice/recording.h"
#include "cmd/sluice/simulation.h"
#include "config/document.h"
#include "pipeline/codec/hex.h"
#include "processors/tail_sampling/tail_sampling.h"

namespace sluice {
namespace {

using json = nlohmann::ordered_json;
using Ids = std::vector<std::array<unsigned char, 16>>;
using Sum = SimulationResult::Sum;

constexpr std::size_t examples = 5;
constexpr int done = 0, does_not_serve = 1;

/// The first tail sampler that a pipeline names, or that is there at all.
const config::Node* find_sampler(const config::Document& document) {
  const auto find = [&document](std::string_view id) -> const config::Node* {
    for (const auto& [key, node] : document.processors) {
      if (key.type() == "tail_sampling" && (id.empty() || key.text == id)) return &node;
    }
    return nullptr;
  };
  for (const auto& pipeline : document.service.pipelines) {
    for (const auto& each : pipeline.processors) {
      if (const config::Node* node = find(each.id)) return node;
    }
  }
  return find("");
}

std::optional<SimulationResult> run(const std::vector<std::string>& configs,
                                    const std::vector<std::string>& inputs) {
  config::Problems problems;
  config::LoadOptions load;
  load.configs = configs;
  const config::Document document = config::load(load, problems);
  const config::Node* sampler = find_sampler(document);
  if (sampler == nullptr)
    problems.error({}, "processors", "there is no tail_sampling to simulate");
  else
    (void)tail_sampling_processor().decode(*sampler);
  if (problems.any_errors()) {
    std::cerr << problems.report();
    return std::nullopt;
  }
  Simulation simulation(*sampler);
  for (const std::string& input : inputs) {
    std::string error;
    const bool is_read = read_recording(
        input, [&simulation](SpanBatch batch) { simulation.take(std::move(batch)); }, error);
    if (is_read) continue;
    std::cerr << error << "\n";
    return std::nullopt;
  }
  return simulation.finish();
}

std::vector<std::string> digits_of(const Ids& ids, std::size_t most) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < std::min(ids.size(), most); ++i) {
    out.emplace_back(2 * ids[i].size(), '0');
    hex::encode({reinterpret_cast<const char*>(ids[i].data()), ids[i].size()}, out.back().data());
  }
  return out;
}

Ids minus(const Ids& one, const Ids& other) {
  Ids out;
  std::ranges::set_difference(one, other, std::back_inserter(out));
  return out;
}

json to_json(const Sum& sum) {
  return {{"traces", sum.traces}, {"spans", sum.spans}, {"bytes", sum.bytes}};
}

json to_json(const SimulationResult& result) {
  json out = {{"seconds", result.seconds},
              {"in", to_json(result.in)},
              {"kept", to_json(result.kept)},
              {"policies", json::array()}};
  for (const auto& each : result.policies) {
    json policy = to_json(each.sampled);
    policy["name"] = each.name;
    out["policies"].push_back(std::move(policy));
  }
  out["examples_kept"] = digits_of(result.kept_ids, examples);
  return out;
}

json changes(const SimulationResult& now, const SimulationResult& before) {
  const Ids more = minus(now.kept_ids, before.kept_ids),
            fewer = minus(before.kept_ids, now.kept_ids);
  return {{"kept_before", to_json(before.kept)},
          {"newly_kept", more.size()},
          {"no_longer_kept", fewer.size()},
          {"examples_newly_kept", digits_of(more, examples)},
          {"examples_no_longer_kept", digits_of(fewer, examples)}};
}

void print_row(std::string_view name, const Sum& sum, const Sum& all) {
  const double share =
      all.traces == 0 ? 0
                      : 100.0 * static_cast<double>(sum.traces) / static_cast<double>(all.traces);
  std::cout << fmt::format("{:<28} {:>12} {:>14} {:>16} {:>8.2f} %\n", name, sum.traces, sum.spans,
                           sum.bytes, share);
}

void print(const json& list, std::string_view what) {
  if (list.empty()) return;
  std::cout << what << ":\n";
  for (const json& each : list) std::cout << "  " << each.get<std::string>() << "\n";
}

void print(const SimulationResult& now, const SimulationResult* before) {
  std::cout << fmt::format("{:.0f} seconds of recorded time\n\n{:<28} {:>12} {:>14} {:>16}\n",
                           now.seconds, "", "traces", "spans", "bytes");
  print_row("came", now.in, now.in);
  print_row("kept", now.kept, now.in);
  for (const auto& each : now.policies) print_row("  " + each.name, each.sampled, now.in);
  std::cout << "\nA policy's row is what it samples, whatever others say.\n";
  print(digits_of(now.kept_ids, examples), "examples of what is kept");
  if (before == nullptr) return;
  const json change = changes(now, *before);
  std::cout << "\n";
  print_row("kept before", before->kept, before->in);
  std::cout << fmt::format("{} traces are newly kept, {} are not any more\n",
                           change["newly_kept"].get<std::size_t>(),
                           change["no_longer_kept"].get<std::size_t>());
  print(change["examples_newly_kept"], "newly kept");
  print(change["examples_no_longer_kept"], "not kept any more");
}

}  // namespace

int simulate(const SimulateOptions& options) {
  const std::optional<SimulationResult> now = run(options.configs, options.inputs);
  if (!now) return does_not_serve;
  std::optional<SimulationResult> before;
  if (!options.against.empty()) {
    before = run(options.against, options.inputs);
    if (!before) return does_not_serve;
  }
  if (!options.as_json) {
    print(*now, before ? &*before : nullptr);
    return done;
  }
  json out = to_json(*now);
  if (before) out["changes"] = changes(*now, *before);
  std::cout << out.dump(2) << "\n";
  return done;
}

}  // namespace sluice

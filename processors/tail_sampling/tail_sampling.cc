#include "processors/tail_sampling/tail_sampling.h"

#include <charconv>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "pipeline/admin.h"
#include "pipeline/traces/trace_processor.h"
#include "processors/tail_sampling/options.h"
#include "processors/tail_sampling/questions.h"
#include "processors/tail_sampling/shard.h"

namespace sluice {
namespace {

using namespace tail_sampling;

/// The options of one component, and the policies over them.
struct Plan {
  explicit Plan(DecodedOptions decoded)
      : options(decoded.options),
        conditions(std::move(decoded.conditions)),
        judge(std::move(decoded.policies), options.sample_on_first_match, conditions->notes()) {}
  Options options;
  std::shared_ptr<const Conditions> conditions;
  Judge judge;
};

/// One sampler: what the instances of all workers share.
struct Sampler {
  Sampler(std::shared_ptr<const Plan> made_from, const ProcessorContext& context)
      : plan(std::move(made_from)),
        metrics(context.metrics, context.id, plan->judge),
        pool(plan->options.bounds, plan->options.num_shards, metrics.traces, context) {}
  Common common() { return {pool, plan->options, *plan->conditions, plan->judge, metrics}; }

  const std::shared_ptr<const Plan> plan;
  SamplerMetrics metrics;
  TracePool pool;
};

/// `trace_id=…` asks for one trace, `limit=…` for more or fewer than a hundred of each shard.
void describe(const Shard& shard, std::string_view query, const Admin::Items& done) {
  const std::string_view id = query_value(query, "trace_id");
  const std::optional<TraceId> trace = parse_trace_id(id);
  if (!id.empty() && !trace) return done("");
  const std::string_view wanted = query_value(query, "limit");
  std::size_t limit = 100;
  std::from_chars(wanted.data(), wanted.data() + wanted.size(), limit);
  shard.executor().post([&shard, trace, limit, done] { done(shard.describe(trace, limit)); });
}

std::unique_ptr<Shard> make_shard(const ProcessorContext& context, Sampler& sampler) {
  auto shard = std::make_unique<Shard>(context, sampler.common());
  if (context.admin == nullptr) return shard;
  context.admin->offer("/sampling/decisions", "decisions",
                       [&made = *shard](std::string_view query, const Admin::Items& done) {
                         describe(made, query, done);
                       });
  return shard;
}

std::unique_ptr<Processor> build(const std::shared_ptr<const Plan>& plan,
                                 const ProcessorContext& context) {
  const auto sampler =
      context.siblings.share<Sampler>([&] { return std::make_shared<Sampler>(plan, context); });
  return std::make_unique<TraceProcessor>(context,
                                          std::shared_ptr<TracePool>(sampler, &sampler->pool),
                                          std::make_unique<Questions>(*plan->conditions, context),
                                          [&] { return make_shard(context, *sampler); });
}

}  // namespace

ProcessorType tail_sampling_processor() {
  return {{"tail_sampling", [](const config::Node& node) -> Decoded<ProcessorBuilder> {
             DecodedOptions decoded = decode_options(node);
             if (node.has_errors()) return {ProcessorBuilder()};
             const auto plan = std::make_shared<const Plan>(std::move(decoded));
             return {[plan](const ProcessorContext& context) { return build(plan, context); },
                     plan->conditions->reads_request()};
           }}};
}

}  // namespace sluice

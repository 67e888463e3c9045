#include "processors/tail_sampling/tail_sampling.h"

#include <atomic>
#include <charconv>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/admin.h"
#include "processors/tail_sampling/arrivals.h"
#include "processors/tail_sampling/options.h"
#include "processors/tail_sampling/shard.h"

namespace sluice {
namespace {

using namespace tail_sampling;

std::uint64_t random_key() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

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

/// One sampler: what the instances of all workers share. Its shards live on the workers in turn.
struct Sampler {
  Sampler(std::shared_ptr<const Plan> made_from, const ProcessorContext& context)
      : plan(std::move(made_from)),
        metrics(context.metrics, context.id, plan->judge),
        account(context.ledger.of_holder(context.id)),
        key(random_key()),
        shards(plan->options.num_shards > 0 ? plan->options.num_shards : context.siblings.count()) {
    account.set_limit(plan->options.max_bytes);
    if (context.admin == nullptr) return;
    for (std::size_t number = 0; number < shards.size(); ++number) {
      context.admin->offer("/sampling/decisions", "decisions",
                           [this, number](std::string_view query, const Admin::Items& done) {
                             describe(*shards[number], query, done);
                           });
    }
  }
  Common common() {
    return {plan->options, *plan->conditions, plan->judge, metrics, account, traces, shards.size()};
  }

  /// `trace_id=…` asks for one trace, `limit=…` for more or fewer than a hundred of each shard.
  static void describe(const Shard& shard, std::string_view query, const Admin::Items& done) {
    const std::string_view id = query_value(query, "trace_id");
    const std::optional<TraceId> trace = parse_trace_id(id);
    if (!id.empty() && !trace) return done("");
    const std::string_view wanted = query_value(query, "limit");
    std::size_t limit = 100;
    std::from_chars(wanted.data(), wanted.data() + wanted.size(), limit);
    shard.executor().post([&shard, trace, limit, done] { done(shard.describe(trace, limit)); });
  }

  std::shared_ptr<const Plan> plan;
  SamplerMetrics metrics;
  Ledger& account;
  const std::uint64_t key;  ///< of the hashes of ids
  std::atomic<std::uint64_t> traces{0};
  std::vector<Shard*> shards;  ///< each belongs to the instance of its worker
};

/// Reads what comes in on its worker, and deals it out to the shards.
class TailSampling final : public Processor {
 public:
  TailSampling(const ProcessorContext& context, const std::shared_ptr<const Plan>& plan)
      : counters_(context.counters),
        executor_(context.executor),
        overload_(context.counters.refused("overload")),
        sampler_(context.siblings.share<Sampler>(
            [&] { return std::make_shared<Sampler>(plan, context); })),
        reader_(*sampler_->plan->conditions, sampler_->key, context),
        by_shard_(sampler_->shards.size()) {
    for (std::size_t number = context.worker; number < by_shard_.size();
         number += context.siblings.count()) {
      own_.push_back(std::make_unique<Shard>(context, sampler_->common()));
      sampler_->shards[number] = own_.back().get();
    }
  }

  void consume(SpanBatch batch, Ack ack) override {
    counters_.in.add(batch.span_count());
    if (std::optional<Answer> refusal = this->refusal()) {
      overload_.add(batch.span_count());
      return ack.resolve(std::move(*refusal));
    }
    hold(std::move(batch));
    ack.accepted();
  }

  /// Room is not counted out: the memory is there already, and traces make way for it.
  std::optional<Answer> reserve(const Load&) override { return refusal(); }
  void commit(SpanBatch batch, const Load&, Ack ack) override {
    counters_.in.add(batch.span_count());
    hold(std::move(batch));
    ack.accepted();
  }
  void cancel(const Load&) override {}

  void stop(Task done) override {
    if (own_.empty()) return done();
    const auto open = std::make_shared<std::size_t>(own_.size());
    const auto all = std::make_shared<Task>(std::move(done));
    for (const auto& shard : own_) {
      shard->stop([open, all] {
        if (--*open == 0) (*all)();
      });
    }
  }

 private:
  std::optional<Answer> refusal() const {
    for (const Shard* shard : sampler_->shards) {
      if (shard->is_shut())
        return Answer{Verdict::retry_later, {}, "kept traces have not been taken yet"};
    }
    const Options& options = sampler_->plan->options;
    if (!options.block_on_overflow) return std::nullopt;
    const bool is_full = sampler_->traces.load(std::memory_order_relaxed) >= options.num_traces ||
                         sampler_->account.used() >= options.max_bytes;
    if (!is_full) return std::nullopt;
    return Answer{Verdict::retry_later, {}, "as many traces as may be held are waiting"};
  }

  void hold(SpanBatch batch) {
    if (batch.empty()) return;
    counters_.held.add(batch.span_count());
    reader_.read(batch, by_shard_);
    batch.set_context(nullptr);
    for (std::size_t number = 0; number < by_shard_.size(); ++number) {
      std::vector<Arrival>& arrivals = by_shard_[number];
      if (arrivals.empty()) continue;
      Shard& shard = *sampler_->shards[number];
      if (&shard.executor() == &executor_) {
        shard.take(batch, arrivals);
        arrivals.clear();
      } else {
        post(shard, batch, std::exchange(arrivals, spare_list()));
      }
    }
  }

  static void post(Shard& shard, SpanBatch batch, std::vector<Arrival> arrivals) {
    shard.in_transit.fetch_add(1, std::memory_order_acq_rel);
    shard.executor().post([&shard, held = std::move(batch), list = std::move(arrivals)]() mutable {
      shard.in_transit.fetch_sub(1, std::memory_order_acq_rel);
      shard.take(std::move(held), list);
      shard.spare.put(std::move(list));
    });
  }

  std::vector<Arrival> spare_list() {
    return own_.empty() ? std::vector<Arrival>() : own_.front()->spare.take();
  }

  SpanCounters& counters_;
  Executor& executor_;
  Counter& overload_;
  const std::shared_ptr<Sampler> sampler_;
  ArrivalReader reader_;
  std::vector<std::unique_ptr<Shard>> own_;
  std::vector<std::vector<Arrival>> by_shard_;  ///< room for the work of one call
};

}  // namespace

ProcessorType tail_sampling_processor() {
  return {{"tail_sampling", [](const config::Node& node) -> Decoded<ProcessorBuilder> {
             DecodedOptions decoded = decode_options(node);
             if (node.has_errors()) return {ProcessorBuilder()};
             const auto plan = std::make_shared<const Plan>(std::move(decoded));
             return {[plan](const ProcessorContext& context) {
                       return std::make_unique<TailSampling>(context, plan);
                     },
                     plan->conditions->reads_request()};
           }}};
}

}  // namespace sluice

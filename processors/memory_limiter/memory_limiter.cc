// Two measures, since each is blind alone. The ledger knows to the byte what is in flight and held,
// and is asked before a body is read, but not what else the process needs; the resident memory is
// all of it, but is read once in an interval, and a burst fits into one. So at each check the
// resident memory that the ledger does not account for is what cannot be helped, and the rest up to
// the soft limit is what the ledger may have until the next check:
//
//   cap = soft limit - (resident - accounted)
//
// Hence resident memory is above the soft limit exactly when what is accounted for is above its
// cap, which is when everything is refused, here and at the doors.
//
// Memory that is spare (in the buffers' pool, or free in the heap) is resident too and narrows the
// cap. It goes back to the system where that is what makes us refuse; so it does above the limit,
// as the collector collects its garbage.
#include "processors/memory_limiter/memory_limiter.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "pipeline/log.h"
#include "pipeline/memory_limit.h"
#include "pipeline/model/pages.h"

namespace sluice {
namespace {

using std::chrono::nanoseconds;

/// How long to wait before spare memory is given back again: at least `least`, and while that frees
/// nothing twice as long each time, up to `most` (0: it never grows).
struct Pace {
  std::chrono::nanoseconds least{0};
  std::chrono::nanoseconds most{0};
  std::chrono::nanoseconds now{0};

  std::chrono::nanoseconds wait() const { return std::max(least, now); }
  void was_in_vain(std::chrono::nanoseconds check_interval) {
    if (most.count() > 0) now = std::min(most, std::max({least, check_interval, now * 2}));
  }
};

struct Options {
  nanoseconds check_interval{0};
  std::uint64_t limit = 0;
  std::uint64_t soft_limit = 0;
  Pace soft_pace{std::chrono::seconds(10), std::chrono::seconds(30)};
  Pace hard_pace{std::chrono::seconds(0), std::chrono::seconds(30)};
  bool gives_back = true;
};

void decode_limits(const config::Node& node, Options& options) {
  std::uint32_t limit_mib = 0, spike_mib = 0, limit_percentage = 0, spike_percentage = 0;
  node.optional("limit_mib", limit_mib);
  node.optional("spike_limit_mib", spike_mib);
  node.optional("limit_percentage", limit_percentage);
  node.optional("spike_limit_percentage", spike_percentage);
  node.expect(limit_percentage <= 100, "limit_percentage", "must be at most 100");
  node.expect(spike_percentage <= 100, "spike_limit_percentage", "must be at most 100");
  node.expect(limit_mib == 0 || spike_mib < limit_mib, "spike_limit_mib",
              "must be smaller than limit_mib");
  node.expect(limit_percentage == 0 || spike_percentage < limit_percentage,
              "spike_limit_percentage", "must be smaller than limit_percentage");
  if (limit_mib == 0 && limit_percentage == 0)
    node.error("", "needs limit_mib or limit_percentage");
  std::uint64_t spike = 0;
  if (limit_mib > 0) {
    options.limit = std::uint64_t{limit_mib} << 20;
    spike = std::uint64_t{spike_mib} << 20;
  } else {
    options.limit = usable_memory() / 100 * limit_percentage;
    spike = usable_memory() / 100 * spike_percentage;
  }
  if (spike == 0) spike = options.limit / 5;
  options.soft_limit = options.limit - std::min(spike, options.limit);
}

void decode_pace(const config::Node& node, std::string_view least, std::string_view most,
                 Pace& pace) {
  node.optional(least, pace.least);
  node.optional(most, pace.most);
  node.expect(pace.least.count() >= 0, least, "must not be negative");
  node.expect(pace.most.count() == 0 || pace.most >= pace.least, most,
              "must be at least " + std::string(least) + ", or 0 to wait no longer each time");
}

Options decode(const config::Node& node) {
  Options options;
  node.required("check_interval", options.check_interval);
  if (node.has("check_interval"))
    node.expect(options.check_interval.count() > 0, "check_interval", "must be greater than 0");
  decode_limits(node, options);
  decode_pace(node, "min_gc_interval_when_soft_limited", "max_gc_interval_when_soft_limited",
              options.soft_pace);
  decode_pace(node, "min_gc_interval_when_hard_limited", "max_gc_interval_when_hard_limited",
              options.hard_pace);
  node.expect(options.soft_pace.least >= options.hard_pace.least,
              "min_gc_interval_when_soft_limited",
              "must be at least min_gc_interval_when_hard_limited");
  node.child("garbage_collector").optional("enabled", options.gives_back);
  node.child("garbage_collector").no_other_keys();
  node.no_other_keys();
  return options;
}

std::string mebibytes(std::uint64_t bytes) { return std::to_string(bytes >> 20); }

/// Watches the memory, on one of the workers.
class Watch {
 public:
  Watch(const ProcessorContext& context, const Options& options, const ProcessMemory& memory)
      : id_(context.id),
        executor_(context.executor),
        ledger_(context.ledger),
        options_(options),
        memory_(memory) {}

  void start() {
    const std::uint64_t resident = memory_.resident();
    least_ = resident - std::min<std::uint64_t>(resident, ledger_.total());
    given_back_ = executor_.now();
    if (least_ >= options_.soft_limit) {
      log::warn("The memory limit leaves no room for data",
                {{"processor", id_},
                 {"resident_mib", mebibytes(least_)},
                 {"soft_limit_mib", mebibytes(options_.soft_limit)}});
    }
    check();
  }
  void stop() { timer_.cancel(); }

 private:
  void check() {
    timer_ = executor_.after(options_.check_interval, [this] { check(); });
    std::uint64_t resident = memory_.resident();
    const std::uint64_t refusals = ledger_.refusals();
    if (resident >= options_.limit) {
      resident = give_back(options_.hard_pace, resident);
    } else if (resident >= options_.soft_limit || refusals != refusals_) {
      resident = give_back(options_.soft_pace, resident);
    }
    refusals_ = refusals;
    say(resident);
    const std::uint64_t total = ledger_.total();
    const std::uint64_t other = std::max(least_, resident - std::min(resident, total));
    ledger_.cap(id_, options_.soft_limit - std::min(other, options_.soft_limit));
  }

  /// Returns what is resident then.
  std::uint64_t give_back(const Pace& pace, std::uint64_t before) {
    const Executor::TimePoint now = executor_.now();
    if (!options_.gives_back || now - given_back_ < pace.wait()) return before;
    given_back_ = now;
    memory_.give_back_spare();
    const std::uint64_t after = memory_.resident();
    if (after < options_.soft_limit || after <= before / 100 * 95) {
      options_.soft_pace.now = options_.hard_pace.now = nanoseconds(0);
    } else {
      options_.soft_pace.was_in_vain(options_.check_interval);
      options_.hard_pace.was_in_vain(options_.check_interval);
    }
    return after;
  }

  void say(std::uint64_t resident) {
    const bool above = resident >= options_.soft_limit;
    if (above == above_) return;
    above_ = above;
    if (above) {
      log::warn("Memory is above the soft limit: new data is refused",
                {{"processor", id_}, {"resident_mib", mebibytes(resident)}});
    } else {
      log::info("Memory is below the soft limit again",
                {{"processor", id_}, {"resident_mib", mebibytes(resident)}});
    }
  }

  const std::string id_;
  Executor& executor_;
  Ledger& ledger_;
  Options options_;
  const ProcessMemory memory_;
  std::uint64_t least_ = 0;  ///< resident at the start: the program itself
  std::uint64_t refusals_ = 0;
  Executor::TimePoint given_back_;
  bool above_ = false;
  Timer timer_;
};

class MemoryLimiter final : public Transform {
 public:
  MemoryLimiter(const ProcessorContext& context, const Options& options,
                const ProcessMemory& memory)
      : Transform(context),
        ledger_(context.ledger),
        accepted_(counter(context, "accepted", "passed on")),
        refused_(counter(context, "refused", "refused for want of memory")) {
    // A body may have half of what may be in flight, and one that never fits would be told to come
    // back for ever.
    ledger_.set_limit(std::min<std::size_t>(ledger_.limit(), options.soft_limit));
    if (context.worker == 0) watch_.emplace(context, options, memory);
  }

  void start() override {
    if (watch_) watch_->start();
  }
  void stop(Task done) override {
    if (watch_) watch_->stop();
    done();
  }

 protected:
  std::optional<Answer> refusal(std::uint64_t spans) override {
    if (!ledger_.above_cap()) return std::nullopt;
    refused_.add(spans);
    return Answer{Verdict::retry_later, {}, "data refused due to high memory usage"};
  }
  SpanBatch process(SpanBatch batch) override {
    accepted_.add(batch.span_count());
    return batch;
  }

 private:
  static Counter& counter(const ProcessorContext& context, const std::string& which,
                          const std::string& help) {
    return context.metrics.counter("otelcol_processor_memory_limiter_" + which + "_spans",
                                   "Number of spans " + help + ".", {{"processor", context.id}});
  }

  Ledger& ledger_;
  Counter& accepted_;
  Counter& refused_;
  std::optional<Watch> watch_;
};

}  // namespace

ProcessorType memory_limiter_processor() {
  return memory_limiter_processor({resident_memory, pages::give_back_spare});
}

ProcessorType memory_limiter_processor(ProcessMemory memory) {
  return {{"memory_limiter",
           [memory = std::move(memory)](const config::Node& node) -> Decoded<ProcessorBuilder> {
             return [options = decode(node), memory](const ProcessorContext& context) {
               return std::make_unique<MemoryLimiter>(context, options, memory);
             };
           }}};
}

}  // namespace sluice

#include "exporters/loadbalancing/balancer.h"

#include <algorithm>
#include <iterator>
#include <span>

#include "pipeline/ensure.h"
#include "pipeline/joined_answers.h"
#include "pipeline/log.h"

namespace sluice::loadbalancing {
namespace {

constexpr std::chrono::milliseconds come_back{1000};
constexpr std::string_view nobody = "no member of the load balancer is known yet";

using Verb = void (Balancer::*)(const SpanBatch&, SendDone);

/// A sender through the balancer; what outlives the balancer is dropped.
class BalancerSender final : public Sender {
 public:
  BalancerSender(std::weak_ptr<Balancer> balancer, Verb verb)
      : balancer_(std::move(balancer)), verb_(verb) {}
  bool start(std::string&) override { return true; }
  /// What bounds the time is each member's own `timeout`.
  void send(SpanBatch batch, std::chrono::nanoseconds, SendDone done) override {
    const std::shared_ptr<Balancer> balancer = balancer_.lock();
    if (balancer) (balancer.get()->*verb_)(batch, std::move(done));
  }
  void stop() override {}

 private:
  std::weak_ptr<Balancer> balancer_;
  const Verb verb_;
};

/// What became of the parts of a batch, as the result of sending all of it.
SendResult result_of(std::span<const SpanBatch> parts, std::span<Answer> answers) {
  SendResult result;
  std::vector<SpanBatch> left;
  std::uint64_t taken = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    Answer& answer = answers[i];
    switch (answer.verdict) {
      case Verdict::accepted: taken += parts[i].span_count(); break;
      case Verdict::rejected: result.rejected_spans += parts[i].span_count(); break;
      case Verdict::retry_later:
        left.push_back(parts[i]);
        result.delay = std::max(result.delay, answer.delay);
    }
    if (!answer.message.empty()) result.message = std::move(answer.message);
  }
  if (!left.empty()) {
    result.kind = SendResult::Kind::retry;
    if (left.size() < parts.size()) result.left = SpanBatch::concat(left);
  } else if (taken == 0) {
    result.kind = SendResult::Kind::permanent;
  }
  return result;
}

Counter& resolutions(const ExporterContext& context, std::string_view source, bool success) {
  return context.metrics.counter("otelcol_loadbalancer_num_resolutions",
                                 "How often the members were looked up.",
                                 {{"exporter", context.id},
                                  {"resolver", std::string(source)},
                                  {"success", success ? "true" : "false"}});
}

}  // namespace

Balancer::Balancer(const ExporterContext& context, const BalancerOptions& options,
                   MakeSender make_sender)
    : context_(context),
      options_(options),
      make_sender_(std::move(make_sender)),
      counters_(context, options.exporting.queue.waits_for_result()),
      refused_(context.counters.refused("no_members")),
      resolutions_(resolutions(context, source_name(options.source), true)),
      failed_resolutions_(resolutions(context, source_name(options.source), false)),
      updates_(context.metrics.counter(
          "otelcol_loadbalancer_num_backend_updates", "How often the members changed.",
          {{"exporter", context.id}, {"resolver", std::string(source_name(options.source))}})),
      backends_(context.metrics.gauge(
          "otelcol_loadbalancer_num_backends", "The members there are.",
          {{"exporter", context.id}, {"resolver", std::string(source_name(options.source))}})) {}

Balancer::~Balancer() = default;

void Balancer::start() {
  source_ = make_member_source(options_.source, context_, *this);
  source_->start();
}

Balancer::TableRef Balancer::table() const {
  const std::lock_guard lock(mutex_);
  return table_;
}

std::uint64_t Balancer::held() const {
  const std::lock_guard lock(mutex_);
  std::uint64_t spans = 0;
  for (const auto& member : left_) spans += member->exporter->held();
  if (table_ == nullptr) return spans;
  for (const auto& member : table_->members) spans += member->exporter->held();
  return spans;
}

std::vector<Balancer::Part> Balancer::split(const Table& table, const SpanBatch& batch) const {
  std::vector<std::vector<std::uint32_t>> indexes(table.members.size());
  const std::vector<std::uint32_t> positions = ring_positions(batch, options_.key);
  for (std::uint32_t span = 0; span < positions.size(); ++span) {
    indexes[table.member_of[table.ring.owner(positions[span])]].push_back(span);
  }
  std::vector<Part> parts;
  for (std::size_t i = 0; i < indexes.size(); ++i) {
    if (indexes[i].empty()) continue;
    const bool whole = indexes[i].size() == positions.size();
    parts.push_back({table.members[i].get(), whole ? batch : batch.select(indexes[i])});
  }
  return parts;
}

std::optional<Answer> Balancer::refuse(std::uint64_t spans) {
  context_.counters.in.add(spans);
  refused_.add(spans);
  return Answer{Verdict::retry_later, come_back, std::string(nobody)};
}

void Balancer::consume(SpanBatch batch, Ack ack) {
  if (batch.empty()) return ack.accepted();
  const TableRef now = table();
  if (now == nullptr) return ack.resolve(*refuse(batch.span_count()));
  const std::vector<Part> parts = split(*now, batch);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    std::optional<Answer> refusal = parts[i].member->exporter->reserve(Load::of(parts[i].batch));
    if (!refusal) continue;
    // The one that refuses counts its own part.
    counters_.refused_for_room(batch.span_count() - parts[i].batch.span_count());
    for (const Part& part : std::span(parts).first(i)) {
      part.member->exporter->cancel(Load::of(part.batch));
    }
    return ack.resolve(std::move(*refusal));
  }
  commit_all(parts, nullptr, std::move(ack));
}

/// `reserved`: with each, where it is not for its own part.
void Balancer::commit_all(const std::vector<Part>& parts, const Load* reserved, Ack ack) {
  const auto commit_one = [&](const Part& part, Ack answer) {
    const Load load = reserved != nullptr ? *reserved : Load::of(part.batch);
    part.member->exporter->commit(part.batch, load, std::move(answer));
  };
  if (parts.empty()) return ack.accepted();
  if (parts.size() == 1) return commit_one(parts.front(), std::move(ack));
  JoinedAnswers& joined = JoinedAnswers::create(parts.size(), std::move(ack));
  for (std::size_t i = 0; i < parts.size(); ++i) commit_one(parts[i], joined.branch(i));
}

/// Who gets what is not known before the batch is there, so each member is asked for all of it.
std::optional<Answer> Balancer::reserve(const Load& load) {
  TableRef now = table();
  if (now == nullptr) return refuse(load.spans);
  const Members& members = now->members;
  for (std::size_t i = 0; i < members.size(); ++i) {
    std::optional<Answer> refusal = members[i]->exporter->reserve(load);
    if (!refusal) continue;
    while (i > 0) members[--i]->exporter->cancel(load);
    return refusal;
  }
  const std::lock_guard lock(mutex_);
  reservations_.emplace_back(load, std::move(now));
  return std::nullopt;
}

Balancer::TableRef Balancer::take_reservation(const Load& load) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find_if(reservations_, [&](const auto& each) {
    return each.first.spans == load.spans && each.first.bytes == load.bytes;
  });
  ensure(found != reservations_.end(), "what is committed or cancelled was reserved");
  TableRef promised = std::move(found->second);
  reservations_.erase(found);
  return promised;
}

void Balancer::commit(SpanBatch batch, const Load& reserved, Ack ack) {
  const TableRef promised = take_reservation(reserved);
  const std::vector<Part> parts = split(*promised, batch);
  for (const auto& member : promised->members) {
    const bool has_part =
        std::ranges::any_of(parts, [&](const Part& part) { return part.member == member.get(); });
    if (!has_part) member->exporter->cancel(reserved);
  }
  commit_all(parts, &reserved, std::move(ack));
}

void Balancer::cancel(const Load& reserved) {
  const TableRef promised = take_reservation(reserved);
  for (const auto& member : promised->members) member->exporter->cancel(reserved);
}

void Balancer::offer(const SpanBatch& batch, SendDone done) {
  const TableRef now = table();
  if (now == nullptr) {
    return done({SendResult::Kind::retry, std::string(nobody), come_back});
  }
  hand_over(split(*now, batch), &QueuedExporter::consume, std::move(done));
}

void Balancer::take_over(const SpanBatch& batch, SendDone done) {
  auto passed_on = [answer = std::move(done)](SendResult result) mutable {
    result.passed_on = true;
    answer(std::move(result));
  };
  hand_over(split(*table(), batch), &QueuedExporter::take_over, std::move(passed_on));
}

void Balancer::hand_over(const std::vector<Part>& parts,
                         void (QueuedExporter::*give)(SpanBatch, Ack), SendDone done) {
  std::vector<SpanBatch> batches;
  for (const Part& part : parts) batches.push_back(part.batch);
  JoinedAnswers& joined = JoinedAnswers::create(
      parts.size(), [batches, answer = std::move(done)](std::span<Answer> answers) mutable {
        answer(result_of(batches, answers));
      });
  for (std::size_t i = 0; i < parts.size(); ++i) {
    (parts[i].member->exporter.get()->*give)(parts[i].batch, joined.branch(i));
  }
}

void Balancer::resolved(std::vector<std::string> endpoints) {
  ensure(!endpoints.empty(), "whoever resolves finds something");
  resolutions_.add(1);
  if (endpoints == endpoints_) return;
  std::string error;
  TableRef fresh = table_of(endpoints, error);
  if (fresh == nullptr) {
    return log::limited(log::Level::error, "The members of a load balancer stay as they were.",
                        {{"exporter", context_.id}, {"reason", error}});
  }
  endpoints_ = std::move(endpoints);
  updates_.add(1);
  backends_.set(static_cast<std::int64_t>(endpoints_.size()));
  adopt(std::move(fresh));
}

void Balancer::unresolved(const std::string& reason) {
  failed_resolutions_.add(1);
  log::limited(log::Level::warn, "The members of a load balancer could not be looked up.",
               {{"exporter", context_.id}, {"reason", reason}});
}

/// Null where no exporter to one of them can be started (a certificate that cannot be read).
Balancer::TableRef Balancer::table_of(const std::vector<std::string>& endpoints,
                                      std::string& error) {
  if (endpoints.size() > members_max) {
    error = "there are more than " + std::to_string(members_max) + " endpoints";
    return nullptr;
  }
  // Whoever lets go of a table last says so: then those who left with it can end.
  const std::shared_ptr<Table> fresh(
      new Table{HashRing(endpoints), {}, {}},
      [weak = weak_from_this(), &executor = context_.executor](const Table* table) {
        delete table;
        executor.post([weak] {
          if (const auto balancer = weak.lock()) balancer->end_those_that_left();
        });
      });
  const TableRef before = table();
  for (const std::string& endpoint : endpoints) {
    const std::string address = with_port(endpoint);
    const auto has_address = [&](const auto& member) { return member->address == address; };
    Members& members = fresh->members;
    auto found = std::ranges::find_if(members, has_address);
    if (found == members.end()) {
      std::shared_ptr<Member> member;
      if (before != nullptr) {
        const auto stays = std::ranges::find_if(before->members, has_address);
        if (stays != before->members.end()) member = *stays;
      }
      if (member == nullptr) member = make_member(address, error);
      if (member == nullptr) return nullptr;
      found = members.insert(members.end(), std::move(member));
    }
    fresh->member_of.push_back(static_cast<std::uint32_t>(found - members.begin()));
  }
  return fresh;
}

std::shared_ptr<Balancer::Member> Balancer::make_member(const std::string& address,
                                                        std::string& error) {
  auto member = std::make_shared<Member>();
  member->address = address;
  member->exporter = make_exporter(context_, options_.exporting, make_sender_(address, context_));
  if (!member->exporter->start(error)) return nullptr;
  return member;
}

void Balancer::adopt(TableRef fresh) {
  Members gone;
  TableRef before;
  {
    const std::lock_guard lock(mutex_);
    before = std::exchange(table_, fresh);
    if (before != nullptr) {
      std::ranges::copy_if(before->members, std::back_inserter(gone), [&](const auto& member) {
        return std::ranges::find(fresh->members, member) == fresh->members.end();
      });
    }
    left_.insert(left_.end(), gone.begin(), gone.end());
  }
  log::info("The members of a load balancer changed.",
            {{"exporter", context_.id},
             {"members", std::to_string(fresh->members.size())},
             {"left", std::to_string(gone.size())}});
  for (const auto& member : gone) {
    member->exporter->redirect(
        std::make_unique<BalancerSender>(weak_from_this(), &Balancer::take_over));
  }
}

/// Those whom no table names any more, so that nothing new comes to them.
void Balancer::end_those_that_left() {
  Members ending;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& member : left_) {
      // One handle is in the list.
      if (!member->stopping && member.use_count() == 1) ending.push_back(member);
    }
  }
  for (const auto& member : ending) {
    member->stopping = true;
    member->exporter->stop(
        [weak = weak_from_this(), &executor = context_.executor, gone = member.get()] {
          executor.post([weak, gone] {
            if (const auto balancer = weak.lock()) balancer->forget(gone);
          });
        });
  }
}

void Balancer::forget(const Member* member) {
  std::shared_ptr<Member> gone;  // ends outside of the lock
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find(left_, member, &std::shared_ptr<Member>::get);
    gone = std::move(*found);
    left_.erase(found);
  }
  stop_members();
}

/// Those that have left hand over what they hold to the others, so these end last.
void Balancer::stop(Task done) {
  context_.executor.post([weak = weak_from_this(), done = std::move(done)]() mutable {
    const auto balancer = weak.lock();
    if (!balancer) return;
    balancer->source_.reset();
    balancer->done_ = std::move(done);
    balancer->end_those_that_left();
    balancer->stop_members();
  });
}

void Balancer::stop_members() {
  TableRef now;
  {
    const std::lock_guard lock(mutex_);
    if (!done_ || !left_.empty()) return;
    now = table_;
  }
  if (now == nullptr) return std::exchange(done_, {})();
  members_to_stop_ = now->members.size();
  for (const auto& member : now->members) {
    member->exporter->stop([weak = weak_from_this()] {
      const auto balancer = weak.lock();
      if (balancer && --balancer->members_to_stop_ == 0) std::exchange(balancer->done_, {})();
    });
  }
}

std::unique_ptr<Sender> make_offering_sender(std::weak_ptr<Balancer> balancer) {
  return std::make_unique<BalancerSender>(std::move(balancer), &Balancer::offer);
}

}  // namespace sluice::loadbalancing

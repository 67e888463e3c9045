#include "pipeline/fanout.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <utility>

namespace sluice {
namespace {

/// Waits for the answers of all branches, which come on different threads; the last one passes the
/// worst on and is the end of it. Each branch writes an answer of its own, so only the count is
/// shared.
class JoinedAck {
 public:
  static JoinedAck& create(std::size_t count, Ack ack) {
    return *new JoinedAck(count, std::move(ack));
  }
  Ack branch(std::size_t index) { return Ack(branches_[index]); }

 private:
  struct Branch final : AckTarget {
    void answered(Answer given) noexcept override {
      answer = std::move(given);
      owner->answered();
    }
    JoinedAck* owner = nullptr;
    Answer answer;
  };

  JoinedAck(std::size_t count, Ack ack) : ack_(std::move(ack)), branches_(count), missing_(count) {
    for (Branch& branch : branches_) branch.owner = this;
  }

  static int badness(Verdict verdict) {
    return verdict == Verdict::retry_later ? 2 : verdict == Verdict::rejected ? 1 : 0;
  }

  void answered() noexcept {
    if (missing_.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
    Answer worst;
    std::chrono::milliseconds delay{0};
    for (Branch& branch : branches_) {
      delay = std::max(delay, branch.answer.delay);
      if (badness(branch.answer.verdict) > badness(worst.verdict)) worst = std::move(branch.answer);
    }
    worst.delay = delay;
    ack_.resolve(std::move(worst));
    delete this;
  }

  Ack ack_;
  std::vector<Branch> branches_;
  std::atomic<std::size_t> missing_;
};

class Fanout final : public Consumer {
 public:
  explicit Fanout(std::vector<Consumer*> next) : next_(std::move(next)) {}

  void consume(SpanBatch batch, Ack ack) override {
    const Load load = Load::of(batch);
    if (std::optional<Answer> refusal = reserve(load)) return ack.resolve(std::move(*refusal));
    commit(std::move(batch), load, std::move(ack));
  }

  std::optional<Answer> reserve(const Load& load) override {
    for (std::size_t i = 0; i < next_.size(); ++i) {
      std::optional<Answer> refusal = next_[i]->reserve(load);
      if (!refusal) continue;
      while (i > 0) next_[--i]->cancel(load);
      return refusal;
    }
    return std::nullopt;
  }

  void commit(SpanBatch batch, const Load& reserved, Ack ack) override {
    if (next_.empty()) return ack.accepted();
    // Answers may come within `commit`; `joined` is gone with the last of them.
    JoinedAck& joined = JoinedAck::create(next_.size(), std::move(ack));
    for (std::size_t i = 0; i + 1 < next_.size(); ++i)
      next_[i]->commit(batch, reserved, joined.branch(i));
    next_.back()->commit(std::move(batch), reserved, joined.branch(next_.size() - 1));
  }

  void cancel(const Load& reserved) override {
    for (Consumer* next : next_) next->cancel(reserved);
  }

 private:
  const std::vector<Consumer*> next_;
};

}  // namespace

std::unique_ptr<Consumer> make_fanout(std::vector<Consumer*> next) {
  return std::make_unique<Fanout>(std::move(next));
}

}  // namespace sluice

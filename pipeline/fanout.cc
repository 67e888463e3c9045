#include "pipeline/fanout.h"

#include <cstddef>
#include <utility>

#include "pipeline/joined_answers.h"

namespace sluice {
namespace {

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
    JoinedAnswers& joined = JoinedAnswers::create(next_.size(), std::move(ack));
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

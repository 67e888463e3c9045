#include "pipeline/joined_answers.h"

#include <algorithm>
#include <utility>

namespace sluice {
namespace {

int badness(Verdict verdict) {
  return verdict == Verdict::retry_later ? 2 : verdict == Verdict::rejected ? 1 : 0;
}

Answer worst_of(std::span<Answer> answers) {
  Answer worst;
  std::chrono::milliseconds delay{0};
  for (Answer& answer : answers) {
    delay = std::max(delay, answer.delay);
    if (badness(answer.verdict) > badness(worst.verdict)) worst = std::move(answer);
  }
  worst.delay = delay;
  return worst;
}

}  // namespace

JoinedAnswers& JoinedAnswers::create(std::size_t count, Done done) {
  return *new JoinedAnswers(count, std::move(done));
}

JoinedAnswers& JoinedAnswers::create(std::size_t count, Ack ack) {
  return create(count, [ack = std::move(ack)](std::span<Answer> answers) mutable {
    ack.resolve(worst_of(answers));
  });
}

JoinedAnswers::JoinedAnswers(std::size_t count, Done done)
    : done_(std::move(done)), branches_(count), answers_(count), missing_(count) {
  for (std::size_t i = 0; i < count; ++i) {
    branches_[i].owner = this;
    branches_[i].slot = &answers_[i];
  }
}

void JoinedAnswers::Branch::answered(Answer answer) noexcept {
  *slot = std::move(answer);
  JoinedAnswers* const all = owner;
  if (all->missing_.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
  all->done_(all->answers_);
  delete all;
}

}  // namespace sluice

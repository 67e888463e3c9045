#pragma once

#include <atomic>
#include <cstddef>
#include <span>
#include <vector>

#include "pipeline/component.h"

namespace sluice {

/// Waits for the answers of all to whom one batch, or parts of it, were handed. They come on
/// different threads; the last one calls `done` with all of them, in order of the branches, and is
/// the end of it. Each branch writes an answer of its own, so only the count is shared.
class JoinedAnswers {
 public:
  using Done = UniqueFunction<void(std::span<Answer>)>;
  /// Lives until each of its branches, of which there is at least one, was answered.
  static JoinedAnswers& create(std::size_t count, Done done);
  /// Passes on the worst answer, with the longest of the delays.
  static JoinedAnswers& create(std::size_t count, Ack ack);

  /// To be taken once each.
  Ack branch(std::size_t index) { return Ack(branches_[index]); }

 private:
  struct Branch final : AckTarget {
    void answered(Answer answer) noexcept override;
    JoinedAnswers* owner = nullptr;
    Answer* slot = nullptr;
  };

  JoinedAnswers(std::size_t count, Done done);

  Done done_;
  std::vector<Branch> branches_;
  std::vector<Answer> answers_;
  std::atomic<std::size_t> missing_;
};

}  // namespace sluice

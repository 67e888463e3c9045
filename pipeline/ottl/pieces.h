#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "pipeline/ottl/draft.h"

namespace sluice::ottl {

/// A text in the making, in pieces that stay where they are: the few that most texts consist of are
/// put together only where they are to stand.
class Pieces {
 public:
  /// False where it would grow beyond what a message may.
  bool add(std::string_view piece) {
    if (piece.empty()) return true;
    if (count_ == pieces_.size() && !fold()) return false;
    pieces_[count_++] = piece;
    return true;
  }
  /// Valid until more is added.
  std::span<const std::string_view> all() {
    if (!folded_.empty()) pieces_[0] = folded_;
    return {pieces_.data(), count_};
  }
  std::string joined() {
    std::string text;
    for (const std::string_view piece : all()) text += piece;
    return text;
  }
  void clear() {
    folded_.clear();
    count_ = 0;
  }

 private:
  /// The first place is kept for what was folded before.
  bool fold() {
    std::size_t size = folded_.size();
    for (std::size_t i = folded_.empty() ? 0 : 1; i < count_; ++i) size += pieces_[i].size();
    if (size > Draft::size_max) return false;
    for (std::size_t i = folded_.empty() ? 0 : 1; i < count_; ++i) folded_ += pieces_[i];
    count_ = 1;
    return true;
  }

  std::array<std::string_view, 6> pieces_;
  std::size_t count_ = 0;
  std::string folded_;
};

}  // namespace sluice::ottl

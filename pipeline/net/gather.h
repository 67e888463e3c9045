#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <string_view>
#include <vector>

namespace sluice::net {

/// Bytes that wait to be written, as pieces that lie elsewhere and stay there until they are
/// consumed.
class Gather {
 public:
  void add(std::string_view piece) {
    if (piece.empty()) return;
    pieces_.push_back({const_cast<char*>(piece.data()), piece.size()});
    size_ += piece.size();
  }
  /// The first `size` bytes are gone.
  void consume(std::size_t size);

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  std::size_t piece_count() const { return pieces_.size() - first_; }
  iovec* pieces() { return pieces_.data() + first_; }

 private:
  std::vector<iovec> pieces_;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

}  // namespace sluice::net

#include "pipeline/net/gather.h"

namespace sluice::net {

void Gather::consume(std::size_t size) {
  size_ -= size;
  while (size > 0 && size >= pieces_[first_].iov_len) size -= pieces_[first_++].iov_len;
  if (size_ == 0) {
    pieces_.clear();
    first_ = 0;
    return;
  }
  iovec& piece = pieces_[first_];
  piece.iov_base = static_cast<char*>(piece.iov_base) + size;
  piece.iov_len -= size;
}

}  // namespace sluice::net

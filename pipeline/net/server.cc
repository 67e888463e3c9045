#include "pipeline/net/server.h"

namespace sluice::net {

std::string_view RequestHead::header(std::string_view name) const {
  for (const Header& header : headers) {
    if (header.name == name) return header.value;
  }
  return {};
}

Reply::~Reply() {
  if (target_ == nullptr) return;
  send({.status = 503,
        .grpc = GrpcCode::unavailable,
        .message = "not answered",
        .retry_after = std::chrono::seconds(1)});
}

Reply& Reply::operator=(Reply&& other) noexcept {
  const Reply overwritten(std::move(*this));
  target_ = std::move(other.target_);
  return *this;
}

void Reply::send(Response response) {
  if (const std::shared_ptr<Target> target = std::move(target_))
    target->respond(std::move(response));
}

}  // namespace sluice::net

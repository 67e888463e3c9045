#include "receivers/zipkin/answers.h"

#include <algorithm>
#include <random>
#include <utility>

namespace sluice::zipkin_door {
namespace {

using namespace std::chrono_literals;

/// Nothing depends on how random this is. Retry-After knows whole seconds only.
std::chrono::milliseconds spread(std::chrono::milliseconds least) {
  thread_local std::minstd_rand random{std::random_device()()};
  const std::chrono::milliseconds more = std::max<std::chrono::milliseconds>(least / 2, 100ms);
  std::uniform_int_distribution<std::int64_t> below(0, more.count());
  return std::chrono::ceil<std::chrono::seconds>(least + std::chrono::milliseconds(below(random)));
}

}  // namespace

net::Response accepted() {
  net::Response response;
  response.status = 202;
  return response;
}

net::Response refused(Refusal refusal) {
  net::Response response;
  response.grpc = refusal.grpc;
  response.status = refusal.status;
  response.content_type = "text/plain; charset=utf-8";
  response.body = refusal.message + '\n';
  response.message = std::move(refusal.message);
  return response;
}

net::Response come_back(std::string message, std::chrono::milliseconds delay) {
  net::Response response = refused({net::GrpcCode::unavailable, 503, std::move(message)});
  response.retry_after = spread(delay > 0ms ? delay : 1s);
  return response;
}

}  // namespace sluice::zipkin_door

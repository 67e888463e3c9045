#pragma once

#include <future>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/net/client.h"

namespace sluice::test {

/// A body in slices of `slice_size`, as a batch of several buffers has it.
inline EncodedBatch body_of(std::string_view text, std::size_t slice_size = 1 << 20) {
  EncodedBatch body;
  body.buffers.push_back(Buffer::copy_of(text));
  body.size = text.size();
  const std::string_view bytes = body.buffers.back().bytes();
  for (std::size_t at = 0; at < bytes.size(); at += slice_size) {
    const std::string_view slice = bytes.substr(at, slice_size);
    body.slices.push_back({slice.data(), slice.size()});
  }
  return body;
}

/// `count` bytes that differ enough to show a slice that is lost or doubled.
inline std::string pattern(std::size_t count) {
  std::string text(count, '\0');
  std::uint32_t state = 1;
  for (char& letter : text) {
    state = state * 1664525 + 1013904223;
    letter = static_cast<char>(state >> 24);
  }
  return text;
}

inline net::ClientRequest request_of(EncodedBatch body,
                                     std::chrono::nanoseconds timeout = std::chrono::seconds(20)) {
  return {.path = "/test.Service/Method",
          .headers = {},
          .body = std::move(body),
          .encoding = {},
          .timeout = timeout};
}

inline std::future<net::ClientResponse> start_call(net::GrpcClient& client,
                                                   net::ClientRequest request) {
  auto promise = std::make_shared<std::promise<net::ClientResponse>>();
  std::future<net::ClientResponse> future = promise->get_future();
  client.call(std::move(request),
              [promise](net::ClientResponse response) { promise->set_value(std::move(response)); });
  return future;
}

inline std::future<net::ClientResponse> start_post(net::HttpClient& client,
                                                   net::ClientRequest request) {
  auto promise = std::make_shared<std::promise<net::ClientResponse>>();
  std::future<net::ClientResponse> future = promise->get_future();
  client.post(std::move(request),
              [promise](net::ClientResponse response) { promise->set_value(std::move(response)); });
  return future;
}

}  // namespace sluice::test

#include "test/support/http_server.h"

#include <algorithm>

namespace sluice::test {

namespace {

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
  });
  return text;
}

HttpServer::Seen parse_head(const std::string& head) {
  HttpServer::Seen seen;
  std::size_t at = head.find("\r\n");
  seen.line = head.substr(0, at);
  while (at + 2 < head.size()) {
    const std::size_t end = head.find("\r\n", at + 2);
    const std::string line = head.substr(at + 2, end - at - 2);
    const std::size_t colon = line.find(": ");
    if (colon != std::string::npos)
      seen.headers.emplace(lower(line.substr(0, colon)), line.substr(colon + 2));
    at = end;
    if (end == std::string::npos) break;
  }
  return seen;
}

}  // namespace

HttpServer::HttpServer(SocketServerOptions options, Script script)
    : script_(std::move(script)),
      server_(std::move(options), [this](Peer& peer) { serve(peer); }) {}

void HttpServer::serve(Peer& peer) {
  std::size_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    number = ++connections_;
  }
  std::string input;
  for (;;) {
    std::size_t head_end = std::string::npos;
    while ((head_end = input.find("\r\n\r\n")) == std::string::npos) {
      const std::string bytes = peer.read();
      if (bytes.empty()) return;
      input += bytes;
    }
    Seen seen = parse_head(input.substr(0, head_end + 2));
    seen.connection = number;
    seen.server_name = peer.server_name();
    input.erase(0, head_end + 4);
    Answer answer = script_(seen);
    if (!answer.before_body) {
      const std::size_t size =
          seen.headers.contains("content-length") ? std::stoul(seen.headers["content-length"]) : 0;
      while (input.size() < size) {
        const std::string bytes = peer.read();
        if (bytes.empty()) return;
        input += bytes;
      }
      seen.body = input.substr(0, size);
      input.erase(0, size);
    }
    {
      const std::lock_guard lock(mutex_);
      seen_.push_back(seen);
      changed_.notify_all();
    }
    if (!peer.write(answer.bytes)) return;
    if (answer.instead) return answer.instead(peer);
    if (answer.close) return;
  }
}

std::vector<HttpServer::Seen> HttpServer::seen() const {
  const std::lock_guard lock(mutex_);
  return seen_;
}

void HttpServer::wait_for_seen(std::size_t count) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return seen_.size() >= count; });
}

std::string http_response(std::string_view status, std::string_view body,
                          std::string_view headers) {
  std::string text = "HTTP/1.1 ";
  text.append(status)
      .append("\r\nContent-Length: ")
      .append(std::to_string(body.size()))
      .append("\r\n");
  return text.append(headers).append("\r\n").append(body);
}

}  // namespace sluice::test

#include "cmd/sluice/explain.h"

#include <array>
#include <chrono>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <nlohmann/json.hpp>

#include "pipeline/codec/hex.h"
#include "pipeline/net/server.h"

namespace sluice {
namespace {

using nlohmann::json;

constexpr int usage = 2, no_answer = 3;

/// The body of the answer to a GET, or empty with a sentence on std::cerr.
std::optional<std::string> get(const net::Endpoint& from, const std::string& target) {
  boost::asio::ip::tcp::iostream stream;
  stream.expires_after(std::chrono::seconds(10));
  stream.connect(from.host.empty() ? "localhost" : from.host, std::to_string(from.port));
  stream << "GET " << target << " HTTP/1.1\r\nHost: " << from.to_string()
         << "\r\nConnection: close\r\n\r\n"
         << std::flush;
  std::string answer{std::istreambuf_iterator<char>(stream), {}};
  const std::size_t body = answer.find("\r\n\r\n");
  if (body == std::string::npos || answer.find(" 200 ") > answer.find("\r\n")) {
    std::cerr << "no answer from " << from.to_string()
              << ": is sluice running there with service.admin set?\n";
    return std::nullopt;
  }
  return answer.substr(body + 4);
}

void print(const json& decision) {
  std::cout << "trace " << decision.value("trace_id", "") << " was "
            << decision.value("decision", "") << " at " << decision.value("decided_at", "");
  if (decision.contains("policy")) std::cout << " by policy " << decision.value("policy", "");
  if (decision.contains("stands_for"))
    std::cout << ", and stands for " << decision.value("stands_for", 1.0);
  std::cout << "\n  due because: " << decision.value("because", "") << "\n  "
            << decision.value("spans", 0) << " spans, " << decision.value("bytes", 0) << " bytes, "
            << decision.value("duration_ms", 0) << " ms, root "
            << (decision.value("has_root", false) ? "seen" : "not seen") << "\n";
  for (const json& policy : decision.value("policies", json::array())) {
    std::cout << "  " << policy.value("name", "") << " (" << policy.value("type", "")
              << (policy.value("shadow", false) ? ", shadow" : "")
              << "): " << policy.value("said", "");
    if (policy.contains("saw")) std::cout << "; " << policy.value("saw", "");
    std::cout << "\n";
  }
}

}  // namespace

int explain(const std::string& admin, const std::string& trace_id) {
  const std::optional<net::Endpoint> endpoint = net::Endpoint::parse(admin);
  std::array<char, 16> id{};
  const bool is_id = trace_id.size() == 2 * id.size() && hex::decode(trace_id, id.data());
  if (!endpoint || !is_id) {
    std::cerr << (is_id ? "--admin takes host:port\n" : "a trace id has 32 hexadecimal digits\n");
    return usage;
  }
  const std::optional<std::string> body =
      get(*endpoint, "/sampling/decisions?trace_id=" + trace_id);
  if (!body) return no_answer;
  const json answer = json::parse(*body, nullptr, false);
  if (!answer.is_object() || !answer.contains("decisions")) {
    std::cerr << "the answer is not one of sluice\n";
    return no_answer;
  }
  for (const json& each : answer["decisions"]) print(each);
  if (!answer["decisions"].empty()) return 0;
  std::cerr << "nothing is known of this trace: it waits, was never here, or is beyond "
               "decision_log_size\n";
  return 1;
}

}  // namespace sluice

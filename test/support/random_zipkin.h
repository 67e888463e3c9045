#pragma once

#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

namespace sluice::test {

/// Random v2 spans as JSON, as a good client writes them: everything in them survives the way
/// through OTLP and back. The same seed gives the same spans. Kinds, parents, id widths, tag
/// values, annotations, links and status take turns, so that enough spans have every combination.
class RandomZipkin {
 public:
  explicit RandomZipkin(std::uint64_t seed) : random_(seed) {}

  nlohmann::json span() {
    using Json = nlohmann::json;
    const std::size_t turn = turn_++;
    Json span = {{"traceId", hex(turn % 2 == 0 ? 16 : 32)}, {"id", hex(16)}};
    if (turn / 2 % 2 == 0) span["parentId"] = hex(16);
    const char* const kinds[] = {nullptr, "CLIENT", "SERVER", "PRODUCER", "CONSUMER", "internal"};
    const std::size_t kind = turn / 4 % 6;
    Json tags = Json::object();
    if (kind == 5)
      tags["span.kind"] = "internal";
    else if (kind != 0)
      span["kind"] = kinds[kind];
    if (chance(80)) span["name"] = "n" + text();
    if (chance(90)) span["timestamp"] = 1 + below(1ull << 54);
    if (chance(90)) span["duration"] = 1 + below(1ull << 40);
    if (chance(90)) span["localEndpoint"] = endpoint();
    if (chance(60)) span["remoteEndpoint"] = endpoint();
    if (chance(10)) span["debug"] = true;
    if (chance(20) && kind != 1) span["shared"] = true;
    status(turn / 24 % 7, tags);
    for (std::size_t i = 0; i < turn / 168 % 3; ++i)
      tags["otlp.link." + std::to_string(i)] = hex(32) + '|' + hex(16) + '|' +
                                               (chance(50) ? "a=1,b=2" : "") + '|' + packed() +
                                               '|' + std::to_string(below(3));
    for (std::uint64_t i = below(5); i > 0; --i) tags["key." + std::to_string(below(9))] = text();
    if (chance(20)) tags["host.name"] = text() + 'h';
    if (chance(20)) tags["otel.scope.name"] = "lib" + text();
    if (chance(10)) tags["w3c.tracestate"] = "v=" + std::to_string(below(99));
    if (chance(10)) tags["otel.dropped_events_count"] = std::to_string(1 + below(99));
    if (!tags.empty()) span["tags"] = tags;
    Json annotations = Json::array();
    for (std::uint64_t i = below(4); i > 0; --i)
      annotations.push_back({{"timestamp", 1 + below(1ull << 50)},
                             {"value", chance(50) ? text() : "event|" + packed(1) + "|0"}});
    if (!annotations.empty()) span["annotations"] = annotations;
    return span;
  }

  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  bool chance(unsigned percent) { return below(100) < percent; }

 private:
  void status(std::size_t which, nlohmann::json& tags) {
    switch (which) {
      case 1: tags["error"] = "true"; return;
      case 2: tags["error"] = ""; return;
      case 3: tags["error"] = "late " + text(); return;
      case 4: tags["otel.status_code"] = "OK"; return;
      case 5:
        tags["otel.status_code"] = "ERROR";
        tags["error"] = "why " + text();
        return;
      case 6:
        tags["otel.status_code"] = "ERROR";
        tags["otel.status_description"] = "one";
        tags["error"] = "another";
        return;
      default: return;
    }
  }
  nlohmann::json endpoint() {
    nlohmann::json out = {{"serviceName", "service-" + std::to_string(below(5))}};
    if (chance(50))
      out["ipv4"] = std::to_string(1 + below(255)) + ".0.12." + std::to_string(below(256));
    if (chance(30)) out["ipv6"] = "2001:db8::" + std::to_string(1 + below(9));
    if (chance(50)) out["port"] = 1 + below(65535);
    return out;
  }
  std::string packed(std::size_t least = 0) {
    nlohmann::ordered_json out = nlohmann::ordered_json::object();
    for (std::uint64_t i = least + below(4); i > 0; --i) {
      nlohmann::ordered_json& value = out["k" + std::to_string(i)];
      switch (below(7)) {
        case 0: value = text(); break;
        case 1: value = static_cast<std::int64_t>(random_()); break;
        case 2: value = static_cast<double>(below(1000)) / 8; break;
        case 3: value = chance(50); break;
        case 4: value = nullptr; break;
        case 5: value = {1, "two", {3.5}}; break;
        default: value = {{"in", {{"deep", text()}}}}; break;
      }
    }
    return out.dump();
  }
  std::string text() {
    static const std::vector<std::string> pieces = {"a",  "get /x", "é", "€",  "😀",    " ", "\"",
                                                    "\\", "\n",     "/", "\t", "\x01", "|"};
    std::string out;
    for (std::uint64_t i = below(6); i > 0; --i) out += pieces[below(pieces.size())];
    return out;
  }
  std::string hex(std::size_t digits) {
    std::string out = "f";
    while (out.size() < digits) out += "0123456789abcdef"[below(16)];
    return out;
  }

  std::mt19937_64 random_;
  std::size_t turn_ = 0;
};

}  // namespace sluice::test

#include "test/bench/payload.h"

#include <array>
#include <cstring>
#include <string_view>

#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/span_writer.h"

namespace sluice::bench {
namespace {

constexpr std::uint32_t spans_per_trace = 8;
constexpr std::array<std::string_view, 8> services = {
    "frontend", "cart", "checkout", "currency", "email", "payment", "catalogue", "shipping"};

std::string id_bytes(std::uint64_t number) {
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &number, 8);
  return bytes;
}

void write_attributes(SpanWriter& out, std::mt19937_64& random) {
  const auto pick = [&](std::uint64_t below) { return std::to_string(random() % below); };
  out.attribute(otlp::span::attributes, "http.request.method", std::string_view("GET"));
  out.attribute(otlp::span::attributes, "url.path", "/api/v1/products/" + pick(10000));
  out.attribute(otlp::span::attributes, "http.response.status_code", std::int64_t{200});
  out.attribute(otlp::span::attributes, "server.address",
                "checkout-" + pick(9) + ".prod.svc.cluster.local");
  out.attribute(otlp::span::attributes, "server.port", std::int64_t{8080});
  out.attribute(otlp::span::attributes, "user_agent.original",
                std::string_view("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"));
  out.attribute(otlp::span::attributes, "network.protocol.version", std::string_view("1.1"));
  out.attribute(otlp::span::attributes, "client.address",
                "10." + pick(255) + "." + pick(255) + ".7");
}

}  // namespace

void Payload::renew(std::mt19937_64& random) {
  for (const std::vector<std::size_t>& offsets : ids) {
    const std::array<std::uint64_t, 2> id = {random(), random() | 1};
    for (const std::size_t offset : offsets) std::memcpy(bytes.data() + offset, id.data(), 16);
  }
}

Payload make_payload(std::uint32_t spans, std::mt19937_64& random) {
  Payload payload;
  payload.spans = spans;
  payload.ids.resize((spans + spans_per_trace - 1) / spans_per_trace);
  SpanWriter out(spans * 512 + 4096);
  std::vector<std::pair<std::uint32_t, std::uint64_t>>
      marks;  // trace, the marker written in place of its id
  // Ids are found again in the finished bytes by a marker: lengths are patched in behind them.
  for (std::size_t service = 0; service < services.size(); ++service) {
    if (service >= spans) break;
    const std::size_t resource_spans = out.begin(otlp::request::resource_spans);
    const std::size_t resource = out.begin(otlp::resource_spans::resource);
    out.attribute(otlp::resource::attributes, "service.name", services[service]);
    out.attribute(otlp::resource::attributes, "host.name", std::string_view("node-17.internal"));
    out.end(resource);
    const std::size_t scope_spans = out.begin(otlp::resource_spans::scope_spans);
    const std::size_t scope = out.begin(otlp::scope_spans::scope);
    out.string(otlp::scope::name, "sluice.bench");
    out.end(scope);
    for (std::uint32_t i = static_cast<std::uint32_t>(service); i < spans;
         i += static_cast<std::uint32_t>(services.size())) {
      const std::uint64_t marker = random();
      marks.emplace_back(i / spans_per_trace, marker);
      const std::size_t span = out.begin(otlp::scope_spans::spans);
      out.string(otlp::span::trace_id, id_bytes(marker) + id_bytes(~marker));
      out.string(otlp::span::span_id, id_bytes(random() | 1));
      if (i % spans_per_trace != 0) out.string(otlp::span::parent_span_id, id_bytes(random() | 1));
      out.string(otlp::span::name, "GET /api/v1/resource/" + std::to_string(random() % 50));
      out.varint(otlp::span::kind, 2);
      const std::uint64_t start = 1'790'000'000'000'000'000 + random() % 1'000'000'000;
      out.fixed64(otlp::span::start_time, start);
      out.fixed64(otlp::span::end_time, start + random() % 100'000'000);
      write_attributes(out, random);
      out.end(span);
    }
    out.end(scope_spans);
    out.end(resource_spans);
  }
  payload.bytes = std::string(out.out().bytes());
  std::size_t from = 0;
  for (const auto& [trace, marker] : marks) {
    from = payload.bytes.find(id_bytes(marker) + id_bytes(~marker), from);
    payload.ids[trace].push_back(from);
  }
  return payload;
}

}  // namespace sluice::bench

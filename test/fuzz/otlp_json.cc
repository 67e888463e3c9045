// Whatever the reader takes is well-formed protobuf; what the writer makes of it is taken again,
// and written the second time reads the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "pipeline/codec/otlp_json.h"

namespace {

std::optional<sluice::SpanBatch> read(std::string_view json) {
  sluice::BufferWriter proto;
  sluice::JsonReport refusal;
  if (!sluice::otlp_json_to_proto(json, proto, refusal)) {
    if (refusal.error.empty() || proto.size() != 0) std::abort();
    return std::nullopt;
  }
  sluice::ParseReport report;
  auto batch = sluice::SpanBatch::parse(std::move(proto).freeze(), report);
  if (!batch) std::abort();
  return batch;
}

std::string write(const sluice::SpanBatch& batch) {
  sluice::BufferWriter json;
  sluice::otlp_json_append(batch, json);
  return std::string(json.bytes());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of its own, so that the sanitizer sees a read past the end.
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto first = read(text);
  if (!first) return 0;
  const std::string json = write(*first);
  const auto second = read(json);
  if (!second || second->span_count() != first->span_count() || write(*second) != json)
    std::abort();
  return 0;
}

// Whatever the reader takes is well-formed OTLP; written as Zipkin it is read again, and written
// the second time reads the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "pipeline/codec/zipkin/read.h"
#include "pipeline/codec/zipkin/write.h"

namespace {

std::optional<sluice::SpanBatch> read(std::string_view json) {
  sluice::SpanWriter out(16);
  sluice::zipkin::ReadReport report;
  if (!sluice::zipkin::read_v2_json(json, {}, out, report)) {
    if (report.error.empty() || out.size() != 0) std::abort();
    return std::nullopt;
  }
  sluice::ParseReport parsed;
  auto batch = sluice::SpanBatch::parse(std::move(out).take().freeze(), parsed);
  if (!batch || parsed.spans_invalid_id != 0 || batch->span_count() != report.spans_taken)
    std::abort();
  return batch;
}

std::string write(const sluice::SpanBatch& batch) {
  return std::string(sluice::zipkin::write_json(batch, {}).bytes.bytes());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of its own, so that the sanitizer sees a read past the end.
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto first = read(text);
  if (!first) return 0;
  const auto second = read(write(*first));
  if (!second || second->span_count() != first->span_count()) std::abort();
  return 0;
}

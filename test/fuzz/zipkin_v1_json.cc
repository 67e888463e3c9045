// Whatever the reader takes is well-formed OTLP with as many spans as it says.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>

#include "pipeline/codec/zipkin/read.h"
#include "pipeline/model/span_batch.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of its own, so that the sanitizer sees a read past the end.
  const std::string text(reinterpret_cast<const char*>(data), size);
  sluice::SpanWriter out(16);
  sluice::zipkin::ReadReport report;
  const bool read = sluice::zipkin::read_v1_json(text, {}, out, report);
  if (read != report.error.empty() || (!read && out.size() != 0)) std::abort();
  sluice::ParseReport parsed;
  const auto batch = sluice::SpanBatch::parse(std::move(out).take().freeze(), parsed);
  if (!batch || parsed.spans_invalid_id != 0) std::abort();
  if (read && batch->span_count() != report.spans_taken) std::abort();
  return 0;
}

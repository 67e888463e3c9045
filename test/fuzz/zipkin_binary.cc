// The binary forms; the first byte chooses: v2 protobuf, v1 Thrift (binary or compact). Whatever is
// taken is well-formed OTLP with as many spans as the reader says.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "pipeline/codec/thrift/compact_reader.h"
#include "pipeline/codec/zipkin/read.h"
#include "pipeline/codec/zipkin/read_v1_thrift.h"
#include "pipeline/model/span_batch.h"

namespace {

using namespace sluice;

bool read_compact(std::string_view bytes, const zipkin::ReadOptions& options, SpanWriter& out,
                  zipkin::ReadReport& report) {
  thrift::CompactReader in(bytes);
  const bool read = zipkin::read_v1_thrift_list(in, options, out, report);
  if (!read) report.error = in.error();
  return read;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr decltype(&read_compact) readers[] = {zipkin::read_v2_proto, zipkin::read_v1_thrift,
                                                 read_compact};
  // A copy of its own, so that the sanitizer sees a read past the end.
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  SpanWriter out(16);
  zipkin::ReadReport report;
  const bool read = readers[data[0] % 3](bytes, {.parse_string_tags = true}, out, report);
  if (read != report.error.empty() || (!read && out.size() != 0)) std::abort();
  ParseReport parsed;
  const auto batch = SpanBatch::parse(std::move(out).take().freeze(), parsed);
  if (!batch || parsed.spans_invalid_id != 0) std::abort();
  if (read && batch->span_count() != report.spans_taken) std::abort();
  return 0;
}

// A datagram and, of the same bytes, a bare batch: whatever is taken becomes valid OTLP.
#include <cstddef>
#include <cstdint>
#include <string>

#include "receivers/jaeger/datagram.h"
#include "test/fuzz/jaeger_translation.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of its own, so that the sanitizer sees a read past the end.
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  {
    sluice::SpanWriter out(512);
    sluice::jaeger::Report report;
    const auto outcome =
        sluice::jaeger_door::read_datagram<sluice::thrift::BinaryReader>(bytes, 1, out, report);
    sluice::test::check_translation(outcome == sluice::jaeger_door::Outcome::taken, std::move(out),
                                    report);
  }
  sluice::SpanWriter out(512);
  sluice::jaeger::Report report;
  sluice::thrift::BinaryReader reader(bytes);
  const bool taken = sluice::jaeger::translate_batch(reader, out, report);
  if (taken != report.error.empty()) std::abort();
  sluice::test::check_translation(taken, std::move(out), report);
  return 0;
}

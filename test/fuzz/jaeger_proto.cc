// A PostSpansRequest: whatever is taken becomes valid OTLP.
#include <cstddef>
#include <cstdint>
#include <string>

#include "test/fuzz/jaeger_translation.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of its own, so that the sanitizer sees a read past the end.
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  sluice::SpanWriter out(512);
  sluice::jaeger::Report report;
  const bool taken =
      sluice::jaeger::translate_post_spans(bytes, sluice::Allowance::Input::kept, out, report);
  if (taken != report.error.empty()) std::abort();
  sluice::test::check_translation(taken, std::move(out), report);
  return 0;
}

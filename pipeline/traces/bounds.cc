#include "pipeline/traces/bounds.h"

#include <optional>
#include <string>
#include <string_view>

#include "config/service.h"
#include "pipeline/memory_limit.h"

namespace sluice {
namespace {

void decode_bytes(const config::Node& node, std::string_view key, std::uint64_t& bytes) {
  constexpr std::uint64_t mebibyte = 1 << 20;
  std::string text;
  node.optional(key, text);
  if (text.empty()) return;
  const std::optional<std::uint64_t> read = config::parse_bytes(text);
  if (read && *read >= mebibyte)
    bytes = *read;
  else
    node.unexpected(key, "at least 1 MiB, such as \"512MiB\"");
}

}  // namespace

void decode_trace_bounds(const config::Node& node, TraceBounds& bounds) {
  node.optional("num_traces", bounds.num_traces);
  node.expect(bounds.num_traces > 0 && bounds.num_traces <= 1'000'000'000, "num_traces",
              "must be from 1 to 1000000000");
  bounds.max_bytes = usable_memory() / 2;
  decode_bytes(node, "max_bytes", bounds.max_bytes);
  decode_bytes(node, "trace_max_bytes", bounds.trace_max_bytes);
}

}  // namespace sluice

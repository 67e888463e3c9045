#include "pipeline/ottl/trace_state.h"

#include "pipeline/sampling/trace_state.h"

namespace sluice::ottl {
namespace {

using sampling::TraceStateMembers;

std::optional<TraceStateMembers> read(std::string_view state) {
  return TraceStateMembers::read(state, TraceStateMembers::BlankMembers::allowed);
}

}  // namespace

Value trace_state_entry(std::string_view state, std::string_view key) {
  const auto members = read(state);
  return members ? Value::of_string(members->find(key)) : Value();
}

std::optional<std::string> with_trace_state_entry(std::string_view state, std::string_view key,
                                                  std::string_view value) {
  const auto members = read(state);
  if (!members || !sampling::is_trace_state_key(key) || !sampling::is_trace_state_value(value))
    return std::nullopt;
  std::string out = std::string(key) + '=' + std::string(value);
  std::size_t count = 1;
  for (const auto& member : members->all()) {
    if (member.key == key || count++ == sampling::TraceStateReader::members_max) continue;
    out += ',';
    out += member.key;
    out += '=';
    out += member.value;
  }
  return out;
}

}  // namespace sluice::ottl

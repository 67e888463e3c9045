#include "pipeline/ottl/draft.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "pipeline/model/wire.h"

namespace sluice::ottl {
namespace {

using wire::write_bytes;

template <typename Number>
NewField fixed_field(std::uint32_t number, wire::Type type, Number value, Arena& memory) {
  if (value == 0) return {number, type, {}};
  char* const begin = memory.take(5 + sizeof value);
  char* const out = wire::write_varint(begin, wire::tag(number, type));
  std::memcpy(out, &value, sizeof value);
  return {number, type, {begin, static_cast<std::size_t>(out - begin) + sizeof value}};
}

}  // namespace

void Draft::begin(std::string_view message, std::uint32_t attributes_number) {
  message_ = message;
  attributes.begin(message, attributes_number);
  memory.release();
  fields_.clear();
  cuts_.clear();
  rewritten_ = false;
}

void Draft::write_to_itself() {
  if (memory.taken() < 4 * message_.size()) return;
  if (!changed() || size() > size_max) return;
  BufferWriter out(size());
  write(out);
  own_ = std::move(out);
  begin(own_.bytes(), attributes.number());
  rewritten_ = true;
}

void Draft::set_field(const NewField& field) {
  const auto there = std::ranges::find(fields_, field.number, &NewField::number);
  if (there != fields_.end()) {
    *there = field;
  } else {
    fields_.push_back(field);
  }
}

std::string_view Draft::holder_of(std::uint32_t number) const {
  for (const NewField& field : fields_) {
    if (field.number == number) return field.whole;
  }
  return message_;
}

void Draft::replace(std::string_view whole, std::string_view with) {
  cuts_.push_back({whole, with});
}

std::size_t Draft::size() const {
  std::size_t size = message_.size() + attributes.fresh_size();
  for (const NewField& field : fields_) size += field.whole.size();
  for (const Cut& cut : cuts_) size += cut.with.size();
  return size;
}

/// Everything that goes, in the order of the message.
void Draft::collect_cuts() {
  attributes.each_edit([this](std::string_view field, std::string_view fresh) {
    cuts_.push_back({field, fresh});
  });
  wire::Cursor cursor(message_);
  wire::Field field;
  while (!fields_.empty() && cursor.next(field)) {
    const auto set = std::ranges::find(fields_, field.number, &NewField::number);
    if (set != fields_.end() && set->type == field.type) cuts_.push_back({field.whole, {}});
  }
  const auto position = [](const Cut& cut) { return cut.whole.data(); };
  if (!std::ranges::is_sorted(cuts_, {}, position)) std::ranges::stable_sort(cuts_, {}, position);
}

void Draft::write(BufferWriter& out) {
  char* const begin = out.tail(size());
  char* at = begin;
  const char* from = message_.data();
  const auto cut = [&at, &from](std::string_view whole, std::string_view with) {
    if (whole.data() < from) return;  // an event that was edited, and then all events went
    at = write_bytes(at, {from, static_cast<std::size_t>(whole.data() - from)});
    at = write_bytes(at, with);
    from = whole.data() + whole.size();
  };
  if (fields_.empty() && cuts_.empty()) {  // attributes alone are in order
    attributes.each_edit(cut);
  } else {
    collect_cuts();
    for (const Cut& each : cuts_) cut(each.whole, each.with);
  }
  const char* const end = message_.data() + message_.size();
  at = write_bytes(at, {from, static_cast<std::size_t>(end - from)});
  for (const AttributeList::Item& item : attributes.items()) {
    if (item.is_new()) at = write_bytes(at, item.fresh());
  }
  for (const NewField& field : fields_) at = write_bytes(at, field.whole);
  out.advance(static_cast<std::size_t>(at - begin));
}

NewField text_field(std::uint32_t number, std::string_view content, Arena& memory) {
  if (content.empty()) return {number, wire::Type::length, {}};
  char* const begin = memory.take(10 + content.size());
  char* out = wire::write_varint(begin, wire::tag(number, wire::Type::length));
  out = wire::write_varint(out, content.size());
  out = write_bytes(out, content);
  return {number, wire::Type::length, {begin, static_cast<std::size_t>(out - begin)}};
}

NewField varint_field(std::uint32_t number, std::uint64_t value, Arena& memory) {
  if (value == 0) return {number, wire::Type::varint, {}};
  char* const begin = memory.take(15);
  char* out = wire::write_varint(begin, wire::tag(number, wire::Type::varint));
  out = wire::write_varint(out, value);
  return {number, wire::Type::varint, {begin, static_cast<std::size_t>(out - begin)}};
}

NewField fixed64_field(std::uint32_t number, std::uint64_t value, Arena& memory) {
  return fixed_field(number, wire::Type::fixed64, value, memory);
}

NewField fixed32_field(std::uint32_t number, std::uint32_t value, Arena& memory) {
  return fixed_field(number, wire::Type::fixed32, value, memory);
}

}  // namespace sluice::ottl

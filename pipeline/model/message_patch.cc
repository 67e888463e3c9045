#include "pipeline/model/message_patch.h"

#include <cstring>

#include "pipeline/model/otlp_fields.h"
#include "pipeline/model/wire.h"

namespace sluice {
namespace {

char* put(char* out, std::string_view bytes) {
  if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
  return out + bytes.size();
}

char* put_head(char* out, std::uint32_t number, std::size_t content) {
  out = wire::write_varint(out, wire::tag(number, wire::Type::length));
  return wire::write_varint(out, content);
}

char* put_field(char* out, std::uint32_t number, std::string_view content) {
  return put(put_head(out, number, content.size()), content);
}

std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

}  // namespace

void MessagePatch::begin(std::string_view message) {
  message_ = message;
  pieces_.clear();
  size_ = message.size();
  memory_.release();
}

std::size_t MessagePatch::replace(std::string_view field, std::string_view bytes) {
  pieces_.push_back({field, bytes});
  size_ += bytes.size();
  size_ -= field.size();
  return pieces_.size() - 1;
}

void MessagePatch::amend(std::size_t replaced, std::string_view bytes) {
  std::string_view& now = pieces_[replaced].bytes;
  size_ += bytes.size();
  size_ -= now.size();
  now = bytes;
}

void MessagePatch::append(std::string_view bytes) {
  pieces_.push_back({{}, bytes});
  size_ += bytes.size();
}

void MessagePatch::write(BufferWriter& out) const {
  write_to(out.tail(size_));
  out.advance(size_);
}

char* MessagePatch::write_to(char* out) const {
  const char* from = message_.data();
  for (const Piece& piece : pieces_) {
    if (piece.field.empty()) continue;
    out = put(put(out, between(from, piece.field.data())), piece.bytes);
    from = piece.field.data() + piece.field.size();
  }
  out = put(out, between(from, message_.data() + message_.size()));
  for (const Piece& piece : pieces_) {
    if (piece.field.empty()) out = put(out, piece.bytes);
  }
  return out;
}

std::string_view MessagePatch::copy(std::string_view bytes) {
  char* const begin = memory(bytes.size());
  return between(begin, put(begin, bytes));
}

std::string_view MessagePatch::string_field(std::uint32_t number, std::string_view text) {
  char* const begin = memory(wire::field_size(number, text.size()));
  return between(begin, put_field(begin, number, text));
}

std::string_view MessagePatch::attribute(std::uint32_t number, std::string_view key,
                                         std::string_view value) {
  const std::size_t content = wire::field_size(otlp::key_value::key, key.size()) +
                              wire::field_size(otlp::key_value::value, value.size());
  char* const begin = memory(wire::field_size(number, content));
  char* out = put_head(begin, number, content);
  out = put_field(out, otlp::key_value::key, key);
  return between(begin, put_field(out, otlp::key_value::value, value));
}

std::string_view MessagePatch::string_attribute(std::uint32_t number, std::string_view key,
                                                std::string_view text) {
  const std::size_t value = wire::field_size(otlp::any_value::string_value, text.size());
  const std::size_t content = wire::field_size(otlp::key_value::key, key.size()) +
                              wire::field_size(otlp::key_value::value, value);
  char* const begin = memory(wire::field_size(number, content));
  char* out = put_head(begin, number, content);
  out = put_field(out, otlp::key_value::key, key);
  out = put_head(out, otlp::key_value::value, value);
  return between(begin, put_field(out, otlp::any_value::string_value, text));
}

std::string_view MessagePatch::integer_attribute(std::uint32_t number, std::string_view key,
                                                 std::int64_t value) {
  char encoded[11];
  char* out =
      wire::write_varint(encoded, wire::tag(otlp::any_value::int_value, wire::Type::varint));
  out = wire::write_varint(out, static_cast<std::uint64_t>(value));
  return attribute(number, key, between(encoded, out));
}

std::string_view MessagePatch::message_field(std::uint32_t number, const MessagePatch& inner) {
  char* const begin = memory(wire::field_size(number, inner.size()));
  return between(begin, inner.write_to(put_head(begin, number, inner.size())));
}

}  // namespace sluice

/// A scalar's text is not what was written: quotes and escapes go, lines of a block lose their
/// indentation, folded ones their breaks. Rather than by YAML's rules for each style, the two are
/// walked side by side: white space of the text stands for white space of the file, however much
/// there is of it, and everything else for itself, or for an escape.
#include "config/scalar_place.h"

#include <algorithm>
#include <optional>

namespace sluice::config {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool continues(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

std::size_t offset_of(std::string_view source, const Position& position) {
  std::size_t at = 0;
  for (int line = 1; line < position.line; ++line) {
    at = source.find('\n', at);
    if (at == std::string_view::npos) return source.size();
    ++at;
  }
  for (int column = 1; column < position.column && at < source.size(); ++column) {
    ++at;
    while (at < source.size() && continues(source[at])) ++at;
  }
  return at;
}

Position position_at(std::string_view source, std::size_t offset, const Position& start) {
  Position position{start.file, 1, 1};
  for (std::size_t i = 0; i < offset && i < source.size(); ++i) {
    if (source[i] == '\n') {
      ++position.line;
      position.column = 1;
    } else if (!continues(source[i])) {
      ++position.column;
    }
  }
  return position;
}

enum class Style { plain, single_quoted, double_quoted, block };

class Walk {
 public:
  Walk(std::string_view source, std::size_t at) : source_(source), at_(at) {
    while (at_ < source_.size() && (source_[at_] == '&' || source_[at_] == '!')) skip_property();
    const char first = at_ < source_.size() ? source_[at_] : ' ';
    if (first == '\'') style_ = Style::single_quoted;
    if (first == '"') style_ = Style::double_quoted;
    if (first == '|' || first == '>') {
      style_ = Style::block;
      at_ = std::min(source_.find('\n', at_), source_.size());
    } else if (style_ != Style::plain) {
      ++at_;
    }
  }

  /// Over what stands for one byte of the text. False where it is something else.
  bool step(char byte) {
    if (is_space(byte)) return step_space(byte);
    skip_space();
    if (at_ >= source_.size()) return false;
    if (style_ == Style::double_quoted && source_[at_] == '\\') return step_escape(byte);
    if (source_[at_] != byte) return false;
    if (style_ == Style::single_quoted && byte == '\'') ++at_;
    ++at_;
    return true;
  }

  /// Right behind what was walked over.
  std::size_t end() const { return at_; }

  /// Where the next byte of the text, which is no white space, will be.
  std::size_t next() {
    skip_space();
    return at_;
  }

 private:
  void skip_property() {
    while (at_ < source_.size() && !is_space(source_[at_])) ++at_;
    while (at_ < source_.size() && is_space(source_[at_])) ++at_;
  }

  bool at_escape(char letter) const {
    return style_ == Style::double_quoted && source_.substr(at_).starts_with('\\') &&
           at_ + 1 < source_.size() && source_[at_ + 1] == letter;
  }

  bool step_space(char byte) {
    const char letter = byte == '\n' ? 'n' : byte == '\t' ? 't' : byte == '\r' ? 'r' : ' ';
    if (at_escape(letter)) {
      at_ += 2;
    } else if (at_ < source_.size() && is_space(source_[at_]) && source_[at_] == byte) {
      ++at_;
    }
    return true;
  }

  void skip_space() {
    while (at_ < source_.size()) {
      if (is_space(source_[at_])) {
        ++at_;
      } else if (at_escape('\n')) {
        at_ += 2;
      } else {
        return;
      }
    }
  }

  /// Of a character beyond ASCII the first byte stands for the escape, the rest for nothing.
  bool step_escape(char byte) {
    if (continues(byte)) return true;
    if (at_ + 1 >= source_.size()) return false;
    const char letter = source_[at_ + 1];
    at_ += letter == 'x' ? 4U : letter == 'u' ? 6U : letter == 'U' ? 10U : 2U;
    return true;
  }

  std::string_view source_;
  std::size_t at_;
  Style style_ = Style::plain;
};

}  // namespace

Position position_within(const Value& scalar, std::string_view source, std::size_t offset,
                         std::size_t size) {
  if (scalar.kind != Node::Kind::scalar || source.empty() || scalar.position.line == 0)
    return scalar.position;
  Walk walk(source, offset_of(source, scalar.position));
  const std::string_view text(scalar.text);
  for (std::size_t i = 0; i < offset && i < text.size(); ++i) {
    if (!walk.step(text[i])) return scalar.position;
  }
  if (offset < text.size() && source.substr(walk.next(), 1) != text.substr(offset, 1) &&
      source.substr(walk.next(), 1) != "\\")
    return scalar.position;
  Position position =
      position_at(source, offset >= text.size() ? walk.end() : walk.next(), scalar.position);
  const std::string_view part = text.substr(std::min(offset, text.size()), size);
  const std::string_view line = part.substr(0, part.find('\n'));
  position.width = std::max<int>(
      1, static_cast<int>(std::ranges::count_if(line, [](char c) { return !continues(c); })));
  return position;
}

}  // namespace sluice::config

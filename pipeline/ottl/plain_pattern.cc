#include "pipeline/ottl/plain_pattern.h"

#include <charconv>

namespace sluice::ottl {
namespace {

constexpr std::uint32_t unbounded = UINT32_MAX;
constexpr std::string_view meta = "\\^$.|?*+()[]{}";

}  // namespace

/// Reads what it knows, and gives up at anything else.
class PlainPattern::Reader {
 public:
  explicit Reader(std::string_view rest) : rest_(rest) {}

  bool at_end() const { return rest_.empty(); }
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  /// A character or a class, with how often it comes.
  bool step(Step& step) { return bytes(step) && repetition(step); }
  /// The character of a step that takes it once; nothing of any other.
  static std::optional<char> literal(const Step& step);

 private:
  bool bytes(Step& step) {
    if (take('[')) return set(step);
    if (take('.')) {
      for (unsigned char byte = 0; byte < 0x80; ++byte) {
        if (byte != '\n') step.add(byte);
      }
      return step.beyond_ascii = true;
    }
    if (take('\\')) return escape(step);
    const auto byte = static_cast<unsigned char>(rest_.front());
    if (byte >= 0x80 || meta.find(rest_.front()) != std::string_view::npos) return false;
    rest_.remove_prefix(1);
    step.add(byte);
    return true;
  }

  bool escape(Step& step) {
    if (take('d')) return range(step, '0', '9');
    if (take('w'))
      return range(step, '0', '9') && range(step, 'A', 'Z') && range(step, 'a', 'z') &&
             range(step, '_', '_');
    if (rest_.empty() || (meta.find(rest_.front()) == std::string_view::npos &&
                          rest_.front() != '-' && rest_.front() != '/'))
      return false;
    step.add(static_cast<unsigned char>(rest_.front()));
    rest_.remove_prefix(1);
    return true;
  }

  static bool range(Step& step, unsigned char first, unsigned char last) {
    for (unsigned byte = first; byte <= last; ++byte) step.add(static_cast<unsigned char>(byte));
    return first <= last;
  }

  /// Behind its bracket: plain characters, ranges of these, and escapes.
  bool set(Step& step) {
    if (rest_.starts_with(']') || rest_.starts_with('-')) return false;
    while (!take(']')) {
      if (take('\\')) {
        if (!escape(step) || rest_.starts_with('-')) return false;
        continue;
      }
      if (rest_.size() < 3) return false;
      const auto first = static_cast<unsigned char>(rest_.front());
      if (first >= 0x80 || first == '[' || first == '^') return false;
      rest_.remove_prefix(1);
      unsigned char last = first;
      if (rest_.front() == '-') {
        last = static_cast<unsigned char>(rest_[1]);
        if (last >= 0x80 || last == '\\' || last == '[' || last == ']') return false;
        rest_.remove_prefix(2);
      }
      if (!range(step, first, last)) return false;
    }
    return true;
  }

  bool repetition(Step& step) {
    if (take('{')) {
      if (!counts(step)) return false;
    } else if (take('*')) {
      step.least = 0;
      step.most = unbounded;
    } else if (take('+')) {
      step.most = unbounded;
    } else if (take('?')) {
      step.least = 0;
    }
    constexpr std::string_view again = "*+?{";
    return rest_.empty() || again.find(rest_.front()) == std::string_view::npos;
  }

  bool counts(Step& step) {
    if (!number(step.least)) return false;
    step.most = step.least;
    if (take(',')) {
      step.most = unbounded;
      if (!rest_.starts_with('}') && !number(step.most)) return false;
    }
    return take('}') && step.least <= step.most;
  }

  bool number(std::uint32_t& out) {
    const char* const end = rest_.data() + rest_.size();
    const auto [at, error] = std::from_chars(rest_.data(), end, out);
    if (error != std::errc() || out > 1000) return false;
    rest_.remove_prefix(static_cast<std::size_t>(at - rest_.data()));
    return true;
  }

  std::string_view rest_;
};

std::optional<char> PlainPattern::Reader::literal(const Step& step) {
  std::optional<char> found;
  if (step.least != 1 || step.most != 1) return found;
  for (unsigned char byte = 0; byte < 0x80; ++byte) {
    if (!step.has(byte)) continue;
    if (found) return std::nullopt;
    found = static_cast<char>(byte);
  }
  return found;
}

std::optional<PlainPattern> PlainPattern::of(std::string_view expression) {
  PlainPattern pattern;
  Reader reader(expression);
  while (!reader.at_end()) {
    if (reader.take('$')) {
      pattern.to_end_ = true;
      if (reader.at_end()) break;
      return std::nullopt;
    }
    Step step;
    if (!reader.step(step)) return std::nullopt;
    const std::optional<char> literal = Reader::literal(step);
    if (literal && pattern.steps_.empty()) {
      pattern.prefix_ += *literal;
    } else {
      pattern.steps_.push_back(step);
    }
  }
  if (pattern.prefix_.empty() || !pattern.has_one_way()) return std::nullopt;
  return pattern;
}

/// Whether a step that takes as much as it can never takes what a later one needs.
bool PlainPattern::has_one_way() const {
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (steps_[i].least == steps_[i].most) continue;
    for (std::size_t next = i + 1; next < steps_.size(); ++next) {
      if (steps_[i].meets(steps_[next])) return false;
      if (steps_[next].least > 0) break;
    }
  }
  return true;
}

std::size_t PlainPattern::end_of(std::string_view text, std::size_t at) const {
  for (const Step& step : steps_) {
    std::uint32_t count = 0;
    for (; count < step.most && at < text.size(); ++count, ++at) {
      const auto byte = static_cast<unsigned char>(text[at]);
      if (byte >= 0x80 && step.beyond_ascii) return unsure;
      if (byte >= 0x80 || !step.has(byte)) break;
    }
    if (count < step.least) return none;
  }
  return to_end_ && at < text.size() ? none : at;
}

}  // namespace sluice::ottl

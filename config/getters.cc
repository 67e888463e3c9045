/// The typed getters: one value in, one variable set, or one error in the fixed form. A null leaves
/// the default, as an absent key does. Types are as strict as the collector's: text in quotes is no
/// number and no boolean; only a string option takes any scalar, with the text as it was written.
#include <charconv>
#include <cmath>
#include <limits>

#include "config/content.h"
#include "config/scalar.h"

namespace sluice::config {
namespace {

bool is_text(const Node& node) { return node.kind() == Node::Kind::scalar; }
bool is_null(const Node& node) { return !node.present() || node.kind() == Node::Kind::null; }

/// Whole numbers, also as "8192.0" or "1e3".
std::optional<std::int64_t> whole(const Node& node) {
  const std::optional<Node::Scalar> scalar = node.scalar();
  if (!scalar) return {};
  if (scalar->type == Node::Scalar::Type::integer) return scalar->integer;
  constexpr double bound =
      9007199254740992.0;  // 2^53: beyond it a real does not tell integers apart
  const bool integral = scalar->type == Node::Scalar::Type::real &&
                        std::abs(scalar->real) <= bound && std::trunc(scalar->real) == scalar->real;
  if (!integral) return {};
  return static_cast<std::int64_t>(scalar->real);
}

template <typename Integer>
bool read_integer(const Node& node, Integer& out) {
  const std::optional<std::int64_t> value = whole(node);
  if (!value || !std::in_range<Integer>(*value)) return false;
  out = static_cast<Integer>(*value);
  return true;
}

template <typename Integer>
std::string range() {
  using Limits = std::numeric_limits<Integer>;
  constexpr bool wide = sizeof(Integer) == 8;
  if (wide) return Limits::is_signed ? "an integer" : "an integer of at least 0";
  return "an integer from " + std::to_string(Limits::min()) + " to " +
         std::to_string(Limits::max());
}

/// "a,b": the collector takes a list of words in one string.
std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    words.emplace_back(text.substr(0, comma));
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
    if (text.empty()) words.emplace_back();
  }
  return words;
}

}  // namespace

std::optional<Node::Scalar> Node::scalar() const {
  if (kind() == Kind::null) return Scalar{};
  if (kind() != Kind::scalar) return {};
  if (content_->value->plain) return resolve_plain(content_->value->text);
  Scalar scalar;
  scalar.type = Scalar::Type::string;
  scalar.string = content_->value->text;
  return scalar;
}

std::string Node::as_string() const {
  if (is_text(*this)) return content_->value->text;
  if (kind() != Kind::null) unexpected("", "text");
  return {};
}

void Node::optional(std::string_view key, std::string& out) const {
  const Node node = child(key);
  if (is_null(node)) return;
  if (!is_text(node)) return unexpected(key, "text");
  out = node.as_string();
}

void Node::optional(std::string_view key, Secret& out) const {
  content_->secrets.emplace(key);
  const Node node = child(key);
  if (is_null(node)) return;
  if (!is_text(node)) return unexpected(key, "text");
  const std::string text = node.as_string();
  if (content_->problems != nullptr) content_->problems->secret(text);
  out = Secret(text);
}

void Node::optional(std::string_view key, bool& out) const {
  const Node node = child(key);
  if (is_null(node)) return;
  const std::optional<Scalar> scalar = node.scalar();
  if (!scalar || scalar->type != Scalar::Type::boolean) return unexpected(key, "true or false");
  out = scalar->boolean;
}

void Node::optional(std::string_view key, std::int32_t& out) const {
  const Node node = child(key);
  if (!is_null(node) && !read_integer(node, out)) unexpected(key, range<std::int32_t>());
}

void Node::optional(std::string_view key, std::int64_t& out) const {
  const Node node = child(key);
  if (!is_null(node) && !read_integer(node, out)) unexpected(key, range<std::int64_t>());
}

void Node::optional(std::string_view key, std::uint32_t& out) const {
  const Node node = child(key);
  if (!is_null(node) && !read_integer(node, out)) unexpected(key, range<std::uint32_t>());
}

void Node::optional(std::string_view key, std::uint64_t& out) const {
  const Node node = child(key);
  if (!is_null(node) && !read_integer(node, out)) unexpected(key, range<std::uint64_t>());
}

void Node::optional(std::string_view key, double& out) const {
  const Node node = child(key);
  if (is_null(node)) return;
  const std::optional<Scalar> scalar = node.scalar();
  if (scalar && scalar->type == Scalar::Type::integer) {
    out = static_cast<double>(scalar->integer);
  } else if (scalar && scalar->type == Scalar::Type::real && std::isfinite(scalar->real)) {
    out = scalar->real;
  } else {
    unexpected(key, "a number");
  }
}

void Node::optional(std::string_view key, std::chrono::nanoseconds& out) const {
  const Node node = child(key);
  if (is_null(node)) return;
  const auto duration = is_text(node) ? parse_duration(node.content_->value->text) : std::nullopt;
  if (!duration) return unexpected(key, "a duration such as \"200ms\"");
  out = *duration;
}

void Node::optional(std::string_view key, std::vector<std::string>& out) const {
  const Node node = child(key);
  if (is_null(node)) return;
  if (is_text(node)) {
    out = split(node.as_string());
    return;
  }
  if (node.kind() != Kind::list) return unexpected(key, "a list");
  out.clear();
  for (const Node& item : node.list()) out.push_back(item.as_string());
}

void Node::optional(std::string_view key,
                    std::vector<std::pair<std::string, std::string>>& out) const {
  const Node node = child(key);
  const auto entries = node.entries();
  if (node.kind() != Kind::map) return;
  out.clear();
  for (const auto& [name, value] : entries) out.emplace_back(name, value.as_string());
}

std::optional<std::size_t> Node::word_index(std::string_view key,
                                            const std::vector<std::string>& words) const {
  const Node node = child(key);
  if (is_null(node)) return {};
  const std::string text = is_text(node) ? node.as_string() : std::string();
  for (std::size_t i = 0; is_text(node) && i < words.size(); ++i) {
    if (words[i] == text) return i;
  }
  std::string expected = words.size() > 1 ? "one of " : "";
  for (std::size_t i = 0; i < words.size(); ++i)
    expected += (i == 0 ? "" : ", ") + in_quotes(words[i]);
  if (!is_text(node)) {
    unexpected(key, expected);
  } else {
    error(key, "expected " + expected + ", found " + in_quotes(text) + did_you_mean(text, words));
  }
  return {};
}

}  // namespace sluice::config

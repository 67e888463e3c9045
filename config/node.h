#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/error.h"

namespace sluice::config {

/// A value that never shows: no stream operator, no formatter.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  const std::string& reveal() const { return text_; }
  bool empty() const { return text_.empty(); }

 private:
  std::string text_;
};

/// One value of the configuration with its path and position. Getters record an error and leave the
/// default when the value does not fit, so that decoding goes on and the user sees every mistake at
/// once. A Node is a cheap handle; all copies share the record of which keys were asked for. An
/// absent node behaves like an empty map and reports nothing but what is required of it.
class Node {
 public:
  enum class Kind { absent, null, scalar, list, map };

  Node();
  ~Node();
  Node(const Node&);
  Node& operator=(const Node&);

  Kind kind() const;
  bool present() const { return kind() != Kind::absent; }
  const std::string& path() const;
  Position position() const;
  Position key_position() const;  ///< of the key that this value stands under, if it has one

  // --- Maps. Each getter marks its key as known. ---
  /// Scalars. Durations take the collector's form ("1h30m", "200ms", "1.5s"; a bare 0 too).
  void optional(std::string_view key, std::string& out) const;
  void optional(std::string_view key, Secret& out) const;
  void optional(std::string_view key, bool& out) const;
  void optional(std::string_view key, std::int32_t& out) const;
  void optional(std::string_view key, std::int64_t& out) const;
  void optional(std::string_view key, std::uint32_t& out) const;
  void optional(std::string_view key, std::uint64_t& out) const;
  void optional(std::string_view key, double& out) const;
  void optional(std::string_view key, std::chrono::nanoseconds& out) const;
  void optional(std::string_view key, std::vector<std::string>& out) const;
  /// Order of the file; keys may hold any text, values any scalar.
  void optional(std::string_view key, std::vector<std::pair<std::string, std::string>>& out) const;
  template <typename Value>
  void optional(std::string_view key, std::optional<Value>& out) const {
    if (!child(key).present() || child(key).kind() == Kind::null) return;
    Value value{};
    optional(key, value);
    out = std::move(value);
  }
  template <typename Value>
  void required(std::string_view key, Value& out) const {
    if (!child(key).present()) missing(key);
    optional(key, out);
  }
  /// One word of a closed set: `one_of("sizer", sizer, {{"items", Sizer::items}, …})`.
  template <typename Value>
  void one_of(std::string_view key, Value& out,
              std::initializer_list<std::pair<std::string_view, Value>> words) const {
    std::vector<std::string> known;
    for (const auto& [word, value] : words) known.emplace_back(word);
    if (const std::optional<std::size_t> index = word_index(key, known))
      out = (words.begin() + *index)->second;
  }

  /// A nested value; absent where the key is not there.
  Node child(std::string_view key) const;
  /// All keys of a map, in order, with their values; marks them as known.
  std::vector<std::pair<std::string, Node>> entries() const;
  bool has(std::string_view key) const;
  /// Marks keys that existing files hold and that mean nothing here; each is named once at start.
  /// They must be on the list in config/README.md.
  void accepted_without_effect(std::initializer_list<std::string_view> keys) const;
  /// Every key that was not asked for by now is an error, with the nearest known one as a hint.
  void no_other_keys() const;

  // --- Lists and scalars ---
  std::vector<Node> list() const;
  /// This value itself as text, if it is a scalar (an error otherwise).
  std::string as_string() const;
  /// A scalar with the type that YAML gives it, for values that go into attributes.
  struct Scalar {
    enum class Type { null, boolean, integer, real, string } type = Type::null;
    bool boolean = false;
    std::int64_t integer = 0;
    double real = 0;
    std::string string;
  };
  std::optional<Scalar> scalar() const;

  // --- Mistakes ---
  void expect(bool condition, std::string_view key, std::string_view message) const;
  /// About the value under `key` (or this value, for an empty key).
  void error(std::string_view key, std::string message) const;
  /// About `size` bytes of this scalar's text from `offset` on, for a value that has a language of
  /// its own: points at where they were written, quotes and block scalars included.
  void error_within(std::size_t offset, std::size_t size, std::string message) const;
  void warning(std::string_view key, std::string message) const;
  /// `expected …, found "…"`: the fixed form for a value that does not fit.
  void unexpected(std::string_view key, std::string_view expected) const;
  bool has_errors() const;  ///< anywhere in this run

  /// The keys that were asked for, for the test that compares them with a component's README:
  /// sorted, those of nested blocks as paths ("retry_on_failure.enabled", "actions[].key"). Keys of
  /// the user's own (entries()) and keys accepted without effect are not among them.
  std::vector<std::string> known_keys() const;

  struct Content;
  explicit Node(std::shared_ptr<const Content> content) : content_(std::move(content)) {}

 private:
  void missing(std::string_view key) const;
  std::optional<std::size_t> word_index(std::string_view key,
                                        const std::vector<std::string>& words) const;
  std::shared_ptr<const Content> content_;
};

/// "1h30m", "200ms", "1.5s", "-3us"; nothing else. Go's syntax.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

/// Parses one YAML text for tests and for single components: no expansion, no merge.
Node parse_text(std::string_view text, std::string file, Problems& problems);

}  // namespace sluice::config

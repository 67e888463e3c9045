/// The only file that includes yaml-cpp. Its event interface is used rather than its node tree:
/// events come with marks, tell plain scalars from quoted ones by their tag ("?" and "!"), and can
/// be stopped at a limit. What yaml-cpp 0.7 leaves out is done here: duplicate keys, `<<`, quotes
/// that are never closed, and the count of nodes that aliases stand for (an alias shares its value,
/// so a bomb costs nothing to build, but everything to walk).
#include "config/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <istream>
#include <streambuf>
#include <unordered_map>
#include <unordered_set>

#include "config/scalar.h"

namespace sluice::config {
namespace {

/// Ends the parse; the message is a problem at the position.
struct Refused {
  Position position;
  std::string message;
};

/// A stream over borrowed bytes.
class ViewBuffer final : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    char* begin =
        const_cast<char*>(text.data());  // setg wants it; nobody writes to an input buffer
    setg(begin, begin, begin + text.size());
  }
};

/// Turns yaml-cpp's marks (zero-based, columns in bytes) into positions (one-based, in characters).
class Places {
 public:
  Places(std::string_view text, const std::string& file) : text_(text), file_(file) {
    lines_.push_back(0);
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') lines_.push_back(i + 1);
    }
  }

  std::size_t offset(const YAML::Mark& mark) const {
    const auto line = std::min(static_cast<std::size_t>(std::max(mark.line, 0)), lines_.size() - 1);
    return std::min(lines_[line] + static_cast<std::size_t>(std::max(mark.column, 0)),
                    text_.size());
  }

  Position position(const YAML::Mark& mark) const {
    const std::size_t end = offset(mark);
    const auto line = std::upper_bound(lines_.begin(), lines_.end(), end) - lines_.begin();
    int column = 1;
    for (std::size_t i = lines_[static_cast<std::size_t>(line) - 1]; i < end; ++i) {
      if ((static_cast<unsigned char>(text_[i]) & 0xc0) != 0x80) ++column;
    }
    return {file_, static_cast<int>(line), column};
  }

  /// False if the scalar at the mark opens a quote that the text never closes; yaml-cpp takes the
  /// end of the file for the closing one.
  bool closed(const YAML::Mark& mark) const {
    std::string_view rest = text_.substr(offset(mark));
    while (rest.starts_with('&') || rest.starts_with('!')) {
      rest.remove_prefix(std::min(rest.find_first_of(" \t\r\n"), rest.size()));
      rest.remove_prefix(std::min(rest.find_first_not_of(" \t\r\n"), rest.size()));
    }
    if (rest.starts_with('\'')) return closed_single(rest);
    return !rest.starts_with('"') || closed_double(rest);
  }

 private:
  static bool closed_single(std::string_view rest) {
    for (std::size_t i = 1; i < rest.size(); ++i) {
      if (rest[i] != '\'') continue;
      if (i + 1 == rest.size() || rest[i + 1] != '\'') return true;
      ++i;
    }
    return false;
  }
  static bool closed_double(std::string_view rest) {
    for (std::size_t i = 1; i < rest.size(); ++i) {
      if (rest[i] == '"') return true;
      if (rest[i] == '\\') ++i;
    }
    return false;
  }

  std::string_view text_;
  const std::string& file_;
  std::vector<std::size_t> lines_;
};

/// Receives the events of one document and builds its values from the inside out.
class Builder final : public YAML::EventHandler {
 public:
  Builder(const Places& places, Problems& problems) : places_(places), problems_(problems) {}

  ValuePtr root() const { return root_; }
  Position last() const { return places_.position(last_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (started_) refuse(mark, "a second document; a configuration is one");
    started_ = true;
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    std::shared_ptr<Value> value = scalar(mark, "", true);
    // The mark is that of whatever comes next; the key is where the user looks.
    if (!open_.empty() && open_.back().key_read) value->position = open_.back().key_position;
    finish(std::move(value), mark, anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    if (tag == "!" && !places_.closed(mark)) refuse(mark, "this quote is never closed");
    finish(scalar(mark, text, is_plain(mark, tag)), mark, anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto known = anchors_.find(anchor);
    if (known == anchors_.end()) refuse(mark, "an alias inside the value that it stands for");
    last_ = mark;
    const Measured& target = known->second;
    if (depth() + target.depth > limits::depth) refuse(mark, "nested deeper than 64");
    count(target.nodes, mark);
    add(target, mark);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    open(Node::Kind::list, mark, tag, anchor, style);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    open(Node::Kind::map, mark, tag, anchor, style);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

 private:
  /// A finished value with what walking it costs.
  struct Measured {
    ValuePtr value;
    std::size_t nodes = 1;
    int depth = 1;
  };
  /// A map or list whose end has not come.
  struct Open {
    std::shared_ptr<Value> value;
    YAML::anchor_t anchor = 0;
    std::size_t nodes = 1;
    int depth = 1;
    bool key_read = false;
    bool skip = false;   ///< the key was there before: its value is dropped
    bool merge = false;  ///< the key is `<<`
    std::string key;
    Position key_position;
    std::unordered_map<std::string, Position> keys;
    std::vector<std::pair<Position, ValuePtr>> merges;
  };

  [[noreturn]] void refuse(const YAML::Mark& mark, std::string message) const {
    throw Refused{places_.position(mark), std::move(message)};
  }

  int depth() const { return static_cast<int>(open_.size()); }

  void count(std::size_t nodes, const YAML::Mark& mark) {
    nodes_ += nodes;
    if (nodes_ > limits::nodes) refuse(mark, "more than 10,000 values, aliases counted in full");
  }

  bool is_plain(const YAML::Mark& mark, const std::string& tag) const {
    static constexpr std::string_view core = "tag:yaml.org,2002:";
    if (tag.empty() || tag == "?") return true;
    if (tag == "!" || tag == std::string(core) + "str") return false;
    for (const std::string_view type : {"int", "float", "bool", "null"}) {
      if (tag == std::string(core).append(type)) return true;
    }
    refuse(mark, "the tag " + in_quotes(tag) + " has no meaning in a configuration");
  }

  std::shared_ptr<Value> scalar(const YAML::Mark& mark, const std::string& text, bool plain) {
    auto value = std::make_shared<Value>();
    const bool null = plain && resolve_plain(text).type == Node::Scalar::Type::null;
    value->kind = null ? Node::Kind::null : Node::Kind::scalar;
    value->position = places_.position(mark);
    value->text = text;
    value->plain = plain;
    return value;
  }

  void finish(std::shared_ptr<Value> value, const YAML::Mark& mark, YAML::anchor_t anchor) {
    last_ = mark;
    count(1, mark);
    const Measured measured{std::move(value)};
    if (anchor != 0) anchors_[anchor] = measured;
    add(measured, mark);
  }

  void open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            YAML::EmitterStyle::value style) {
    static constexpr std::string_view core = "tag:yaml.org,2002:";
    const std::string own = std::string(core) + (kind == Node::Kind::map ? "map" : "seq");
    if (!tag.empty() && tag != "?" && tag != "!" && tag != own) {
      refuse(mark, "the tag " + in_quotes(tag) + " has no meaning in a configuration");
    }
    if (in_key()) {
      // A bracket that is never closed looks like the start of a key to yaml-cpp.
      refuse(mark, kind == Node::Kind::map
                       ? "expected a key, found a map; is a brace left open?"
                       : "expected a key, found a list; is a bracket left open?");
    }
    if (depth() >= limits::depth) refuse(mark, "nested deeper than 64");
    last_ = mark;
    count(1, mark);
    Open level;
    level.value = std::make_shared<Value>();
    level.value->kind = kind;
    level.value->position = places_.position(mark);
    level.value->flow = style == YAML::EmitterStyle::Flow;
    level.anchor = anchor;
    open_.push_back(std::move(level));
  }

  bool in_key() const {
    return !open_.empty() && open_.back().value->kind == Node::Kind::map && !open_.back().key_read;
  }

  void add(const Measured& measured, const YAML::Mark& mark) {
    if (open_.empty()) {
      root_ = measured.value;
      return;
    }
    Open& level = open_.back();
    if (in_key()) return read_key(level, *measured.value, mark);
    level.nodes += measured.nodes;
    level.depth = std::max(level.depth, measured.depth + 1);
    if (level.value->kind == Node::Kind::list) {
      level.value->items.push_back(measured.value);
      return;
    }
    level.key_read = false;
    if (level.skip) return;
    if (level.merge) {
      level.merges.emplace_back(level.key_position, measured.value);
    } else {
      level.value->entries.push_back({level.key, level.key_position, measured.value});
    }
  }

  void read_key(Open& level, const Value& key, const YAML::Mark& mark) {
    if (key.kind != Node::Kind::scalar) refuse(mark, "expected a key, found none");
    level.key_read = true;
    level.key = key.text;
    level.merge = key.plain && key.text == "<<";
    level.key_position = places_.position(mark);
    const auto [first, fresh] = level.keys.emplace(level.key, level.key_position);
    level.skip = !fresh;
    if (fresh) return;
    problems_.error(level.key_position, path() + level.key,
                    "duplicate key; the first is at " + std::to_string(first->second.line) + ':' +
                        std::to_string(first->second.column));
  }

  /// The path of the innermost open value, with a dot at its end, for messages.
  std::string path() const {
    std::string out;
    for (std::size_t i = 0; i + 1 < open_.size(); ++i) {
      const Open& level = open_[i];
      if (level.value->kind == Node::Kind::list) {
        out += '[' + std::to_string(level.value->items.size()) + ']';
      } else {
        out += (out.empty() ? "" : ".") + level.key;
      }
    }
    return out.empty() ? out : out + '.';
  }

  void close() {
    apply_merges(open_.back());
    Open level = std::move(open_.back());
    open_.pop_back();
    const Measured measured{std::move(level.value), level.nodes, level.depth};
    if (level.anchor != 0) anchors_[level.anchor] = measured;
    add(measured, last_);
  }

  /// `<<` takes a map or a list of maps; keys that are written out win, then earlier maps.
  void apply_merges(Open& level) {
    for (const auto& [position, value] : level.merges) {
      const bool many = value->kind == Node::Kind::list;
      const std::vector<ValuePtr> sources = many ? value->items : std::vector<ValuePtr>{value};
      for (const ValuePtr& source : sources) {
        if (source->kind != Node::Kind::map) {
          throw Refused{position, "\"<<\" takes a map or a list of maps"};
        }
        for (const Entry& entry : source->entries) {
          if (level.keys.emplace(entry.key, entry.position).second) {
            level.value->entries.push_back(entry);
          }
        }
      }
    }
  }

  const Places& places_;
  Problems& problems_;
  ValuePtr root_;
  std::vector<Open> open_;
  std::unordered_map<YAML::anchor_t, Measured> anchors_;
  std::size_t nodes_ = 0;
  YAML::Mark last_;
  bool started_ = false;
};

bool run_parser(std::string_view text, Builder& builder, const Places& places, Problems& problems) {
  try {
    ViewBuffer buffer(text);
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
    return true;
  } catch (const Refused& refused) {
    problems.error(refused.position, "", refused.message);
  } catch (const YAML::Exception& exception) {
    problems.error(places.position(exception.mark), "", "not valid YAML: " + exception.msg);
  } catch (const std::exception& exception) {
    problems.error(builder.last(), "", std::string("not valid YAML: ") + exception.what());
  }
  return false;
}

}  // namespace

ValuePtr parse_yaml(std::string_view text, const std::string& file, Problems& problems) {
  problems.source(file, std::string(text));
  if (!guard_yaml(text, file, problems)) return nullptr;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // a byte order mark is no content
  const Places places(text, file);
  Builder builder(places, problems);
  if (!run_parser(text, builder, places, problems)) return nullptr;
  if (builder.root() != nullptr) return builder.root();
  auto empty = std::make_shared<Value>();
  empty->position = {file, 1, 1};
  empty->plain = true;
  return empty;
}

Node parse_text(std::string_view text, std::string file, Problems& problems) {
  const ValuePtr value = parse_yaml(text, file, problems);
  return value == nullptr ? Node() : make_node(value, "", problems);
}

}  // namespace sluice::config

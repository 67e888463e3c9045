/// Expansion as the collector does it, since people rely on its corners: the innermost reference is
/// replaced first and the result is looked at again, so `${env:${env:WHICH}}` works and so does a
/// variable that holds a reference; an odd number of dollars before `${` escapes it. What bounds
/// it: 100 references in a configuration, 1 MiB for each text, and depth and count of the values
/// that come out.
#include "config/expansion.h"

#include <cstdlib>
#include <filesystem>

#include "config/provider.h"
#include "config/scalar.h"
#include "config/yaml.h"

namespace sluice::config {
namespace {

constexpr int references_max = 100;

/// What a reference stands for.
struct Retrieved {
  std::string text;
  std::string source;    ///< "env:NAME" or a path
  bool is_text = false;  ///< never anything but text: an empty default
};

struct Found {
  std::size_t begin = 0;
  std::size_t size = 0;  ///< 0: none
};

/// The first innermost `${…}` that no dollar escapes.
Found find_reference(std::string_view text) {
  std::size_t base = 0;
  while (true) {
    const std::string_view rest = text.substr(base);
    const std::size_t close = rest.find('}');
    if (close == std::string_view::npos) return {};
    const std::size_t open = rest.substr(0, close).rfind("${");
    if (open != std::string_view::npos) {
      std::size_t dollars = 0;
      while (dollars < open && rest[open - dollars - 1] == '$') ++dollars;
      if (dollars % 2 == 0) return {base + open, close + 1 - open};
    }
    base += close + 1;
  }
}

std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    out += text[i];
    if (text[i] == '$' && i + 1 < text.size() && text[i + 1] == '$') ++i;
  }
  return out;
}

void drop_last_newline(std::string& text) {
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
}

class Expander {
 public:
  explicit Expander(Problems& problems) : problems_(problems) {}

  ValuePtr expand(const ValuePtr& value, const std::string& path, int depth) {
    if (!within_limits(*value, path, depth)) return value;
    if (value->kind == Node::Kind::scalar) return expand_scalar(value, path, depth);
    if (value->kind == Node::Kind::null) return value;
    auto out = std::make_shared<Value>(*value);
    for (Entry& entry : out->entries) {
      entry.value =
          expand(entry.value, path.empty() ? entry.key : path + '.' + entry.key, depth + 1);
    }
    for (std::size_t i = 0; i < out->items.size(); ++i) {
      out->items[i] = expand(out->items[i], path + '[' + std::to_string(i) + ']', depth + 1);
    }
    return out;
  }

  bool exceeded() const { return exceeded_; }

 private:
  bool within_limits(const Value& value, const std::string& path, int depth) {
    if (exceeded_) return false;
    const char* message = nullptr;
    if (depth > limits::depth) message = "nested deeper than 64";
    if (++nodes_ > limits::nodes) message = "more than 10,000 values, aliases counted in full";
    if (message == nullptr) return true;
    exceeded_ = true;
    problems_.error(value.position, path, message);
    return false;
  }

  ValuePtr expand_scalar(const ValuePtr& value, const std::string& path, int depth) {
    if (value->text.find('$') == std::string::npos) return value;
    auto out = std::make_shared<Value>(*value);
    while (true) {
      const Found found = find_reference(out->text);
      if (found.size == 0) break;
      const std::string reference = out->text.substr(found.begin, found.size);
      const std::optional<Retrieved> retrieved = resolve(reference, *value, path);
      if (!retrieved) return value;
      if (reference.size() == out->text.size()) {
        if (const ValuePtr tree = adopt(*retrieved, *out)) return expand(tree, path, depth);
        continue;
      }
      out->plain = false;
      replace_all(out->text, reference, retrieved->text);
      if (out->text.size() > limits::file_bytes) {
        problems_.error(value->position, path, "larger than 1 MiB after expansion");
        return value;
      }
    }
    out->text = unescape(out->text);
    const bool null = out->plain && resolve_plain(out->text).type == Node::Scalar::Type::null;
    if (null) out->kind = Node::Kind::null;
    return out;
  }

  static void replace_all(std::string& text, const std::string& from, const std::string& to) {
    std::string out;
    std::size_t begin = 0;
    for (std::size_t at = text.find(from);
         at != std::string::npos && out.size() <= limits::file_bytes; at = text.find(from, begin)) {
      out.append(text, begin, at - begin).append(to);
      begin = at + from.size();
    }
    text = out.append(text, begin);
  }

  /// The text behind `${…}`; empty after an error.
  std::optional<Retrieved> resolve(std::string_view reference, const Value& value,
                                   const std::string& path) {
    const auto refuse = [&](std::string message) -> std::optional<Retrieved> {
      problems_.error(value.position, path, std::move(message));
      return {};
    };
    if (++references_ > references_max) {
      exceeded_ = true;
      return refuse("more than 100 references in one configuration");
    }
    const std::string_view inside = reference.substr(2, reference.size() - 3);
    if (inside.find('$') != std::string_view::npos) {
      return refuse(in_quotes(reference) + " holds a dollar that starts no reference");
    }
    std::optional<Uri> uri = parse_uri(inside);
    // `${NAME:-default}` reads like a scheme; nobody means one.
    if (!uri || uri->rest.starts_with('-')) uri = Uri{"env", inside};
    if (uri->scheme == "env") return from_environment(uri->rest, value, path);
    if (uri->scheme == "file") return from_file(std::string(uri->rest), value, path);
    if (uri->scheme == "yaml") return Retrieved{std::string(uri->rest), "yaml:"};
    return refuse(scheme_refusal(uri->scheme));
  }

  std::optional<Retrieved> from_environment(std::string_view rest, const Value& value,
                                            const std::string& path) {
    const EnvironmentUri uri = parse_environment_uri(rest);
    if (!is_environment_name(uri.name)) {
      problems_.error(value.position, path,
                      in_quotes(uri.name) + " is no name of an environment variable");
      return {};
    }
    Retrieved out{{}, "env:" + uri.name};
    if (const char* text = std::getenv(uri.name.c_str())) {
      out.text = text;
    } else if (uri.fallback) {
      out.text = *uri.fallback;
      out.is_text = out.text.empty();
    } else {
      problems_.warning(value.position, path,
                        "the environment variable " + uri.name + " is not set; it counts as empty");
    }
    return out;
  }

  std::optional<Retrieved> from_file(const std::string& name, const Value& value,
                                     const std::string& path) {
    const std::filesystem::path folder = std::filesystem::path(value.position.file).parent_path();
    const std::string full = (folder / name).string();
    std::string error;
    std::optional<std::string> text = read_file(full, error);
    if (!text) {
      problems_.error(value.position, path, "cannot read " + in_quotes(full) + ": " + error);
      return {};
    }
    drop_last_newline(*text);  // every editor ends a file with one, no password does
    return Retrieved{std::move(*text), full};
  }

  /// The map or list that the text is, if it is one. Null otherwise, with the text in `out`, typed
  /// if YAML gives it a type; what is no YAML at all is text, since passwords look like that.
  ValuePtr adopt(const Retrieved& retrieved, Value& out) {
    Problems attempt;
    const ValuePtr parsed = parse_yaml(retrieved.text, retrieved.source, attempt);
    const bool tree =
        parsed != nullptr && (parsed->kind == Node::Kind::map || parsed->kind == Node::Kind::list);
    if (tree) {
      problems_.source(retrieved.source, retrieved.text);
      for (const Problem& problem : attempt.list()) {
        problems_.error(problem.position, problem.path, problem.message);
      }
      return parsed;
    }
    out.text = retrieved.text;
    out.plain = !retrieved.is_text && parsed != nullptr && parsed->plain &&
                resolve_plain(parsed->text).type != Node::Scalar::Type::string;
    // A comment behind a number is no part of it.
    if (out.plain) out.text = parsed->text;
    return nullptr;
  }

  Problems& problems_;
  std::size_t nodes_ = 0;
  int references_ = 0;
  bool exceeded_ = false;
};

}  // namespace

ValuePtr expand(const ValuePtr& root, Problems& problems) {
  Expander expander(problems);
  ValuePtr expanded = expander.expand(root, "", 1);
  return expander.exceeded() ? nullptr : expanded;
}

}  // namespace sluice::config

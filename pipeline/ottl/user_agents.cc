#include "pipeline/ottl/user_agents.h"

#include <re2/re2.h>

#include <fstream>
#include <iterator>
#include <utility>

#include "config/node.h"
#include "pipeline/ottl/library.h"
#include "pipeline/ottl/patterns.h"

namespace sluice::ottl {

/// Reads regexes.yaml: lists of maps under `user_agent_parsers` and `os_parsers`.
class RuleReader {
 public:
  explicit RuleReader(const config::Node& root) : root_(root) {}

  std::vector<UserAgents::Rule> programs() {
    return rules("user_agent_parsers", "family_replacement",
                 {"v1_replacement", "v2_replacement", "v3_replacement"});
  }
  std::vector<UserAgents::Rule> systems() {
    return rules(
        "os_parsers", "os_replacement",
        {"os_v1_replacement", "os_v2_replacement", "os_v3_replacement", "os_v4_replacement"});
  }
  const std::string& mistake() const { return mistake_; }

 private:
  std::vector<UserAgents::Rule> rules(std::string_view list, std::string_view name_key,
                                      const std::vector<std::string_view>& version_keys) {
    std::vector<UserAgents::Rule> rules;
    for (const config::Node& item : root_.child(list).list()) {
      std::string expression, flags;
      item.optional("regex", expression);
      item.optional("regex_flag", flags);
      if (!flags.empty()) expression = "(?" + flags + ")" + expression;
      UserAgents::Rule rule;
      rule.pattern = make_pattern(expression, mistake_);
      if (!rule.pattern) return {};
      rule.name = replacement(item, name_key, "$1");
      for (std::size_t i = 0; i < version_keys.size(); ++i)
        rule.version.push_back(replacement(item, version_keys[i], "$" + std::to_string(i + 2)));
      rules.push_back(std::move(rule));
    }
    if (rules.empty()) mistake_ = "it has no " + std::string(list);
    return rules;
  }

  static std::string replacement(const config::Node& item, std::string_view key,
                                 std::string otherwise) {
    std::string text;
    item.optional(key, text);
    return text.empty() ? std::move(otherwise) : text;
  }

  const config::Node& root_;
  std::string mistake_;
};

namespace {

/// Of the file that is held by somebody.
struct Held {
  std::mutex lock;
  std::string path;
  std::weak_ptr<const UserAgents> agents;
};

Held& held() {
  static Held only;
  return only;
}

using Groups = std::vector<re2::StringPiece>;

/// `$1` to `$9` are groups; of one that took part in no match nothing is left. As in Go, a name
/// goes as far as letters and digits do: `$1x` is the group "1x", which no pattern has.
std::string filled_in(std::string_view text, const Groups& groups) {
  std::string out;
  const auto in_name = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::size_t end = i + 1;
    if (text[i] == '$') {
      while (end < text.size() && in_name(text[end])) ++end;
    }
    if (end == i + 1) {
      out += text[i];
      continue;
    }
    const auto number = static_cast<std::size_t>(text[i + 1] - '0');
    if (end == i + 2 && number < groups.size())
      out.append(groups[number].data() == nullptr ? "" : groups[number].as_string());
    i = end - 1;
  }
  return out;
}

}  // namespace

std::shared_ptr<const UserAgents> UserAgents::of_file(const std::string& path,
                                                      std::string& mistake) {
  const std::lock_guard hold(held().lock);
  if (auto agents = held().agents.lock(); agents && held().path == path) return agents;

  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file || text.empty()) {
    mistake = "needs the file " + path + ", which the package uap-core brings";
    return nullptr;
  }
  config::Problems problems;
  const config::Node root = config::parse_text(text, path, problems);
  RuleReader reader(root);
  auto agents = std::make_shared<UserAgents>();
  if (!problems.any_errors()) {
    agents->programs_ = reader.programs();
    if (reader.mistake().empty()) agents->systems_ = reader.systems();
  }
  if (problems.any_errors() || !reader.mistake().empty()) {
    mistake = path + " is not what uap-core has: " +
              (problems.any_errors() ? problems.list().front().message : reader.mistake());
    return nullptr;
  }
  held().path = path;
  held().agents = agents;
  return agents;
}

void UserAgents::apply(const std::vector<Rule>& rules, std::string_view text, std::string& name,
                       std::string& version) {
  Groups groups;
  for (const Rule& rule : rules) {
    const auto count = static_cast<std::size_t>(rule.pattern->NumberOfCapturingGroups()) + 1;
    // Most rules do not match, which is known sooner without the groups.
    const re2::StringPiece piece(text.data(), text.size());
    if (!rule.pattern->Match(piece, 0, text.size(), re2::RE2::UNANCHORED, nullptr, 0)) continue;
    groups.assign(count, {});
    rule.pattern->Match(piece, 0, text.size(), re2::RE2::UNANCHORED, groups.data(),
                        static_cast<int>(count));
    name = filled_in(rule.name, groups);
    version.clear();
    for (std::size_t i = 0; i < rule.version.size(); ++i) {
      const std::string part = filled_in(rule.version[i], groups);
      if (!part.empty()) version += (i == 0 ? "" : ".") + part;
    }
    if (!name.empty()) return;
  }
  name = "Other";
}

UserAgent UserAgents::parse(std::string_view text) const {
  std::string key(text);
  if (text.size() <= remembered_text_max) {
    const std::lock_guard hold(lock_);
    const auto found = remembered_.find(key);
    if (found != remembered_.end()) return found->second;
  }
  UserAgent agent;
  apply(programs_, text, agent.name, agent.version);
  apply(systems_, text, agent.system, agent.system_version);
  if (text.size() <= remembered_text_max) {
    const std::lock_guard hold(lock_);
    if (remembered_.size() >= remembered_max) remembered_.clear();
    remembered_.emplace(std::move(key), agent);
  }
  return agent;
}

namespace library {

std::string check_user_agent(Call& call) {
  std::string mistake;
  call.prepared = UserAgents::of_file(UserAgents::usual_file, mistake);
  return mistake;
}

Value user_agent(Evaluation& in, const Call& call) {
  const Value text = call.argument(in, 0);
  if (text.failed()) return text;
  const UserAgent agent = static_cast<const UserAgents*>(call.prepared.get())->parse(text.text);
  MapBuilder map;
  map.put("user_agent.name", Value::of_string(agent.name));
  map.put("user_agent.original", text);
  map.put("user_agent.version", Value::of_string(agent.version));
  if (!agent.system.empty()) map.put("os.name", Value::of_string(agent.system));
  if (!agent.system_version.empty()) map.put("os.version", Value::of_string(agent.system_version));
  return map.finish(in.arena);
}

}  // namespace library
}  // namespace sluice::ottl

// Jaeger's file of sampling strategies:
//
//   {"default_strategy": {"type": "probabilistic", "param": 0.5,
//                         "operation_strategies": [{"operation": "/health", "type":
//                                                   "probabilistic", "param": 0}]},
//    "service_strategies": [{"service": "shop", "type": "ratelimiting", "param": 5}]}
//
// Members that are absent or null count as left out. An operation can be sampled by probability
// alone; one that is rate-limited is left out, so that the default strategy's entry for it, or the
// probability of the service, applies. Of two strategies for one service the later one counts.
#include "extensions/jaegerremotesampling/strategies.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <unordered_set>
#include <utility>

#include "config/error.h"
#include "extensions/jaegerremotesampling/sampling_fields.h"
#include "pipeline/model/span_writer.h"

namespace sluice::remote_sampling {
namespace {

using nlohmann::json;

constexpr std::size_t warnings_max = 10;
constexpr std::size_t library_text_max = 200;

/// Whether brackets outside of strings nest further than they may. Looked at first: a callback
/// into the library's parser would do, but makes it quadratic in the length of a list.
bool too_deep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char letter = text[i];
    if (letter == '"') in_string = !in_string;
    if (in_string) {
      if (letter == '\\') ++i;
    } else if (letter == '[' || letter == '{') {
      if (++depth > depth_max) return true;
    } else if (letter == ']' || letter == '}') {
      --depth;
    }
  }
  return false;
}

/// "3:14", columns in characters.
std::string line_and_column(std::string_view text, std::size_t offset) {
  std::size_t line = 1, column = 1;
  for (const char letter : text.substr(0, offset)) {
    if (letter == '\n') {
      ++line;
      column = 1;
    } else if ((letter & 0xc0) != 0x80) {
      ++column;
    }
  }
  return std::to_string(line) + ':' + std::to_string(column);
}

/// The library's "[json.exception…] parse error at line 1, column 2: syntax error while …" without
/// its name and place.
std::string reason_of(const json::exception& error) {
  std::string_view text = error.what();
  if (const std::size_t end = text.find("] "); end != std::string_view::npos)
    text.remove_prefix(end + 2);
  if (text.starts_with("parse error at "))
    text.remove_prefix(std::min(text.find(": ") + 2, text.size()));
  return std::string(text.substr(0, library_text_max));
}

/// Null with a sentence in `error`.
std::optional<json> parse_json(std::string_view text, std::string_view name, std::string& error) {
  const std::string prefix(name);
  if (too_deep(text)) {
    error = prefix + ": is nested more than " + std::to_string(depth_max) + " deep";
    return std::nullopt;
  }
  try {
    return json::parse(text.begin(), text.end());
  } catch (const json::parse_error& what) {
    const std::size_t offset = std::min(std::max<std::size_t>(what.byte, 1) - 1, text.size());
    error = prefix + ':' + line_and_column(text, offset) + ": " + reason_of(what);
  } catch (const json::exception& what) {  // a number that no double holds
    error = prefix + ": " + reason_of(what);
  }
  return std::nullopt;
}

}  // namespace

/// One run over the file's values. After the first mistake, what it returns does not count.
class Strategies::Reader {
 public:
  Reader(std::string_view name, double probability, Remarks& remarks)
      : name_(name), probability_(probability), remarks_(remarks) {}

  Strategies read(const json& file) {
    Strategies strategies(probability_);
    if (file.is_null()) return strategies;
    if (!expect(file.is_object(), "", "an object", file)) return strategies;
    known(file, "", {"default_strategy", "service_strategies"});
    if (const json* standard = member(file, "default_strategy"))
      strategies.default_ = strategy(*standard, "default_strategy");
    for_each(file, "service_strategies", "", services_max, [&](const json& item, std::string path) {
      const Strategy read = strategy(item, path);
      if (!failed()) strategies.services_.insert_or_assign(text(item, "service", path), read);
    });
    return strategies;
  }
  bool failed() const { return !remarks_.error.empty(); }

 private:
  Strategy strategy(const json& value, const std::string& path) {
    Strategy result;
    if (!expect(value.is_object(), path, "an object", value)) return result;
    known(value, path, {"service", "type", "param", "operation_strategies"});
    result.sampler = sampler(value, path);
    for_each(value, "operation_strategies", path + '.', operations_max,
             [&](const json& item, const std::string& place) {
               result.by_operation = true;
               operation(item, place, result.operations);
             });
    return result;
  }

  void operation(const json& value, const std::string& path, std::vector<Operation>& operations) {
    if (!expect(value.is_object(), path, "an object", value)) return;
    known(value, path, {"operation", "type", "param"});
    const Sampler read = sampler(value, path);
    if (read.rate_limiting) {
      return warn(path, "an operation can be sampled by probability alone; this one is left out");
    }
    operations.push_back({text(value, "operation", path), read.probability});
  }

  Sampler sampler(const json& value, const std::string& path) {
    const std::string type = text(value, "type", path);
    const double param = number(value, "param", path);
    if (type == "probabilistic") return {false, probability(param, path), 0};
    if (type == "ratelimiting") return {true, 0, traces_per_second(param, path)};
    warn(path, "the type " + config::in_quotes(type) +
                   " is neither \"probabilistic\" nor \"ratelimiting\"; the default probability "
                   "is taken");
    return {false, probability_, 0};
  }

  double probability(double param, const std::string& path) {
    if (param < 0 || param > 1) warn(path + ".param", "a probability lies between 0 and 1");
    return std::clamp(param, 0.0, 1.0);
  }

  std::int32_t traces_per_second(double param, const std::string& path) {
    constexpr double most = std::numeric_limits<std::int32_t>::max();
    if (param < 0 || param > most) warn(path + ".param", "no number of traces a second");
    return static_cast<std::int32_t>(std::clamp(param, 0.0, most));
  }

  /// Null where the member is absent or null.
  static const json* member(const json& object, const char* key) {
    const auto found = object.find(key);
    return found == object.end() || found->is_null() ? nullptr : &*found;
  }

  std::string text(const json& object, const char* key, const std::string& path) {
    const json* const value = member(object, key);
    if (value == nullptr || !expect(value->is_string(), path + '.' + key, "text", *value))
      return {};
    return value->get<std::string>();
  }

  double number(const json& object, const char* key, const std::string& path) {
    const json* const value = member(object, key);
    if (value == nullptr || !expect(value->is_number(), path + '.' + key, "a number", *value))
      return 0;
    return value->get<double>();
  }

  template <typename Read>
  void for_each(const json& object, const char* key, const std::string& prefix, std::size_t most,
                Read read) {
    const json* const list = member(object, key);
    if (list == nullptr || !expect(list->is_array(), prefix + key, "a list", *list)) return;
    if (list->size() > most)
      return fail(prefix + key, "has more than " + std::to_string(most) + " entries");
    for (std::size_t i = 0; i < list->size() && !failed(); ++i)
      read((*list)[i], prefix + key + '[' + std::to_string(i) + ']');
  }

  /// Jaeger reads past what it does not know; a slip of the pen should not pass unseen.
  void known(const json& object, const std::string& path, const std::vector<std::string>& keys) {
    for (const auto& [key, value] : object.items()) {
      if (std::ranges::find(keys, key) != keys.end()) continue;
      warn(path, "the key " + config::in_quotes(key) + " means nothing here" +
                     config::did_you_mean(key, keys));
    }
  }

  bool expect(bool right, const std::string& path, std::string_view wanted, const json& found) {
    if (!right) fail(path, "expected " + std::string(wanted) + ", found " + found.type_name());
    return right;
  }
  std::string sentence(const std::string& path, const std::string& message) const {
    return std::string(name_) + ": " + (path.empty() ? "" : path + ": ") + message;
  }
  void fail(const std::string& path, const std::string& message) {
    if (!failed()) remarks_.error = sentence(path, message);
  }
  void warn(const std::string& path, const std::string& message) {
    if (remarks_.warnings.size() < warnings_max)
      remarks_.warnings.push_back(sentence(path, message));
  }

  std::string_view name_;
  double probability_;
  Remarks& remarks_;
};

Strategies::Strategies(double probability)
    : probability_(probability), default_{{false, probability, 0}, false, {}} {}

std::optional<Strategies> Strategies::parse(std::string_view text, std::string_view name,
                                            double probability, Remarks& remarks) {
  if (text.size() > file_bytes_max) {
    remarks.error =
        std::string(name) + ": is larger than " + std::to_string(file_bytes_max) + " bytes";
    return std::nullopt;
  }
  const std::optional<json> file = parse_json(text, name, remarks.error);
  if (!file) return std::nullopt;
  Reader reader(name, probability, remarks);
  Strategies strategies = reader.read(*file);
  if (reader.failed()) return std::nullopt;
  return strategies;
}

double Strategies::operation_default(const Strategy& strategy) const {
  return strategy.sampler.rate_limiting ? probability_ : strategy.sampler.probability;
}

void Strategies::write_sampler(const Sampler& sampler, SpanWriter& writer) {
  if (sampler.rate_limiting) {
    writer.varint(response_field::strategy_type, rate_limiting_type);
    const std::size_t mark = writer.begin(response_field::rate_limiting);
    writer.varint(rate_limiting_field::traces_per_second_max,
                  static_cast<std::uint64_t>(sampler.traces_per_second));
    writer.end(mark);
  } else {
    const std::size_t mark = writer.begin(response_field::probabilistic);
    writer.real(probabilistic_field::sampling_rate, sampler.probability);
    writer.end(mark);
  }
}

void Strategies::write_operation(const Operation& operation, SpanWriter& writer) {
  const std::size_t entry = writer.begin(operations_field::strategies);
  writer.string(operation_field::operation, operation.name);
  const std::size_t sampler = writer.begin(operation_field::probabilistic);
  writer.real(probabilistic_field::sampling_rate, operation.probability);
  writer.end(sampler);
  writer.end(entry);
}

std::string Strategies::response(std::string_view service) const {
  const auto found = services_.find(service);
  const Strategy& strategy = found == services_.end() ? default_ : found->second;
  SpanWriter writer(256);
  write_sampler(strategy.sampler, writer);
  if (!strategy.by_operation && !default_.by_operation) return std::string(writer.out().bytes());

  // Without operations of its own a rate-limited service has the default strategy's probability.
  const bool has_probability = strategy.by_operation || !strategy.sampler.rate_limiting;
  const std::size_t operations = writer.begin(response_field::operations);
  writer.real(operations_field::default_probability,
              operation_default(has_probability ? strategy : default_));
  std::unordered_set<std::string_view> own;
  for (const Operation& operation : strategy.operations) {
    write_operation(operation, writer);
    own.insert(operation.name);
  }
  for (const Operation& operation : default_.operations) {
    if (&strategy != &default_ && !own.contains(operation.name)) write_operation(operation, writer);
  }
  writer.end(operations);
  return std::string(writer.out().bytes());
}

}  // namespace sluice::remote_sampling

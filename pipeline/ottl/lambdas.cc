// Functions that call a lambda for each item of a list (index, value) or entry of a map (key,
// value).
#include <optional>
#include <string>

#include "pipeline/ottl/library.h"

namespace sluice::ottl::library {
namespace {

/// The parameters of one lambda, for as long as it runs.
class Parameters {
 public:
  Parameters(Evaluation& in, const Lambda& lambda) : in_(in), lambda_(lambda) {
    if (in.locals.size() < lambda.first + lambda.count)
      in.locals.resize(lambda.first + lambda.count);
  }
  void set(std::size_t index, const Value& value) { in_.locals[lambda_.first + index] = value; }
  Value call() { return lambda_.call(in_); }
  Value call(const Value& key, const Value& value) {
    set(0, key);
    set(1, value);
    return call();
  }
  /// A failure unless the answer is a boolean.
  Value ask(const Value& key, const Value& value) {
    const Value answer = call(key, value);
    return answer.failed() || answer.type == Type::boolean
               ? answer
               : in_.mismatch("a boolean from the lambda", answer.type);
  }

 private:
  Evaluation& in_;
  const Lambda& lambda_;
};

/// Calls `visit(key, value)` for each, until it gives something.
template <typename Visit>
std::optional<Value> for_each(Evaluation& in, const Value& source, Visit visit) {
  if (source.failed()) return source;
  if (source.type == Type::list) {
    Items items(source);
    for (std::int64_t at = 0; const auto item = items.next(); ++at) {
      if (const std::optional<Value> end = visit(Value::of_integer(at), *item)) return end;
    }
    return std::nullopt;
  }
  if (source.type != Type::map) return in.mismatch("a list or a map", source.type);
  Entries entries(source);
  while (const auto entry = entries.next()) {
    if (const std::optional<Value> end = visit(Value::of_string(entry->key), entry->value))
      return end;
  }
  return std::nullopt;
}

/// A list or a map, as the source is one.
class Collector {
 public:
  Collector(Evaluation& in, Type type) : in_(in), type_(type) {}
  std::optional<Value> add(const Value& key, const Value& value) {
    const bool added = type_ == Type::list ? list_.add(value) : map_.put(key.text, value);
    if (added) return std::nullopt;
    return in_.fail("a list or map cannot hold ", name_of(value.type));
  }
  Value finish() { return type_ == Type::list ? list_.finish(in_.arena) : map_.finish(in_.arena); }

 private:
  Evaluation& in_;
  const Type type_;
  ListBuilder list_;
  MapBuilder map_;
};

/// Whether some item is answered with `wanted`.
Value answers(Evaluation& in, const Call& call, bool wanted) {
  Parameters lambda(in, call.lambda(1));
  const auto end = for_each(in, call.argument(in, 0),
                            [&](const Value& key, const Value& value) -> std::optional<Value> {
                              const Value answer = lambda.ask(key, value);
                              if (answer.failed() || answer.boolean == wanted) return answer;
                              return std::nullopt;
                            });
  return end.value_or(Value::of_boolean(!wanted));
}

}  // namespace

Value all(Evaluation& in, const Call& call) { return answers(in, call, false); }
Value any(Evaluation& in, const Call& call) { return answers(in, call, true); }

Value filter(Evaluation& in, const Call& call) {
  const Value source = call.argument(in, 0);
  Parameters lambda(in, call.lambda(1));
  Collector kept(in, source.type);
  const auto end =
      for_each(in, source, [&](const Value& key, const Value& value) -> std::optional<Value> {
        const Value answer = lambda.ask(key, value);
        if (answer.failed()) return answer;
        return answer.boolean ? kept.add(key, value) : std::nullopt;
      });
  return end ? *end : kept.finish();
}

Value find(Evaluation& in, const Call& call) {
  Parameters lambda(in, call.lambda(1));
  const auto end = for_each(in, call.argument(in, 0),
                            [&](const Value& key, const Value& value) -> std::optional<Value> {
                              const Value answer = lambda.ask(key, value);
                              if (answer.failed()) return answer;
                              if (!answer.boolean) return std::nullopt;
                              if (!call.has(2)) return value;
                              return Parameters(in, call.lambda(2)).call(key, value);
                            });
  return end.value_or(Value());
}

Value map_each(Evaluation& in, const Call& call) {
  const Value source = call.argument(in, 0);
  Parameters lambda(in, call.lambda(1));
  Collector mapped(in, source.type);
  const auto end =
      for_each(in, source, [&](const Value& key, const Value& value) -> std::optional<Value> {
        const Value result = lambda.call(key, value);
        return result.failed() ? result : mapped.add(key, result);
      });
  return end ? *end : mapped.finish();
}

Value map_keys(Evaluation& in, const Call& call) {
  Parameters lambda(in, call.lambda(1));
  MapBuilder map;
  const auto end = for_each(in, call.argument(in, 0),
                            [&](const Value& key, const Value& value) -> std::optional<Value> {
                              const Value name = lambda.call(key, value);
                              if (name.failed()) return name;
                              if (name.type != Type::string)
                                return in.mismatch("a string from the lambda", name.type);
                              map.put(name.text, value);
                              return std::nullopt;
                            });
  return end ? *end : map.finish(in.arena);
}

Value reduce(Evaluation& in, const Call& call) {
  const Value source = call.argument(in, 0);
  Value sum = call.argument(in, 1);
  if (sum.failed()) return sum;
  Parameters lambda(in, call.lambda(2));
  const auto end =
      for_each(in, source, [&](const Value& key, const Value& value) -> std::optional<Value> {
        lambda.set(0, sum);
        lambda.set(1, key);
        lambda.set(2, value);
        sum = lambda.call();
        return sum.failed() ? std::optional(sum) : std::nullopt;
      });
  return end.value_or(sum);
}

Value when(Evaluation& in, const Call& call) {
  const Value answer = call.lambda(0).call(in);
  if (answer.failed()) return answer;
  if (answer.type != Type::boolean) return in.mismatch("a boolean from the lambda", answer.type);
  return call.argument(in, answer.boolean ? 1 : 2);
}

}  // namespace sluice::ottl::library

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/ottl/evaluation.h"
#include "pipeline/ottl/parameter.h"
#include "pipeline/ottl/value.h"

namespace re2 {
class RE2;
}

/// What statements are compiled to: a tree of small nodes, immutable and shared by all workers.
namespace sluice::ottl {

/// `attributes["key"]`, with a key that is known: what most statements are about.
struct Attribute {
  std::optional<std::string_view> find(Evaluation& in) const { return list(in).find(key); }
  Value get(Evaluation& in) const {
    const auto bytes = find(in);
    return bytes ? decoded(*bytes) : Value();
  }
  void set_text(Evaluation& in, std::span<const std::string_view> pieces) const {
    list(in).set_text(key, pieces, (in.*draft).memory);
  }
  AttributeList& list(Evaluation& in) const { return (in.*draft).attributes; }

  Draft Evaluation::*draft;
  std::string_view key;
};

/// Something that gives a value.
class Expression {
 public:
  virtual ~Expression() = default;
  /// `failed` where there is none; the evaluation says why.
  virtual Value get(Evaluation& in) const = 0;
  /// What is known before; `any` where that depends on the span.
  virtual Type type() const { return Type::any; }
  /// The value of what has always the same.
  virtual const Value* constant() const { return nullptr; }
  /// Itself, if it is one: the way to it that goes without calls.
  virtual const Attribute* attribute() const { return nullptr; }
};
using ExpressionPtr = std::unique_ptr<const Expression>;

enum class Truth : std::uint8_t { no, yes, failed };
inline Truth truth(bool yes) { return yes ? Truth::yes : Truth::no; }

/// Something that holds or does not.
class Condition {
 public:
  virtual ~Condition() = default;
  virtual Truth test(Evaluation& in) const = 0;
};
using ConditionPtr = std::unique_ptr<const Condition>;

/// A borrowed `Value edit(AttributeList& map, Arena& memory)`, for as long as the call it is passed
/// to. Gives nil, or `failed`.
class MapEdit {
 public:
  template <typename Edit>
  explicit MapEdit(Edit& edit)
      : edit_(&edit), call_([](void* object, AttributeList& map, Arena& memory) {
          return (*static_cast<Edit*>(object))(map, memory);
        }) {}
  Value operator()(AttributeList& map, Arena& memory) const { return call_(edit_, map, memory); }

 private:
  void* edit_;
  Value (*call_)(void*, AttributeList&, Arena&);
};

/// A place in a span, its resource or its scope, that can be written too.
class Path : public Expression {
 public:
  /// Gives nil, or `failed`. A value of nil empties attributes, maps and lists; other fields refuse
  /// it.
  virtual Value set(Evaluation& in, const Value& value) const = 0;
  /// Runs `edit` over the map that is here, in place. Fails where none is.
  virtual Value edit_map(Evaluation& in, MapEdit edit) const = 0;
  virtual bool writable() const { return true; }
  /// Whether writing it changes more than the span at hand.
  virtual bool shared() const { return false; }
};

/// A literal, with its own memory.
class Constant final : public Expression {
 public:
  explicit Constant(Value value) : value_(value), text_(value.text) { value_.text = text_; }
  Value get(Evaluation&) const override { return value_; }
  Type type() const override { return value_.type; }
  const Value* constant() const override { return &value_; }

 private:
  Value value_;
  const std::string text_;
};

/// A function without a name: its parameters are the locals from `first` on.
struct Lambda {
  std::size_t first = 0;
  std::size_t count = 0;
  ExpressionPtr value;     ///< either this
  ConditionPtr condition;  ///< or this
  /// With the locals set.
  Value call(Evaluation& in) const;
};

struct Function;
struct Shortcut;

/// The type that a parameter insists on; `any` for one that converts or takes all.
Type strict_type(Parameter::Kind kind);
/// `value` as a parameter of this kind has it; nil passes where it may, a failure always.
Value converted(Evaluation& in, const Value& value, Parameter::Kind kind);

/// A function with its arguments. What the arguments must be is in the function's signature
/// (functions.h); `get` and its like convert accordingly.
class Call final : public Expression {
 public:
  struct Argument {
    ExpressionPtr value;
    const Value* known = nullptr;     ///< `value`, where it is constant, as the signature has it
    std::vector<ExpressionPtr> list;  ///< of a list literal where the function wants its items
    const Path* path = nullptr;       ///< `value`, where it is one
    const Attribute* attribute = nullptr;  ///< likewise
    std::unique_ptr<Lambda> lambda;
    const Function* function = nullptr;
    Parameter::Kind kind = Parameter::Kind::any;
    bool given = false;
  };

  explicit Call(const Function& called) : function(&called) {}
  Value get(Evaluation& in) const override;

  bool has(std::size_t index) const { return arguments[index].given; }
  /// Whether it has arguments, and all of them are known before.
  bool constant_arguments() const;
  /// The value as the signature has it; nil passes where it says so.
  Value argument(Evaluation& in, std::size_t index) const {
    const Argument& argument = arguments[index];
    if (argument.known != nullptr) return *argument.known;
    return converted(in, argument.value->get(in), argument.kind);
  }
  /// Of a literal argument, or of one that was left out.
  std::string_view literal(std::size_t index, std::string_view otherwise) const;
  std::int64_t literal(std::size_t index, std::int64_t otherwise) const;
  bool literal(std::size_t index, bool otherwise) const;
  const Path& path(std::size_t index) const { return *arguments[index].path; }
  /// The path, where it is one of these.
  const Attribute* attribute_at(std::size_t index) const { return arguments[index].attribute; }
  const Lambda& lambda(std::size_t index) const { return *arguments[index].lambda; }

  const Function* function;
  std::vector<Argument> arguments;
  std::shared_ptr<const re2::RE2> pattern;   ///< where the function has one and it is constant
  std::shared_ptr<const Shortcut> shortcut;  ///< to its matches
  std::shared_ptr<const void> prepared;      ///< whatever else it made of its constants
};

}  // namespace sluice::ottl

// Recursive descent, a function a rule, without a second try anywhere:
//
//   statement  = call [ "where" or ]
//   or         = and { "or" and }              and = not { "and" not }
//   not        = [ "not" ] comparison          comparison = sum [ operator sum ]
//   sum        = product { ("+" | "-") product }
//   product    = unary { ("*" | "/") unary }   unary = [ "+" | "-" ] primary
//   primary    = literal | call keys | path | symbol | list | map | lambda | "(" or ")"
//   call       = word "(" [ [ word "=" ] or { "," … } ] ")"
//   path       = word keys { "." word keys }   keys = { "[" sum "]" }
//   lambda     = "(" [ word { "," word } ] ")" "=>" or
//   list       = "[" [ or { "," or } ] "]"     map = "{" [ string ":" or { [ "," ] … } ] "}"
#include <algorithm>
#include <charconv>
#include <optional>

#include "config/error.h"
#include "pipeline/codec/hex.h"
#include "pipeline/ottl/syntax.h"

namespace sluice::ottl {
namespace {

using Kind = Syntax::Kind;

std::string found(const Token& token) {
  return token.kind == Token::Kind::end ? "found the end"
                                        : "found " + config::in_quotes(token.text);
}

class Parser {
 public:
  Parser(const std::vector<Token>& tokens, Mistake& mistake) : tokens_(tokens), mistake_(mistake) {}

  SyntaxPtr whole_expression() {
    SyntaxPtr value = or_();
    if (value && !at_end()) return fail("expected an operator or the end");
    return value;
  }

  bool whole_statement(StatementSyntax& statement) {
    const bool call = now().kind == Token::Kind::lower_word && after(1).is_sign("(");
    if (!call) return fail(editor_wanted()) != nullptr;
    statement.editor = primary();
    if (!statement.editor) return false;
    if (take_word("where")) {
      statement.where = or_();
      if (!statement.where) return false;
    }
    return at_end() || fail("expected \"where\" or the end") != nullptr;
  }

 private:
  /// Counts how deep rules lie in one another, so that no text exhausts the stack.
  class Level {
   public:
    explicit Level(Parser& parser) : parser_(parser) { ++parser_.depth_; }
    ~Level() { --parser_.depth_; }
    bool too_deep() const { return parser_.depth_ > limits::depth; }

   private:
    Parser& parser_;
  };

  const Token& now() const { return tokens_[at_]; }
  const Token& after(std::size_t count) const {
    return tokens_[std::min(at_ + count, tokens_.size() - 1)];
  }
  bool at_end() const { return now().kind == Token::Kind::end; }
  bool take_sign(std::string_view sign) {
    if (!now().is_sign(sign)) return false;
    ++at_;
    return true;
  }
  bool take_word(std::string_view word) {
    if (!now().is_word(word)) return false;
    ++at_;
    return true;
  }

  SyntaxPtr fail(std::string expected) {
    mistake_ = {now().place, std::move(expected) + ", " + found(now())};
    return nullptr;
  }
  SyntaxPtr fail_at(Place place, std::string message) {
    mistake_ = {place, std::move(message)};
    return nullptr;
  }
  std::string editor_wanted() const {
    return now().kind == Token::Kind::upper_word
               ? "expected an editor such as set(…), whose name begins with a small letter"
               : "expected an editor such as set(…)";
  }

  SyntaxPtr node(Kind kind) const {
    auto syntax = std::make_unique<Syntax>();
    syntax->kind = kind;
    syntax->place = now().place;
    return syntax;
  }
  /// Ends it with the last token that was taken.
  SyntaxPtr closed(SyntaxPtr syntax) const {
    const Place last = tokens_[at_ - 1].place;
    syntax->place.size = last.offset + last.size - syntax->place.offset;
    return syntax;
  }
  SyntaxPtr joined(Kind kind, std::string_view text, SyntaxPtr left, SyntaxPtr right) const {
    auto syntax = std::make_unique<Syntax>();
    syntax->kind = kind;
    syntax->text = text;
    syntax->place = left->place;
    syntax->items.push_back(std::move(left));
    syntax->items.push_back(std::move(right));
    return closed(std::move(syntax));
  }

  SyntaxPtr or_() {
    const Level level(*this);
    if (level.too_deep()) return fail_at(now().place, "nested deeper than 64");
    return chain(Kind::or_, "or", [this] { return and_(); });
  }
  SyntaxPtr and_() {
    return chain(Kind::and_, "and", [this] { return not_(); });
  }

  /// `a and b and c` is one node, so that a long chain is no deep tree.
  template <typename Part>
  SyntaxPtr chain(Kind kind, std::string_view word, Part part) {
    SyntaxPtr first = part();
    if (!first || !now().is_word(word)) return first;
    auto syntax = std::make_unique<Syntax>();
    syntax->kind = kind;
    syntax->place = first->place;
    syntax->items.push_back(std::move(first));
    while (take_word(word)) {
      SyntaxPtr next = part();
      if (!next) return nullptr;
      if (syntax->items.size() == limits::items) return fail_at(next->place, too_many());
      syntax->items.push_back(std::move(next));
    }
    return closed(std::move(syntax));
  }

  SyntaxPtr not_() {
    if (!now().is_word("not")) return comparison();
    SyntaxPtr syntax = node(Kind::not_);
    ++at_;
    SyntaxPtr operand = comparison();
    if (!operand) return nullptr;
    syntax->items.push_back(std::move(operand));
    return closed(std::move(syntax));
  }

  SyntaxPtr comparison() {
    SyntaxPtr left = sum();
    if (!left || now().kind != Token::Kind::comparison) return left;
    const std::string_view sign = now().text;
    ++at_;
    SyntaxPtr right = sum();
    return right ? joined(Kind::comparison, sign, std::move(left), std::move(right)) : nullptr;
  }

  SyntaxPtr sum() {
    return left_to_right("+", "-", [this] { return product(); });
  }
  SyntaxPtr product() {
    return left_to_right("*", "/", [this] { return unary(); });
  }
  template <typename Part>
  SyntaxPtr left_to_right(std::string_view one, std::string_view other, Part part) {
    SyntaxPtr left = part();
    std::size_t count = 0;
    while (left && (now().is_sign(one) || now().is_sign(other))) {
      // Each makes the tree one deeper.
      if (++count == limits::depth) return fail_at(now().place, "more than 64 operators in a row");
      const std::string_view sign = now().text;
      ++at_;
      SyntaxPtr right = part();
      if (!right) return nullptr;
      left = joined(Kind::arithmetic, sign, std::move(left), std::move(right));
    }
    return left;
  }

  SyntaxPtr unary() {
    if (take_sign("+")) return primary();
    if (!now().is_sign("-")) return primary();
    SyntaxPtr syntax = node(Kind::negation);
    ++at_;
    if (now().kind == Token::Kind::integer) return number(std::move(syntax), true);
    SyntaxPtr operand = primary();
    if (!operand) return nullptr;
    if (operand->kind == Kind::real) {
      operand->real = -operand->real;
      operand->place = syntax->place;
      return closed(std::move(operand));
    }
    syntax->items.push_back(std::move(operand));
    return closed(std::move(syntax));
  }

  SyntaxPtr primary() {
    const Token& token = now();
    switch (token.kind) {
      case Token::Kind::integer:
      case Token::Kind::real: return number(node(Kind::integer), false);
      case Token::Kind::string: return string();
      case Token::Kind::bytes: return bytes();
      case Token::Kind::lower_word: return lower_word();
      case Token::Kind::upper_word: return upper_word();
      default: break;
    }
    if (token.is_sign("[")) return list();
    if (token.is_sign("{")) return map();
    if (!token.is_sign("(")) return fail("expected a value");
    return begins_lambda() ? lambda() : parenthesised();
  }

  SyntaxPtr parenthesised() {
    SyntaxPtr syntax = node(Kind::nil);
    ++at_;
    SyntaxPtr inside = or_();
    if (!inside) return nullptr;
    if (!take_sign(")")) return fail("expected \")\"");
    inside->place = syntax->place;
    return closed(std::move(inside));
  }

  SyntaxPtr number(SyntaxPtr syntax, bool negative) {
    const Token& token = now();
    ++at_;
    const std::string text = (negative ? "-" : "") + std::string(token.text);
    const char* const end = text.data() + text.size();
    syntax = closed(std::move(syntax));
    if (token.kind == Token::Kind::real) {
      syntax->kind = Kind::real;
      const auto [at, error] = std::from_chars(text.data(), end, syntax->real);
      return error == std::errc() ? std::move(syntax)
                                  : fail_at(token.place, "a number out of range");
    }
    syntax->kind = Kind::integer;
    const auto [at, error] = std::from_chars(text.data(), end, syntax->integer);
    return error == std::errc() ? std::move(syntax)
                                : fail_at(token.place, "an integer has at most 64 bits");
  }

  SyntaxPtr string() {
    SyntaxPtr syntax = node(Kind::string);
    if (!unquote(now().text, syntax->text, mistake_)) {
      mistake_.place.offset += now().place.offset;
      return nullptr;
    }
    ++at_;
    return syntax;
  }

  SyntaxPtr bytes() {
    SyntaxPtr syntax = node(Kind::bytes);
    const std::string_view digits = now().text.substr(2);
    if (digits.size() % 2 != 0)
      return fail_at(now().place, "bytes have an even number of hexadecimal digits");
    syntax->text.resize(digits.size() / 2);
    hex::decode(digits, syntax->text.data());
    ++at_;
    return syntax;
  }

  SyntaxPtr lower_word() {
    const std::string_view word = now().text;
    if (after(1).is_sign("(")) return call();
    if (word == "nil" || word == "true" || word == "false") {
      SyntaxPtr syntax = node(word == "nil" ? Kind::nil : Kind::boolean);
      syntax->boolean = word == "true";
      ++at_;
      return syntax;
    }
    for (const std::string_view keyword : {"not", "and", "or", "where"}) {
      if (word == keyword) return fail("expected a value");
    }
    return path();
  }

  SyntaxPtr upper_word() {
    if (after(1).is_sign("(")) return call();
    SyntaxPtr syntax = node(Kind::symbol);
    syntax->text = now().text;
    ++at_;
    return syntax;
  }

  SyntaxPtr path() {
    SyntaxPtr syntax = node(Kind::path);
    do {
      if (now().kind != Token::Kind::lower_word) return fail("expected a field's name");
      if (syntax->segments.size() == limits::items) return fail_at(now().place, too_many());
      Segment segment{now().place, std::string(now().text), {}};
      ++at_;
      if (!keys(segment.keys)) return nullptr;
      syntax->segments.push_back(std::move(segment));
    } while (take_sign("."));
    return closed(std::move(syntax));
  }

  bool keys(std::vector<SyntaxPtr>& out) {
    while (now().is_sign("[")) {
      const Level level(*this);
      if (level.too_deep() || out.size() == limits::depth)
        return fail_at(now().place, "nested deeper than 64") != nullptr;
      ++at_;
      SyntaxPtr key = sum();
      if (!key) return false;
      if (!take_sign("]")) return fail("expected \"]\"") != nullptr;
      out.push_back(std::move(key));
    }
    return true;
  }

  SyntaxPtr call() {
    SyntaxPtr syntax = node(Kind::call);
    syntax->text = now().text;
    at_ += 2;
    if (!take_sign(")")) {
      do {
        if (!argument(*syntax)) return nullptr;
      } while (take_sign(","));
      if (!take_sign(")")) return fail("expected \",\" or \")\"");
    }
    if (!keys(syntax->keys)) return nullptr;
    return closed(std::move(syntax));
  }

  bool argument(Syntax& call) {
    std::string name;
    if (now().kind == Token::Kind::lower_word && after(1).is_sign("=")) {
      name = now().text;
      at_ += 2;
    } else if (!call.names.empty() && !call.names.back().empty()) {
      return fail("expected a named argument behind a named one") != nullptr;
    }
    return item(call, std::move(name));
  }

  bool item(Syntax& parent, std::string name) {
    if (parent.items.size() == limits::items) return fail_at(now().place, too_many()) != nullptr;
    SyntaxPtr value = or_();
    if (!value) return false;
    parent.items.push_back(std::move(value));
    parent.names.push_back(std::move(name));
    return true;
  }

  SyntaxPtr list() {
    SyntaxPtr syntax = node(Kind::list);
    ++at_;
    if (take_sign("]")) return closed(std::move(syntax));
    do {
      if (!item(*syntax, {})) return nullptr;
    } while (take_sign(","));
    return take_sign("]") ? closed(std::move(syntax)) : fail("expected \",\" or \"]\"");
  }

  SyntaxPtr map() {
    SyntaxPtr syntax = node(Kind::map);
    ++at_;
    while (!take_sign("}")) {
      if (now().kind != Token::Kind::string) return fail("expected a key in quotes or \"}\"");
      const SyntaxPtr key = string();
      if (!key) return nullptr;
      if (!take_sign(":")) return fail("expected \":\"");
      if (!item(*syntax, key->text)) return nullptr;
      take_sign(",");
    }
    return closed(std::move(syntax));
  }

  /// Whether the parenthesis here is closed behind nothing but words, and an arrow follows.
  bool begins_lambda() const {
    std::size_t at = at_ + 1;
    while (at < tokens_.size() &&
           (tokens_[at].kind == Token::Kind::lower_word || tokens_[at].kind == Token::Kind::blank ||
            tokens_[at].is_sign(",")))
      ++at;
    return at + 1 < tokens_.size() && tokens_[at].is_sign(")") && tokens_[at + 1].is_sign("=>");
  }

  SyntaxPtr lambda() {
    SyntaxPtr syntax = node(Kind::lambda);
    ++at_;
    while (!now().is_sign(")")) {
      if (now().is_sign(",")) return fail("expected a parameter's name");
      syntax->names.emplace_back(now().text);
      ++at_;
      if (!take_sign(",") && !now().is_sign(")")) return fail("expected \",\" or \")\"");
    }
    at_ += 2;
    SyntaxPtr body = or_();
    if (!body) return nullptr;
    syntax->items.push_back(std::move(body));
    return closed(std::move(syntax));
  }

  static std::string too_many() { return "more than 4096 of these in a row"; }

  const std::vector<Token>& tokens_;
  Mistake& mistake_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

bool prepare(std::string_view text, std::vector<Token>& tokens, Mistake& mistake) {
  if (text.size() > limits::text_size) {
    mistake = {{}, "longer than 65536 bytes"};
    return false;
  }
  return tokenize(text, tokens, mistake);
}

}  // namespace

SyntaxPtr parse_expression(std::string_view text, Mistake& mistake) {
  std::vector<Token> tokens;
  return prepare(text, tokens, mistake) ? Parser(tokens, mistake).whole_expression() : nullptr;
}

bool parse_statement(std::string_view text, StatementSyntax& statement, Mistake& mistake) {
  std::vector<Token> tokens;
  return prepare(text, tokens, mistake) && Parser(tokens, mistake).whole_statement(statement);
}

}  // namespace sluice::ottl

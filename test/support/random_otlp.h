#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace sluice::test {

/// Random requests as wire bytes, valid for every protobuf parser but with everything that the wire
/// format allows: fields in any order, singular fields repeated, unknown fields of all wire types
/// (groups too), known numbers in the wrong wire type, varints longer than they need be, text that
/// is not UTF-8. The same seed gives the same requests.
class RandomOtlp {
 public:
  struct Shape {
    std::size_t resources_max = 4;
    std::size_t scopes_max = 3;
    std::size_t spans_max = 6;
    std::size_t attributes_max = 5;
    bool wild = true;          ///< everything above; false: as an SDK writes it
    bool invalid_ids = false;  ///< some spans have ids that no door takes
  };

  RandomOtlp(std::uint64_t seed, Shape shape) : random_(seed), shape_(shape) {}
  explicit RandomOtlp(std::uint64_t seed) : RandomOtlp(seed, Shape()) {}

  std::string request();
  std::string span();      ///< content of a Span message, with valid ids
  std::string resource();  ///< content of a Resource message
  std::string scope();     ///< content of an InstrumentationScope message

  /// 0 .. bound-1.
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  bool chance(unsigned percent) { return below(100) < percent; }

 private:
  using Fields = std::vector<std::string>;

  std::string joined(Fields fields);
  std::string varint(std::uint64_t value);
  std::string length_field(std::uint32_t number, const std::string& content);
  std::string varint_field(std::uint32_t number, std::uint64_t value);
  std::string unknown_field(int depth);
  std::string text();
  std::string some_bytes(std::size_t size);
  std::string any_value(int depth);
  std::string key_value(int depth);
  void add_attributes(Fields& fields, std::uint32_t number);
  void add_text(Fields& fields, std::uint32_t number);
  void add_count(Fields& fields, std::uint32_t number);
  void add_times(Fields& fields, std::uint32_t number, bool eight_bytes);
  std::string status();
  std::string event();
  std::string link();
  std::string scope_spans();
  std::string resource_spans();

  std::mt19937_64 random_;
  Shape shape_;
};

}  // namespace sluice::test

#include "pipeline/attributes/key_table.h"

#include <catch2/catch.hpp>
#include <set>

namespace sluice::test {
namespace {

TEST_CASE("each key has a number of its own, and no other text has one", "[attributes]") {
  std::vector<std::string> keys;
  for (const std::size_t size : {1, 2, 7, 8, 9, 16, 63, 64, 65, 200}) {
    for (const char last : {'a', 'b'}) {
      keys.push_back(std::string(size - 1, 'x') + last);
      keys.push_back(last + std::string(size - 1, 'x'));
    }
  }
  const KeyTable table(keys);
  std::set<std::uint16_t> numbers;
  for (const std::string& key : keys) {
    CHECK(table.find(key) != KeyTable::none);
    numbers.insert(table.find(key));
    CHECK(table.find(key + "!") == KeyTable::none);
    CHECK(table.find(std::string(key.size(), '!')) == KeyTable::none);
  }
  CHECK(numbers.size() == std::set<std::string>(keys.begin(), keys.end()).size());
  CHECK(table.find("") == KeyTable::none);
}

TEST_CASE("a table without keys finds nothing", "[attributes]") {
  CHECK(KeyTable().find("a") == KeyTable::none);
  CHECK(KeyTable(std::vector<std::string>()).find("") == KeyTable::none);
}

}  // namespace
}  // namespace sluice::test

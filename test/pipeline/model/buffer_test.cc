#include "pipeline/model/buffer.h"

#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

#include "pipeline/ledger.h"
#include "pipeline/model/buffer_pool.h"
#include "pipeline/model/pages.h"

namespace sluice {
namespace {

TEST_CASE("a buffer holds what was written, whatever the steps", "[buffer]") {
  std::string expected;
  BufferWriter writer;
  for (int i = 0; i < 3000; ++i) {
    const std::string piece(static_cast<std::size_t>(i % 97), static_cast<char>('a' + i % 26));
    writer.append(piece);
    writer.append('|');
    expected += piece + '|';
  }
  const Buffer buffer = std::move(writer).freeze();
  CHECK(buffer.bytes() == expected);
  CHECK(writer.size() == 0);
}

TEST_CASE("a writer takes bytes that were read into its tail", "[buffer]") {
  BufferWriter writer(10);
  writer.append("head ");
  char* tail = writer.tail(1 << 20);
  std::memcpy(tail, "tail", 4);
  writer.advance(4);
  CHECK(writer.bytes() == "head tail");
  writer.truncate(4);
  CHECK(Buffer(std::move(writer).freeze()).bytes() == "head");
}

TEST_CASE("no size class wastes more than an eighth", "[buffer]") {
  std::size_t last = 0;
  for (std::size_t bytes = 1024; bytes <= (std::size_t{5} << 20); bytes += 509) {
    const std::size_t size = buffer_pool::class_size(bytes);
    CHECK(size >= bytes);
    CHECK(size >= last);
    CHECK(static_cast<double>(size) <= static_cast<double>(bytes) * 1.125 + 64);
    CHECK(buffer_pool::class_size(size) == size);
    last = size;
  }
}

TEST_CASE("what is pinned is the size class, and little more than the content", "[buffer]") {
  const Buffer exact = Buffer::copy_of(std::string(100'000, 'x'));
  CHECK(exact.pinned() >= exact.size());
  CHECK(exact.pinned() <= 100'000 * 9 / 8);
  // A reservation that was hardly used is not kept.
  BufferWriter generous(1 << 20);
  generous.append("little");
  CHECK(std::move(generous).freeze().pinned() < 1024);
  BufferWriter huge(std::size_t{512} << 20);
  huge.append(std::string(5 << 20, 'y'));
  const Buffer large = std::move(huge).freeze();
  CHECK(large.pinned() <= (std::size_t{6} << 20));
  CHECK(large.bytes().substr(large.size() - 3) == "yyy");
}

TEST_CASE("a writer that grows by moving its pages takes small steps", "[buffer]") {
  const pages::GrowthByMoving moving;
  std::string expected;
  BufferWriter writer(10'000);
  for (int i = 0; i < 300; ++i) {
    const std::string piece(10'007, static_cast<char>('a' + i % 26));
    writer.append(piece);
    expected += piece;
  }
  const std::size_t capacity = writer.capacity();
  CHECK(capacity <= expected.size() * 3 / 2);
  const Buffer buffer = std::move(writer).freeze();
  CHECK(buffer.bytes() == expected);
}

TEST_CASE("what is discarded of a buffer is whole pages, and the rest stays", "[buffer]") {
  const Buffer buffer = Buffer::copy_of(std::string(300'000, 'x'));
  const std::size_t went = pages::discard(buffer.bytes().substr(0, 100'000));
  CHECK(went % 4096 == 0);
  CHECK(went <= 100'000);
  CHECK(went >= 100'000 - 2 * 4096);
  CHECK(buffer.bytes().substr(100'000) == std::string(200'000, 'x'));
  CHECK(pages::discard(buffer.bytes().substr(200'000, 100)) == 0);
}

TEST_CASE("a buffer gives back what it was charged with its last handle", "[buffer][ledger]") {
  Ledger ledger(1 << 20);
  auto charge = ledger.try_charge(10'000);
  REQUIRE(charge);
  BufferWriter writer(10'000);
  writer.append(std::string(9'000, 'x'));
  Buffer buffer = std::move(*charge).freeze(std::move(writer));
  CHECK(ledger.used() == buffer.pinned());
  Buffer second = buffer;
  buffer = {};
  CHECK(ledger.used() == second.pinned());
  second = {};
  CHECK(ledger.used() == 0);
}

TEST_CASE("the ledger refuses what does not fit and forgets nothing", "[ledger]") {
  Ledger ledger(100);
  auto first = ledger.try_charge(60);
  REQUIRE(first);
  CHECK_FALSE(ledger.try_charge(41));
  CHECK(ledger.used() == 60);
  CHECK_FALSE(first->resize(101));
  CHECK(first->resize(100));
  CHECK(first->resize(10));
  CHECK(ledger.used() == 10);
  {
    // What is there already is counted even past the limit; newcomers then wait.
    const Charge over = ledger.charge(500);
    CHECK(ledger.used() == 510);
    CHECK_FALSE(ledger.try_charge(0).has_value());
  }
  ledger.set_limit(5);
  CHECK_FALSE(ledger.try_charge(1));
  first.reset();
  CHECK(ledger.used() == 0);
}

TEST_CASE("a charge whose buffer was never written is given back", "[ledger]") {
  Ledger ledger(100);
  CHECK(Charge(ledger.charge(50)).freeze(BufferWriter()).size() == 0);
  CHECK(ledger.used() == 0);
}

TEST_CASE("buffers may be made, shared and dropped by several threads", "[buffer]") {
  Ledger ledger(std::size_t{1} << 30);
  std::vector<std::thread> threads;
  const Buffer shared = Buffer::copy_of("shared");
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < 300; ++i) {
        const std::size_t size = (i * 7919 + static_cast<std::size_t>(t)) % 300'000 + 1;
        BufferWriter writer(size);
        writer.append(std::string(std::min<std::size_t>(size, 4096), static_cast<char>('a' + t)));
        const Buffer buffer = Charge(ledger.charge(size)).freeze(std::move(writer));
        const Buffer copy = shared;
        if (buffer.bytes().find_first_not_of(static_cast<char>('a' + t)) != std::string_view::npos)
          ++wrong;
        if (copy.bytes() != "shared") ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(ledger.used() == 0);
}

TEST_CASE("the pool keeps a bounded amount and makes room for sizes that are used now",
          "[buffer]") {
  if (buffer_pool::exact()) return;  // nothing is pooled under the address sanitizer
  constexpr std::size_t cached_max = std::size_t{32} << 20;
  {
    std::vector<Buffer> many;
    for (int i = 0; i < 200; ++i) many.push_back(Buffer::copy_of(std::string(300'000, 'x')));
  }
  CHECK(buffer_pool::cached() <= cached_max);
  CHECK(buffer_pool::cached() > cached_max / 2);
  const void* before = nullptr;
  for (int i = 0; i < 100; ++i) {
    BufferWriter writer(3'000'000);
    writer.append("x");
    before = writer.data();
  }
  // The class is new to the pool, which is full of another; it is cached all the same.
  CHECK(BufferWriter(3'000'000).data() == before);
  CHECK(buffer_pool::cached() <= cached_max);
}

TEST_CASE("a block that waits is good for what would take a little less", "[buffer]") {
  if (buffer_pool::exact()) return;  // nothing is pooled under the address sanitizer
  buffer_pool::empty();
  const void* const waits = BufferWriter(500'000).data();
  CHECK(BufferWriter(400'000).data() == waits);
  CHECK(BufferWriter(300'000).data() != waits);
  const Buffer buffer = Buffer::copy_of(std::string(400'000, 'x'));
  CHECK(buffer.data() == waits);
  CHECK(buffer.pinned() > 500'000);
}

TEST_CASE("while much is in use, an eighth of it may wait in the pool", "[buffer]") {
  if (buffer_pool::exact()) return;  // nothing is pooled under the address sanitizer
  constexpr std::size_t least = std::size_t{32} << 20, size = 3'000'000, count = 200;
  std::vector<BufferWriter> used(count);  // their memory is never touched, and costs nothing
  for (BufferWriter& each : used) each.reserve(size);
  used.resize(count / 2);
  CHECK(buffer_pool::cached() > least);
  CHECK(buffer_pool::cached() < count * size / 7);
  used.clear();
  CHECK(buffer_pool::cached() <= least);
}

}  // namespace
}  // namespace sluice

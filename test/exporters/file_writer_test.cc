#include <catch2/catch.hpp>

#include <sys/resource.h>
#include <sys/stat.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>

#include "exporters/file/file_writer.h"
#include "test/exporters/temporary_directory.h"

using namespace sluice;
using namespace sluice::test;
using namespace std::chrono_literals;

namespace {

/// No file of the process may be larger, as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : signal_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, signal_);
  }

 private:
  rlimit before_{};
  void (*signal_)(int);
};

const auto noon =
    std::chrono::system_clock::time_point(std::chrono::milliseconds(1'767'366'245'007));

RotationOptions small_files() {
  RotationOptions rotation;
  rotation.max_megabytes = 1;
  return rotation;
}

/// A record of 600 KiB, of which two do not fit into a file of a megabyte.
std::string large_record(char fill) { return std::string(600 * 1024, fill); }

void write(FileWriter& writer, const std::string& record,
           std::chrono::system_clock::time_point now) {
  REQUIRE(writer.prepare(record.size(), now) == 0);
  writer.append(record, 1);
}

}  // namespace

TEST_CASE("records stay in memory until they are flushed", "[file]") {
  TemporaryDirectory directory;
  FileWriter writer(directory / "a.json", false, std::nullopt);
  REQUIRE(writer.open() == 0);
  write(writer, "one\n", noon);
  write(writer, "two\n", noon);
  CHECK(directory.content("a.json").empty());
  CHECK(writer.unwritten_spans() == 2);
  REQUIRE(writer.flush() == 0);
  CHECK(directory.content("a.json") == "one\ntwo\n");
  CHECK_FALSE(writer.dirty());
}

TEST_CASE("a file is begun anew, or carried on where that is asked for", "[file]") {
  TemporaryDirectory directory;
  directory.create("a.json", "before\n");
  const bool append = GENERATE(false, true);
  {
    FileWriter writer(directory / "a.json", append, std::nullopt);
    REQUIRE(writer.open() == 0);
    write(writer, "after\n", noon);
    REQUIRE(writer.flush() == 0);
  }
  CHECK(directory.content("a.json") == (append ? "before\nafter\n" : "after\n"));
}

TEST_CASE("files are for their owner alone", "[file]") {
  TemporaryDirectory directory;
  FileWriter writer(directory / "a.json", false, std::nullopt);
  REQUIRE(writer.open() == 0);
  struct stat status {};
  REQUIRE(::stat((directory / "a.json").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE("a full file is renamed after the time and a new one is begun", "[file]") {
  TemporaryDirectory directory;
  FileWriter writer(directory / "traces.json", false, small_files());
  REQUIRE(writer.open() == 0);
  write(writer, large_record('a'), noon);
  write(writer, large_record('b'), noon);
  write(writer, large_record('c'), noon);
  REQUIRE(writer.flush() == 0);
  CHECK(directory.names() == std::set<std::string>{"traces.json",
                                                   "traces-2026-01-02T15-04-05.007.json",
                                                   "traces-2026-01-02T15-04-05.008.json"});
  CHECK(directory.content("traces-2026-01-02T15-04-05.007.json") == large_record('a'));
  CHECK(directory.content("traces-2026-01-02T15-04-05.008.json") == large_record('b'));
  CHECK(directory.content("traces.json") == large_record('c'));
}

TEST_CASE("with rotation a file that is there is carried on, and counts towards the size",
          "[file]") {
  TemporaryDirectory directory;
  directory.create("traces", large_record('a'));
  FileWriter writer(directory / "traces", false, small_files());
  REQUIRE(writer.open() == 0);
  write(writer, large_record('b'), noon);
  REQUIRE(writer.flush() == 0);
  CHECK(directory.names() == std::set<std::string>{"traces", "traces-2026-01-02T15-04-05.007"});
}

TEST_CASE("old backups are removed by number and by age, other files are not", "[file]") {
  TemporaryDirectory directory;
  for (const char* name : {"t-2026-01-02T10-00-00.000.json", "t-2026-01-01T10-00-00.000.json",
                           "t-2025-12-20T10-00-00.000.json", "t-notes.json",
                           "t-2025-12-20T10-00-00.000.txt", "u-2025-12-20T10-00-00.000.json"}) {
    directory.create(name, "x");
  }
  RotationOptions rotation;
  std::set<std::string> left{"t-2026-01-02T10-00-00.000.json", "t-notes.json",
                             "t-2025-12-20T10-00-00.000.txt", "u-2025-12-20T10-00-00.000.json"};
  SECTION("by number") { rotation.max_backups = 1; }
  SECTION("by age") {
    rotation.max_days = 3;
    left.insert("t-2026-01-01T10-00-00.000.json");
  }
  SECTION("not at all") {
    rotation.max_backups = 0;
    left.insert({"t-2026-01-01T10-00-00.000.json", "t-2025-12-20T10-00-00.000.json"});
  }
  remove_old_backups(directory / "t.json", rotation, noon);
  CHECK(directory.names() == left);
}

TEST_CASE("what a full disk lets through of a record is cut off, and written once there is room",
          "[file]") {
  TemporaryDirectory directory;
  FileWriter writer(directory / "a.json", false, std::nullopt);
  REQUIRE(writer.open() == 0);
  write(writer, "first\n", noon);
  REQUIRE(writer.flush() == 0);
  const std::string record(100 * 1024, 'r');
  {
    const FileSizeLimit limit(64 * 1024);
    write(writer, record, noon);
    CHECK(directory.content("a.json") == "first\n");
    CHECK(writer.dirty());
    CHECK(writer.prepare(5, noon) == EFBIG);
    CHECK(writer.flush() == EFBIG);
    CHECK(directory.content("a.json") == "first\n");
  }
  write(writer, "last\n", noon);
  REQUIRE(writer.flush() == 0);
  CHECK(directory.content("a.json") == "first\n" + record + "last\n");
}

TEST_CASE("a file that cannot be opened says why", "[file]") {
  TemporaryDirectory directory;
  FileWriter missing(directory / "no/such/place.json", false, std::nullopt);
  CHECK(missing.open() == ENOENT);
  FileWriter wrong(directory.path(), false, std::nullopt);
  CHECK(wrong.open() == EISDIR);
}

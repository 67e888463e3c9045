#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "exporters/file/rotation.h"

namespace sluice {

/// One file that records are appended to, through a buffer of its own. Records are whole in the
/// file or absent: what a full disk lets through of one is cut off again, and the record stays in
/// the buffer until it can be written. Called from one thread, which it may block.
class FileWriter {
 public:
  FileWriter(std::string path, bool append, std::optional<RotationOptions> rotation)
      : path_(std::move(path)), append_(append), rotation_(rotation) {}
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;
  ~FileWriter();

  /// 0, or the errno of what went wrong. So below.
  [[nodiscard]] int open();
  /// Makes ready for a record of `size` bytes: writes out what fills the buffer or could not be
  /// written before, and begins a new file where this one would become too large.
  [[nodiscard]] int prepare(std::size_t size, std::chrono::system_clock::time_point now);
  /// After `prepare`. Into the buffer; a large one goes on to the file, where `flush` tells of
  /// failures.
  void append(std::string_view record, std::uint64_t spans);
  [[nodiscard]] int flush();

  const std::string& path() const { return path_; }
  bool dirty() const { return !buffer_.empty(); }
  /// Spans of the records in the buffer.
  std::uint64_t unwritten_spans() const { return unwritten_spans_; }

 private:
  int rotate(std::chrono::system_clock::time_point now);
  int open_with(int flags);
  void close();

  const std::string path_;
  const bool append_;
  const std::optional<RotationOptions> rotation_;
  int fd_ = -1;
  bool regular_ = false;
  std::uint64_t size_ = 0;  ///< of the file
  std::string buffer_;
  std::uint64_t unwritten_spans_ = 0;
};

}  // namespace sluice

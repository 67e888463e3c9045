#include "cmd/sluice/recording.h"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <optional>
#include <utility>

#include "pipeline/codec/otlp_json.h"
#include "pipeline/net/compression.h"

namespace sluice {
namespace {

constexpr std::size_t record_max = std::size_t{256} << 20;

std::optional<SpanBatch> from_json(std::string_view text, std::string& error) {
  BufferWriter bytes(text.size());
  JsonReport report;
  if (!otlp_json_to_proto(text, bytes, report)) {
    error = report.error;
    return std::nullopt;
  }
  ParseReport parsed;
  std::optional<SpanBatch> batch = SpanBatch::parse(std::move(bytes).freeze(), parsed);
  if (!batch) error = parsed.error;
  return batch;
}

/// A record with its length: protobuf, or either format in a zstd frame.
std::optional<SpanBatch> from_record(std::string_view record, std::string& error) {
  constexpr std::string_view zstd_magic = "\x28\xb5\x2f\xfd";
  BufferWriter plain;
  if (!record.starts_with(zstd_magic)) {
    plain.append(record);
  } else if (net::inflate(net::Encoding::zstd, record, record_max, plain) !=
             net::InflateError::none) {
    error = "broken zstd";
    return std::nullopt;
  }
  if (plain.bytes().starts_with('{')) return from_json(plain.bytes(), error);
  ParseReport report;
  std::optional<SpanBatch> batch = SpanBatch::parse(std::move(plain).freeze(), report);
  if (!batch) error = report.error;
  return batch;
}

bool read_lines(std::istream& file, const std::function<void(SpanBatch)>& take,
                std::string& error) {
  std::string line;
  for (std::size_t number = 1; std::getline(file, line); ++number) {
    if (line.empty()) continue;
    std::optional<SpanBatch> batch = from_json(line, error);
    if (!batch) {
      error = "line " + std::to_string(number) + ": " + error;
      return false;
    }
    take(std::move(*batch));
  }
  return true;
}

bool read_records(std::istream& file, const std::function<void(SpanBatch)>& take,
                  std::string& error) {
  std::string record;
  for (std::size_t number = 1;; ++number) {
    unsigned char length[4];
    if (!file.read(reinterpret_cast<char*>(length), sizeof length)) {
      if (file.gcount() == 0) return true;
      error = "record " + std::to_string(number) + ": the file ends in its length";
      return false;
    }
    const std::size_t size = std::size_t{length[0]} << 24 | std::size_t{length[1]} << 16 |
                             std::size_t{length[2]} << 8 | length[3];
    if (size > record_max) {
      error = "record " + std::to_string(number) + ": longer than 256 MiB";
      return false;
    }
    record.resize(size);
    if (!file.read(record.data(), static_cast<std::streamsize>(size))) {
      error = "record " + std::to_string(number) + ": the file ends in it";
      return false;
    }
    std::optional<SpanBatch> batch = from_record(record, error);
    if (!batch) {
      error = "record " + std::to_string(number) + ": " + error;
      return false;
    }
    take(std::move(*batch));
  }
}

}  // namespace

bool read_recording(const std::string& path, const std::function<void(SpanBatch)>& take,
                    std::string& error) {
  std::ifstream file(path, std::ios::binary);
  const int first = file ? file.peek() : 0;
  bool is_read = false;
  if (!file.is_open() || file.bad())
    error = std::strerror(errno);
  else if (first == '{')
    is_read = read_lines(file, take, error);
  else if (first == std::char_traits<char>::eof())
    is_read = true;
  else
    is_read = read_records(file, take, error);
  if (!is_read) error = path + ": " + error;
  return is_read;
}

}  // namespace sluice

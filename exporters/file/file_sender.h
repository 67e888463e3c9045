#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "exporters/file/rotation.h"
#include "pipeline/executor.h"
#include "pipeline/export/sender.h"

namespace sluice {

struct FileOptions {
  enum class Format : std::uint8_t { json, proto };
  enum class Compression : std::uint8_t { none, zstd };
  std::string path;
  Format format = Format::json;
  Compression compression = Compression::none;
  std::int32_t compression_level = 0;
  bool append = false;
  std::optional<RotationOptions> rotation;
  std::chrono::nanoseconds flush_interval = std::chrono::seconds(1);
  bool create_directory = false;
  std::uint32_t directory_permissions = 0755;
  struct GroupBy {
    bool enabled = false;
    std::string resource_attribute = "fileexporter.path_segment";
    std::uint32_t open_files_max = 100;
  } group_by;
};

/// Writes batches to files, on a thread of its own, since a disk may block; or, for tests, on the
/// executor that is given.
std::unique_ptr<Sender> make_file_sender(const FileOptions& options, const std::string& id,
                                         Executor* executor);

}  // namespace sluice

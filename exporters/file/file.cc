#include "exporters/file/file.h"

#include <algorithm>

#include "exporters/file/file_sender.h"

namespace sluice {
namespace {

using std::chrono::nanoseconds;

std::optional<RotationOptions> decode_rotation(const config::Node& node) {
  if (!node.present()) return std::nullopt;
  RotationOptions rotation;
  node.optional("max_megabytes", rotation.max_megabytes);
  node.optional("max_days", rotation.max_days);
  node.optional("max_backups", rotation.max_backups);
  node.optional("localtime", rotation.localtime);
  node.expect(rotation.max_megabytes > 0 && rotation.max_megabytes <= 1'000'000, "max_megabytes",
              "must be between 1 and 1000000");
  node.no_other_keys();
  return rotation;
}

void decode_group_by(const config::Node& parent, FileOptions& options) {
  const config::Node node = parent.child("group_by");
  FileOptions::GroupBy& group = options.group_by;
  node.optional("enabled", group.enabled);
  node.optional("resource_attribute", group.resource_attribute);
  node.optional("max_open_files", group.open_files_max);
  node.expect(!group.resource_attribute.empty(), "resource_attribute", "must not be empty");
  node.expect(group.open_files_max > 0, "max_open_files", "must be at least 1");
  node.no_other_keys();
  if (!group.enabled) return;
  parent.expect(
      std::count(options.path.begin(), options.path.end(), '*') == 1 && options.path[0] != '*',
      "path", "must hold exactly one *, not in front, when group_by is enabled");
}

void decode_directory(const config::Node& node, FileOptions& options) {
  std::string permissions;
  node.optional("create_directory", options.create_directory);
  node.optional("directory_permissions", permissions);
  if (permissions.empty()) return;
  const bool octal =
      permissions.size() <= 4 && permissions.find_first_not_of("01234567") == std::string::npos;
  const unsigned long bits = octal ? std::stoul(permissions, nullptr, 8) : 01000;
  if (bits > 0777)
    return node.unexpected("directory_permissions", "octal permissions such as \"0755\"");
  node.expect(options.create_directory, "directory_permissions", "needs create_directory: true");
  options.directory_permissions = static_cast<std::uint32_t>(bits);
}

FileOptions decode_options(const config::Node& node) {
  FileOptions options;
  node.required("path", options.path);
  node.expect(!node.has("path") || !options.path.empty(), "path", "must not be empty");
  node.one_of("format", options.format,
              {{"json", FileOptions::Format::json}, {"proto", FileOptions::Format::proto}});
  node.one_of("compression", options.compression,
              {{"zstd", FileOptions::Compression::zstd},
               {"none", FileOptions::Compression::none},
               {"", FileOptions::Compression::none}});
  const config::Node parameters = node.child("compression_params");
  parameters.optional("level", options.compression_level);
  parameters.expect(options.compression_level >= 0 && options.compression_level <= 19, "level",
                    "must be between 0 (the default) and 19");
  parameters.no_other_keys();
  node.optional("append", options.append);
  options.rotation = decode_rotation(node.child("rotation"));
  node.optional("flush_interval", options.flush_interval);
  node.expect(options.flush_interval >= nanoseconds::zero(), "flush_interval",
              "must not be negative");
  if (options.flush_interval == nanoseconds::zero())
    options.flush_interval = FileOptions().flush_interval;
  decode_directory(node, options);
  decode_group_by(node, options);
  const bool compressed = options.compression != FileOptions::Compression::none;
  node.expect(!options.append || !compressed, "append", "cannot be combined with compression");
  node.expect(!options.append || !options.rotation, "append",
              "cannot be combined with rotation, which carries on with a file that is there");
  if (node.has("encoding"))
    node.error("encoding", "encoding extensions are not supported; use format");
  node.no_other_keys();
  return options;
}

ExporterBuilder decode(const config::Node& node) {
  const FileOptions options = decode_options(node);
  // As in the collector there is no queue: the answer is that of the write, and who is refused (a
  // full disk) keeps the spans and comes back.
  ExportOptions around;
  around.queue.enabled = false;
  around.retry.enabled = false;
  around.timeout = nanoseconds::zero();
  return [options, around](const ExporterContext& context) {
    return make_exporter(context, around, make_file_sender(options, context.id, nullptr));
  };
}

}  // namespace

ExporterType file_exporter() { return {{"file", decode}}; }

}  // namespace sluice

#include "exporters/file/file_sender.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <list>
#include <map>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

#include <sys/stat.h>

#include "exporters/file/file_writer.h"
#include "exporters/file/record.h"
#include "pipeline/log.h"
#include "pipeline/model/span_view.h"
#include "pipeline/net/event_loop.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t record_capacity_kept = 1024 * 1024;

/// Errors that lie in the name, which will not be better next time.
bool is_bad_name(int error) {
  return error == ENAMETOOLONG || error == EISDIR || error == ENOTDIR || error == ELOOP ||
         error == EINVAL;
}

std::string sentence(const std::string& path, int error) {
  return "cannot write \"" + path + "\": " + std::strerror(error);
}

int create_directories(const fs::path& directory, std::uint32_t permissions) {
  fs::path made;
  for (const fs::path& part : directory) {
    made /= part;
    if (::mkdir(made.c_str(), permissions) == 0 || errno == EEXIST || errno == EISDIR) continue;
    if (const int error = errno; !fs::is_directory(made)) return error;
  }
  return 0;
}

/// What an attribute's value may name: a path below the place of the `*`, never above it.
std::string safe_segment(std::string_view value) {
  std::string segment = fs::path("/" + std::string(value)).lexically_normal().string();
  for (char& c : segment) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '_';
  }
  segment.erase(0, std::min(segment.find_first_not_of('/'), segment.size()));
  return segment;
}

/// Some spans of a batch and the file they go to.
struct Group {
  std::string path;
  SpanBatch batch;
};

/// A record that can be appended to a file that is ready for it.
struct ReadyRecord {
  FileWriter* writer;
  std::size_t offset;  ///< in the buffer of records
  std::size_t size;
  std::uint64_t spans;
};

class FileSender final : public Sender {
 public:
  FileSender(const FileOptions& options, const std::string& id, Executor* executor)
      : options_(options), id_(id), executor_(executor) {
    if (executor_ != nullptr) return;
    thread_ = std::make_unique<net::EventLoop>(0);
    executor_ = thread_.get();
  }
  ~FileSender() override {
    if (thread_) thread_->stop();
  }

  bool start(std::string& error) override;
  void send(SpanBatch batch, std::chrono::nanoseconds timeout, SendDone done) override;
  void stop() override;

 private:
  using Writers = std::list<FileWriter>;

  SendResult write(const SpanBatch& batch);
  int make_ready(const Group& group);
  void append_ready();
  std::vector<Group> groups_of(const SpanBatch& batch, std::uint64_t& without) const;
  std::string grouped_path(std::string_view value) const;
  int writer_for(const std::string& path, FileWriter*& writer);
  int evict_one();
  void flush_later();
  void flush();

  const FileOptions options_;
  const std::string id_;
  std::unique_ptr<net::EventLoop> thread_;
  Executor* executor_;
  Writers writers_;  ///< least recently used first
  std::unordered_map<std::string_view, Writers::iterator> by_path_;
  BufferWriter records_;
  std::vector<ReadyRecord> ready_;
  Timer flush_timer_;
};

bool FileSender::start(std::string& error) {
  const std::string& path = options_.path;
  const std::size_t star = options_.group_by.enabled ? path.find('*') : path.size();
  if (options_.create_directory) {
    const fs::path directory = fs::path(path.substr(0, star)).parent_path();
    if (const int code = create_directories(directory, options_.directory_permissions)) {
      error = "cannot create the directory \"" + directory.string() + "\": " + std::strerror(code);
      return false;
    }
  }
  if (!options_.group_by.enabled) {
    writers_.emplace_back(path, options_.append, options_.rotation);
    if (const int code = writers_.back().open()) {
      error = "cannot open \"" + path + "\": " + std::strerror(code);
      writers_.clear();
      return false;
    }
  }
  if (thread_) thread_->start();
  return true;
}

void FileSender::send(SpanBatch batch, std::chrono::nanoseconds, SendDone done) {
  executor_->post(
      [this, batch = std::move(batch), done = std::move(done)]() mutable { done(write(batch)); });
}

void FileSender::stop() {
  if (thread_) thread_->stop();
  flush_timer_.cancel();
  for (FileWriter& writer : writers_) {
    const int error = writer.flush();
    if (error == 0) continue;
    log::error("Spans that were buffered for a file are lost.",
               {{"exporter", id_},
                {"spans", std::to_string(writer.unwritten_spans())},
                {"reason", sentence(writer.path(), error)}});
  }
  by_path_.clear();
  writers_.clear();
}

/// First makes every file ready, then appends to all: a batch that is to be sent again has not been
/// written in part, unless it goes to more files than may be open.
SendResult FileSender::write(const SpanBatch& batch) {
  SendResult result;
  const std::vector<Group> groups = groups_of(batch, result.rejected_spans);
  if (result.rejected_spans > 0) {
    result.message =
        "no resource attribute " + options_.group_by.resource_attribute + ", which names the file";
  }
  ready_.clear();
  records_.truncate(0);
  for (const Group& group : groups) {
    const int error = make_ready(group);
    if (error == 0) continue;
    result.message = sentence(group.path, error);
    if (!options_.group_by.enabled || !is_bad_name(error))
      return {SendResult::Kind::retry, result.message};
    result.rejected_spans += group.batch.span_count();
  }
  append_ready();
  flush_later();
  return result;
}

int FileSender::make_ready(const Group& group) {
  if (ready_.size() >= options_.group_by.open_files_max) append_ready();
  FileWriter* writer = nullptr;
  if (const int error = writer_for(group.path, writer)) return error;
  const std::size_t offset = records_.size();
  append_record(group.batch, options_, records_);
  const std::size_t size = records_.size() - offset;
  if (const int error = writer->prepare(size, executor_->wall_time())) return error;
  ready_.push_back({writer, offset, size, group.batch.span_count()});
  return 0;
}

void FileSender::append_ready() {
  for (const ReadyRecord& record : ready_) {
    record.writer->append(records_.bytes().substr(record.offset, record.size), record.spans);
  }
  ready_.clear();
  records_.truncate(0);
  if (records_.capacity() > record_capacity_kept) records_ = BufferWriter();
}

std::string FileSender::grouped_path(std::string_view value) const {
  const std::size_t star = options_.path.find('*');
  return options_.path.substr(0, star) + safe_segment(value) + options_.path.substr(star + 1);
}

std::vector<Group> FileSender::groups_of(const SpanBatch& batch, std::uint64_t& without) const {
  if (!options_.group_by.enabled) return {{options_.path, batch}};
  std::map<std::string, std::vector<std::uint32_t>> indexes;
  std::vector<std::string> paths;  // by resource: empty where the attribute is absent
  for (const ResourceEntry& resource : batch.resources()) {
    const auto attribute = ResourceView(batch.bytes(resource.resource))
                               .attribute(options_.group_by.resource_attribute);
    const bool named = attribute && attribute->value().type() == AnyValueView::Type::string;
    paths.push_back(named ? grouped_path(attribute->value().string()) : std::string());
  }
  for (std::uint32_t i = 0; i < batch.span_count(); ++i) {
    const std::string& path = paths[batch.scopes()[batch.spans()[i].scope].resource];
    if (path.empty()) {
      ++without;
    } else {
      indexes[path].push_back(i);
    }
  }
  std::vector<Group> groups;
  for (const auto& [path, spans] : indexes) groups.push_back({path, batch.select(spans)});
  return groups;
}

int FileSender::writer_for(const std::string& path, FileWriter*& writer) {
  if (!options_.group_by.enabled) {
    writer = &writers_.front();
    return 0;
  }
  if (const auto found = by_path_.find(path); found != by_path_.end()) {
    writers_.splice(writers_.end(), writers_, found->second);
    writer = &writers_.back();
    return 0;
  }
  if (writers_.size() >= options_.group_by.open_files_max) {
    if (const int error = evict_one()) return error;
  }
  if (const int error =
          create_directories(fs::path(path).parent_path(), options_.directory_permissions))
    return error;
  // A file that was closed to make room is carried on when its turn comes again.
  writers_.emplace_back(path, true, options_.rotation);
  if (const int error = writers_.back().open()) {
    writers_.pop_back();
    return error;
  }
  writer = &writers_.back();
  by_path_.emplace(writer->path(), std::prev(writers_.end()));
  return 0;
}

int FileSender::evict_one() {
  FileWriter& oldest = writers_.front();
  if (const int error = oldest.flush()) return error;
  by_path_.erase(oldest.path());
  writers_.pop_front();
  return 0;
}

void FileSender::flush_later() {
  if (flush_timer_) return;
  flush_timer_ = executor_->after(options_.flush_interval, [this] { flush(); });
}

void FileSender::flush() {
  flush_timer_.cancel();
  bool failed = false;
  for (FileWriter& writer : writers_) {
    const int error = writer.flush();
    if (error == 0) continue;
    failed = true;
    log::limited(log::Level::warn, "A file cannot be written; trying again.",
                 {{"exporter", id_}, {"reason", sentence(writer.path(), error)}});
  }
  if (failed) flush_later();
}

}  // namespace

std::unique_ptr<Sender> make_file_sender(const FileOptions& options, const std::string& id,
                                         Executor* executor) {
  return std::make_unique<FileSender>(options, id, executor);
}

}  // namespace sluice

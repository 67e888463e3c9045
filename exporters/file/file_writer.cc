#include "exporters/file/file_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace sluice {
namespace {

/// As much as is worth a call to the system; what a crash of the process can lose.
constexpr std::size_t buffer_size = 64 * 1024;
constexpr std::uint64_t megabyte = 1024 * 1024;

}  // namespace

FileWriter::~FileWriter() { close(); }

int FileWriter::open() {
  // A file that is rotated is carried on after a restart; one that is not starts anew, unless
  // asked.
  return open_with(append_ || rotation_ ? 0 : O_TRUNC);
}

int FileWriter::open_with(int flags) {
  fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | flags, 0600);
  if (fd_ < 0) return errno;
  struct stat status {};
  if (::fstat(fd_, &status) != 0) {
    const int error = errno;
    close();
    return error;
  }
  regular_ = S_ISREG(status.st_mode);
  size_ = regular_ ? static_cast<std::uint64_t>(status.st_size) : 0;
  return 0;
}

void FileWriter::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

int FileWriter::prepare(std::size_t size, std::chrono::system_clock::time_point now) {
  if (fd_ < 0) {
    if (const int error = open_with(0)) return error;
  }
  if (buffer_.size() >= buffer_size) {
    if (const int error = flush()) return error;
  }
  const std::uint64_t present = size_ + buffer_.size();
  if (!rotation_ || !regular_ || present == 0) return 0;
  return present + size > rotation_->max_megabytes * megabyte ? rotate(now) : 0;
}

void FileWriter::append(std::string_view record, std::uint64_t spans) {
  buffer_ += record;
  unwritten_spans_ += spans;
  if (buffer_.size() >= buffer_size)
    static_cast<void>(flush());  // what fails here fails the next `prepare`
}

int FileWriter::flush() {
  if (fd_ < 0 && dirty()) {
    if (const int error = open_with(0)) return error;
  }
  std::size_t written = 0;
  while (written < buffer_.size()) {
    const ssize_t count = ::write(fd_, buffer_.data() + written, buffer_.size() - written);
    if (count >= 0) {
      written += static_cast<std::size_t>(count);
      continue;
    }
    if (errno == EINTR) continue;
    const int error = errno;
    if (regular_ && written > 0 && ::ftruncate(fd_, static_cast<off_t>(size_)) == 0) return error;
    // What cannot be taken back (a pipe) is not written twice.
    buffer_.erase(0, written);
    size_ += written;
    return error;
  }
  size_ += written;
  unwritten_spans_ = 0;
  buffer_.clear();
  if (buffer_.capacity() > 16 * buffer_size) buffer_.shrink_to_fit();
  return 0;
}

int FileWriter::rotate(std::chrono::system_clock::time_point now) {
  if (const int error = flush()) return error;
  const std::string backup = backup_path(path_, now, rotation_->localtime);
  if (std::rename(path_.c_str(), backup.c_str()) != 0 && errno != ENOENT) return errno;
  close();
  remove_old_backups(path_, *rotation_, now);
  return open_with(0);
}

}  // namespace sluice

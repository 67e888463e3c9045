#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace sluice::test {

/// A file system root with the files that a test puts there; removed at the end.
class FileRoot {
 public:
  FileRoot() {
    std::string name = (std::filesystem::temp_directory_path() / "sluice-root-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~FileRoot() { std::filesystem::remove_all(path_); }
  FileRoot(const FileRoot&) = delete;
  FileRoot& operator=(const FileRoot&) = delete;
  void file(const std::string& name, std::string_view text) const {
    const std::filesystem::path whole = path_ + name;
    std::filesystem::create_directories(whole.parent_path());
    std::ofstream(whole) << text;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace sluice::test

// A folder of a test's own, gone when the test ends, whatever was made in it.
//
// In memory (/dev/shm) where there is room: thousands of small files take seconds on a busy disk, and no test here pulls
// a plug. On disk where programs must be started from it, which /dev/shm may forbid.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <stdexcept>

#include "apps/common/child_process.h"

namespace starling::test {

class TempFolder {
 public:
  enum class Where { memory, disk };

  explicit TempFolder(Where where = Where::memory) {
    constexpr std::uintmax_t kRoom = 512U * 1024 * 1024;
    const std::filesystem::path memory = "/dev/shm";
    std::error_code none;
    const std::filesystem::space_info space = std::filesystem::space(memory, none);
    const bool roomy = !none && space.available != static_cast<std::uintmax_t>(-1) && space.available >= kRoom;
    const std::filesystem::path base =
        where == Where::memory && roomy ? memory : std::filesystem::temp_directory_path();
    std::string name = (base / "starling-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    path_ = std::filesystem::canonical(name);
  }
  ~TempFolder() {  // the tools know paths of any length, and folders that cannot be entered
    (void)apps::run_program({"chmod", "-R", "u+rwX", path_.string()}, std::chrono::seconds(60)).has_value();
    (void)apps::run_program({"rm", "-rf", path_.string()}, std::chrono::seconds(60)).has_value();
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace starling::test

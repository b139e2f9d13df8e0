// libFuzzer's way in. STARLING_FUZZ names the target; STARLING_FUZZ_SEEDS a folder, to write all seeds to and stop.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "core/base/sha256.h"
#include "tests/fuzz/target.h"

using namespace starling;

namespace {

const fuzz::Target* chosen = nullptr;

void write_seeds(const std::filesystem::path& folder) {
  for (const fuzz::Target& target : fuzz::targets()) {
    std::filesystem::create_directories(folder / target.name);
    for (const Bytes& seed : target.seeds()) {
      std::ofstream(folder / target.name / to_hex(hash128(seed).view()), std::ios::binary) << seed;
    }
  }
}

const char* variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t*, std::size_t);

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  if (const std::string folder = variable("STARLING_FUZZ_SEEDS"); !folder.empty()) {
    write_seeds(folder);
    std::exit(0);
  }
  const std::string name = variable("STARLING_FUZZ");
  for (const fuzz::Target& target : fuzz::targets()) {
    if (target.name == name) chosen = &target;
  }
  if (chosen == nullptr) {
    std::cerr << "STARLING_FUZZ must name a target:";
    for (const fuzz::Target& target : fuzz::targets()) std::cerr << ' ' << target.name;
    std::cerr << '\n';
    std::exit(1);
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chosen->check({reinterpret_cast<const char*>(data), size});
  return 0;
}

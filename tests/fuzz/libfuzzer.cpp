// What libFuzzer calls: the entry that PANTANAL_FUZZ_READER names. See tools/fuzz, which is how to run it.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "entry.hpp"

namespace {

const pantanal::fuzz::Entry* chosen = nullptr;

}  // namespace

/// Chooses the entry, and writes its seeds, which libFuzzer then reads, to the folder PANTANAL_FUZZ_SEEDS.
extern "C" int LLVMFuzzerInitialize(int*, char***) {
  using namespace pantanal::fuzz;
  const char* const name = std::getenv("PANTANAL_FUZZ_READER");
  const char* const seeds = std::getenv("PANTANAL_FUZZ_SEEDS");
  std::string names;
  for (const Entry& entry : entries()) {
    names += std::string(" ") + entry.name;
    if (name && std::string_view(entry.name) == name) chosen = &entry;
  }
  if (!chosen) {
    std::printf("PANTANAL_FUZZ_READER must be one of%s\n", names.c_str());
    std::exit(2);
  }
  std::size_t number = 0;
  if (seeds)
    for (const File& file : seeds_of(*chosen))
      pantanal::write_bytes(std::filesystem::path(seeds) / ("seed-" + std::to_string(number++)),
                            as_text(file));
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chosen->read({data, size});
  return 0;
}

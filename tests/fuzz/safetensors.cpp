// Safetensors files, and models in them.
#include "pantanal/io/safetensors.hpp"

#include <cmath>

#include "entry.hpp"
#include "pantanal/perch/model_file.hpp"
#include "sealed.hpp"

namespace pantanal::fuzz {
namespace {

void read_safetensors(Bytes bytes) {
  const auto path = as_file("fuzzed.safetensors", bytes);
  const auto file = SafetensorsFile::open(path);
  if (!succeeded(file)) return;
  for (const auto& [name, entry] : file->tensors()) {
    unsigned sum = 0;
    if (const auto raw = file->bytes(name); succeeded(raw))
      for (const std::byte byte : *raw) sum += static_cast<unsigned>(byte);
    if (const auto floats = file->floats(name); succeeded(floats))
      for (const float value : *floats) sum += std::isnan(value);
    require(sum <= 256u * bytes.size(), "tensors lie within the file");
  }
  (void)succeeded(file->verify_checksum());
  (void)succeeded(perch::load_model(path));
  if (const std::optional<File> whole = sealed(bytes); whole && !std::ranges::equal(*whole, bytes))
    (void)succeeded(perch::load_model(as_file("sealed.safetensors", *whole)));
}

const Registration safetensors({.name = "safetensors",
                                .read = read_safetensors,
                                .seeds = [] { return golden_files("safetensors", {".safetensors"}, 10000); },
                                .runs = 3000});

}  // namespace
}  // namespace pantanal::fuzz

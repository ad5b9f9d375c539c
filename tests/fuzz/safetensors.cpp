// Safetensors files, and models in them.
#include <algorithm>
#include <cmath>

#include "entry.hpp"
#include "pantanal/io/safetensors.hpp"
#include "pantanal/perch/model_file.hpp"

PANTANAL_FUZZ_ENTRY(fuzz_safetensors)(pantanal::fuzz::Bytes bytes) {
  using namespace pantanal;
  const auto path = fuzz::as_file("fuzzed.safetensors", bytes);
  const auto file = SafetensorsFile::open(path);
  if (!fuzz::succeeded(file)) return;
  for (const auto& [name, entry] : file->tensors()) {
    unsigned sum = 0;
    if (const auto raw = file->bytes(name); fuzz::succeeded(raw))
      for (const std::byte byte : *raw) sum += static_cast<unsigned>(byte);
    if (const auto floats = file->floats(name); fuzz::succeeded(floats))
      for (const float value : *floats) sum += std::isnan(value);
    fuzz::require(sum <= 256u * bytes.size(), "tensors lie within the file");
  }
  (void)fuzz::succeeded(file->verify_checksum());
  (void)fuzz::succeeded(perch::load_model(path));
}

// The index of a TensorFlow checkpoint: as it is, and as the block of a sound table, whose checksums would
// otherwise hide the reader from damage.
#include <string>
#include <vector>

#include "convert/checkpoint_writer.hpp"
#include "entry.hpp"
#include "savedmodel/tensor_bundle.hpp"

namespace {

using namespace pantanal;

void open(fuzz::Bytes index) {
  static const std::vector<std::uint8_t> data(4096, 0x3c);
  fuzz::as_file("fuzzed.data-00000-of-00001", data);
  std::string prefix = fuzz::as_file("fuzzed.index", index).string();
  prefix.resize(prefix.size() - std::string(".index").size());
  const auto bundle = convert::TensorBundle::open(prefix);
  if (!fuzz::succeeded(bundle)) return;
  for (const auto& [key, entry] : bundle->entries())
    if (const auto floats = bundle->read_floats(key); fuzz::succeeded(floats))
      fuzz::require(floats->size() * sizeof(float) == entry.size, "a tensor is as large as its entry says");
}

}  // namespace

PANTANAL_FUZZ_ENTRY(fuzz_tensor_bundle)(pantanal::fuzz::Bytes bytes) {
  open(bytes);
  convert::fixtures::TableWriter writer;
  const std::string handle = writer.add_block(std::string(fuzz::as_text(bytes)));
  const std::string table = writer.finish({handle});
  open({reinterpret_cast<const std::uint8_t*>(table.data()), table.size()});
}

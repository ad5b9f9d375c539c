// SavedModels: the index of a TensorFlow checkpoint, as it is and as the block of a sound table, whose
// checksums would otherwise hide the reader from damage; and a whole directory, whose index is that block.
#include "savedmodel/savedmodel.hpp"

#include <map>
#include <string>
#include <vector>

#include "convert/checkpoint_writer.hpp"
#include "entry.hpp"
#include "released_architecture.hpp"
#include "savedmodel/flax_leaves.hpp"
#include "savedmodel/flax_weights.hpp"
#include "savedmodel/tensor_bundle.hpp"

namespace pantanal::fuzz {
namespace {

using namespace convert::fixtures;

void open_bundle(Bytes index) {
  static const File data(4096, 0x3c);
  as_file("fuzzed.data-00000-of-00001", data);
  std::string prefix = as_file("fuzzed.index", index).string();
  prefix.resize(prefix.size() - std::string(".index").size());
  const auto bundle = convert::TensorBundle::open(prefix);
  if (!succeeded(bundle)) return;
  for (const auto& [key, entry] : bundle->entries())
    if (const auto floats = bundle->read_floats(key); succeeded(floats))
      require(floats->size() * sizeof(float) == entry.size, "a tensor is as large as its entry says");
}

/// A table of one block.
std::string table_of(Bytes block) {
  TableWriter writer;
  const std::string handle = writer.add_block(std::string(as_text(block)));
  return writer.finish({handle});
}

void read_tensor_bundle(Bytes bytes) {
  open_bundle(bytes);
  open_bundle(as_seed(table_of(bytes)));
}

std::vector<File> bundles() {
  std::vector<File> seeds = golden_files("tensor_bundle", {".index"}, 10000);
  const std::string block = block_entry(0, "", bundle_header(1)) +
                            block_entry(0, "a/one", bundle_entry(1, {2, 3}, 3, 24, 7)) +
                            block_entry(2, "two", bundle_entry(1, {4}, 27, 16, 9)) + block_end();
  seeds.push_back(as_seed(block));
  return seeds;
}

/// The released structure, a few channels wide.
perch::Architecture narrow_architecture() {
  perch::Architecture architecture = convert::released_architecture();
  architecture.stem.channels = 2;
  std::size_t channels = 2;
  for (perch::Block& block : architecture.blocks) {
    block.in_channels = channels;
    block.expanded_channels = block.has_expand ? channels + 1 : channels;
    block.se_channels = 1;
    if (!block.has_skip) channels = 2 + (channels + 1) % 3;
    block.out_channels = channels;
  }
  architecture.head.channels = 3;
  architecture.label = {.classes = 2, .prototypes = 1};
  return architecture;
}

/// Every leaf of it: the block of the index, and the data.
struct Leaves {
  std::string block, data = "odd";

  Leaves() {
    const std::vector<convert::FlaxLeaf> leaves = convert::flax_leaves(narrow_architecture());
    std::map<std::string, std::string> entries{{"", bundle_header(1)}};
    for (std::size_t i = 0; i < leaves.size(); ++i) {
      const std::vector<float> values(static_cast<std::size_t>(element_count(leaves[i].shape).value()), 0.5f);
      const std::string_view text(reinterpret_cast<const char*>(values.data()),
                                  values.size() * sizeof(float));
      entries[convert::leaf_key(i)] =
          bundle_entry(1, leaves[i].shape, data.size(), text.size(), masked_crc32c_of(text));
      data += text;
    }
    for (const auto& [key, value] : entries) block += block_entry(0, key, value);
    block += block_end();
  }
};

const Leaves& leaves() {
  static const Leaves leaves;
  return leaves;
}

void read_saved_model(Bytes bytes) {
  const std::filesystem::path directory = folder() / "perch_v2_cpu/1";
  static const bool written = [&] {
    write_file(directory / "variables/variables.data-00000-of-00001", leaves().data);
    write_file(directory / "assets/labels.csv", "inat2024_fsd50k\r\nAaa bbb\r\nCcc ddd\r\n");
    return true;
  }();
  (void)written;
  write_bytes(directory / "variables/variables.index", table_of(bytes));
  const auto model = convert::read_savedmodel(directory);
  if (succeeded(model))
    require(model->labels.size() == model->architecture.label.classes, "a label per class");
}

const Registration tensor_bundle(
    {.name = "tensor_bundle", .read = read_tensor_bundle, .seeds = bundles, .runs = 2500});
const Registration savedmodel({.name = "savedmodel",
                               .read = read_saved_model,
                               .seeds = [] { return std::vector<File>{as_seed(leaves().block)}; },
                               .runs = 200});

}  // namespace
}  // namespace pantanal::fuzz

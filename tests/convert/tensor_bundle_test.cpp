#include "savedmodel/tensor_bundle.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <map>
#include <string>

#include "checkpoint_writer.hpp"
#include "io/temporary_folder.hpp"

namespace pantanal::convert {
namespace {

using fixtures::bundle_entry;
using fixtures::bundle_header;

const std::filesystem::path bundles = PANTANAL_SOURCE_DIR "/tests/golden/tensor_bundle";

/// What make_tensor_bundle.py puts into tensor `number`.
std::vector<float> golden_values(std::size_t number, std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t j = 0; j < count; ++j) values[j] = static_cast<float>(number) + static_cast<float>(j) / 8;
  return values;
}

std::string leaf(std::size_t number) {
  return "_tf_var_leaves/" + std::to_string(number) + "/.ATTRIBUTES/VARIABLE_VALUE";
}

/// The error of a bundle with this index and 8 bytes of data, from opening it or from reading `key`.
std::string bundle_error(const std::map<std::string, std::string>& index, const std::string& key = "x") {
  const TemporaryFolder directory;
  fixtures::write_file(directory / "b.index", fixtures::make_table({index}));
  fixtures::write_file(directory / "b.data-00000-of-00001", "12345678");
  const auto bundle = TensorBundle::open(directory / "b");
  if (!bundle) return bundle.error().message();
  const auto values = bundle->read_floats(key);
  EXPECT_FALSE(values.ok());
  return values.ok() ? "" : values.error().message();
}

TEST(TensorBundle, ReadsWhatTensorFlowWrote) {
  const auto bundle = TensorBundle::open(bundles / "checkpoint");
  ASSERT_TRUE(bundle.ok()) << bundle.error().message();
  std::vector<Shape> shapes = {{}, {3}, {2, 3}, {1, 1, 2, 3}, {3, 3, 1, 2}, {0, 4}};
  for (std::int64_t n = 1; n < 7; ++n) shapes.push_back({n});
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    ASSERT_TRUE(bundle->entries().contains(leaf(i)));
    EXPECT_EQ(bundle->entries().at(leaf(i)).shape, shapes[i]);
    const auto values = bundle->read_floats(leaf(i));
    ASSERT_TRUE(values.ok()) << values.error().message();
    EXPECT_EQ(*values, golden_values(i, static_cast<std::size_t>(*element_count(shapes[i]))));
  }
  EXPECT_EQ(bundle->entries().size(), shapes.size() + 3);
}

TEST(TensorBundle, NamesTypesItDoesNotRead) {
  const auto bundle = TensorBundle::open(bundles / "checkpoint");
  ASSERT_TRUE(bundle.ok()) << bundle.error().message();
  const auto error = [&](const char* key) { return bundle->read_floats(key).error().message(); };
  EXPECT_NE(
      error("half/.ATTRIBUTES/VARIABLE_VALUE").find("unsupported: found DT_BFLOAT16, expected DT_FLOAT"),
      std::string::npos);
  EXPECT_NE(error("counter/.ATTRIBUTES/VARIABLE_VALUE").find("DT_INT64"), std::string::npos);
  EXPECT_NE(error("_CHECKPOINTABLE_OBJECT_GRAPH").find("DT_STRING"), std::string::npos);
  EXPECT_NE(error("nowhere").find("checkpoint.index: nowhere: not found"), std::string::npos);
  EXPECT_EQ(data_type_name(23), "DT_UINT64");
  EXPECT_EQ(data_type_name(99), "data type 99");
}

TEST(TensorBundle, ReadsSeveralShards) {
  const auto bundle = TensorBundle::open(bundles / "sharded");
  ASSERT_TRUE(bundle.ok()) << bundle.error().message();
  ASSERT_EQ(bundle->shard_paths().size(), 2u);
  EXPECT_EQ(bundle->shard_paths()[1].filename(), "sharded.data-00001-of-00002");
  EXPECT_EQ(*bundle->read_floats("a"), golden_values(0, 5));
  EXPECT_EQ(*bundle->read_floats("b"), golden_values(2, 4));
  EXPECT_NE(bundle->read_floats("sliced").error().message().find("a partitioned variable"),
            std::string::npos);
}

TEST(TensorBundle, EveryChangeOfTheIndexIsAnError) {
  const TemporaryFolder directory;
  const std::string index = read_bytes(bundles / "checkpoint.index");
  std::filesystem::copy(bundles / "checkpoint.data-00000-of-00001",
                        directory / "checkpoint.data-00000-of-00001");
  for (std::size_t i = 0; i < index.size(); ++i) {
    std::string changed = index;
    changed[i] = static_cast<char>(changed[i] ^ (1 << (i % 8)));
    fixtures::write_file(directory / "checkpoint.index", changed);
    EXPECT_FALSE(TensorBundle::open(directory / "checkpoint").ok()) << "byte " << i;
    fixtures::write_file(directory / "checkpoint.index", index.substr(0, i));
    EXPECT_FALSE(TensorBundle::open(directory / "checkpoint").ok()) << i << " bytes";
  }
}

TEST(TensorBundle, EveryChangeOfATensorIsAnError) {
  const TemporaryFolder directory;
  const std::string data_name = "checkpoint.data-00000-of-00001", data = read_bytes(bundles / data_name);
  std::filesystem::copy(bundles / "checkpoint.index", directory / "checkpoint.index");
  fixtures::write_file(directory / data_name, data);
  const auto intact = TensorBundle::open(directory / "checkpoint");
  ASSERT_TRUE(intact.ok()) << intact.error().message();
  std::size_t changes = 0;
  for (const auto& [key, entry] : intact->entries()) {
    if (entry.type != 1) continue;
    for (std::uint64_t i = entry.offset; i < entry.offset + entry.size; ++i, ++changes) {
      std::string changed = data;
      changed[i] = static_cast<char>(changed[i] ^ (1 << (i % 8)));
      fixtures::write_file(directory / data_name, changed);
      const auto bundle = TensorBundle::open(directory / "checkpoint");
      ASSERT_TRUE(bundle.ok()) << bundle.error().message();
      const auto values = bundle->read_floats(key);
      ASSERT_FALSE(values.ok()) << "byte " << i;
      EXPECT_EQ(values.error().code, ErrorCode::corrupt);
    }
  }
  EXPECT_EQ(changes, 4u * (1 + 3 + 6 + 6 + 18 + 21));
}

TEST(TensorBundle, EveryTruncationOfTheDataIsAnError) {
  const TemporaryFolder directory;
  const std::string data_name = "checkpoint.data-00000-of-00001", data = read_bytes(bundles / data_name);
  std::filesystem::copy(bundles / "checkpoint.index", directory / "checkpoint.index");
  for (std::size_t size = 0; size < data.size(); ++size) {
    fixtures::write_file(directory / data_name, data.substr(0, size));
    const auto bundle = TensorBundle::open(directory / "checkpoint");
    ASSERT_FALSE(bundle.ok()) << size << " bytes";
    EXPECT_EQ(bundle.error().code, ErrorCode::corrupt);
  }
}

TEST(TensorBundle, NamesAMissingFile) {
  EXPECT_NE(TensorBundle::open(bundles / "nothing").error().message().find("nothing.index: not found"),
            std::string::npos);
  const TemporaryFolder directory;
  for (const char* name : {"sharded.index", "sharded.data-00000-of-00002"})
    std::filesystem::copy(bundles / name, directory / name);
  EXPECT_NE(TensorBundle::open(directory / "sharded")
                .error()
                .message()
                .find("sharded.data-00001-of-00002: not found"),
            std::string::npos);
}

TEST(TensorBundle, RefusesHeadersItDoesNotUnderstand) {
  EXPECT_NE(bundle_error({{"x", ""}}).find("no header"), std::string::npos);
  EXPECT_NE(bundle_error({}).find("no header"), std::string::npos);
  EXPECT_NE(bundle_error({{"", "\x08"}}).find("a malformed header"), std::string::npos);
  EXPECT_NE(bundle_error({{"", fixtures::bytes_field(3, "\x08")}}).find("a malformed header"),
            std::string::npos);
  EXPECT_NE(bundle_error({{"", bundle_header(0)}}).find("0 shards"), std::string::npos);
  EXPECT_NE(bundle_error({{"", bundle_header(~0ull)}}).find("not found"), std::string::npos);
  EXPECT_NE(bundle_error({{"", bundle_header(1, 1)}}).find("big-endian"), std::string::npos);
  EXPECT_NE(bundle_error({{"", bundle_header(1, 0, 2)}}).find("format version 2"), std::string::npos);
}

TEST(TensorBundle, RefusesMalformedEntries) {
  const auto with = [](const std::string& entry) {
    return bundle_error({{"", bundle_header(1)}, {"x", entry}});
  };
  const std::string malformed = "b.index: x: corrupt: found a malformed entry";
  EXPECT_NE(with("\x08").find(malformed), std::string::npos);
  EXPECT_NE(with(bundle_entry(1, {-1}, 0, 4, 0)).find(malformed), std::string::npos);
  EXPECT_NE(with(fixtures::bytes_field(2, fixtures::varint_field(3, 1))).find(malformed), std::string::npos);
  EXPECT_NE(with(bundle_entry(1, Shape(255, 1), 0, 4, 0)).find(malformed), std::string::npos);
  EXPECT_NE(with(fixtures::bytes_field(2, fixtures::bytes_field(2, "\x08"))).find(malformed),
            std::string::npos);
  EXPECT_NE(with(fixtures::varint_field(3, 1)).find("found shard 1, expected one of 1"), std::string::npos);
}

TEST(TensorBundle, RefusesTensorsBeyondTheirShard) {
  const std::uint64_t most = ~0ull;
  for (const auto& [offset, size] : std::vector<std::pair<std::uint64_t, std::uint64_t>>{
           {0, 9}, {8, 1}, {9, 0}, {0, most}, {most, 1}, {most, most}})
    EXPECT_NE(bundle_error({{"", bundle_header(1)}, {"x", bundle_entry(1, {1}, offset, size, 0)}})
                  .find("of 8 bytes"),
              std::string::npos);
}

TEST(TensorBundle, RefusesSizesThatContradictTheShape) {
  for (const Shape& shape :
       std::vector<Shape>{{}, {1}, {3}, {0}, {1ll << 62, 1ll << 62}, {1ll << 62}, {(1ll << 62) + 2}})
    EXPECT_NE(bundle_error({{"", bundle_header(1)}, {"x", bundle_entry(1, shape, 0, 8, 0)}})
                  .find("mismatch: found 8 bytes"),
              std::string::npos);
  EXPECT_NE(bundle_error({{"", bundle_header(1)}, {"x", bundle_entry(1, {1}, 0, 7, 0)}})
                .find("mismatch: found 7 bytes"),
            std::string::npos);
}

TEST(TensorBundle, RandomIndicesAreReadOrRefused) {
  // Bytes that often mean something: field tags of an entry, small numbers, the start of a long varint.
  const std::string alphabet("\x08\x12\x18\x20\x28\x35\x3a\x00\x01\x02\x04\x08\xff\x80", 14);
  std::uint64_t state = 1;
  for (int round = 0; round < 300; ++round) {
    std::string entry;
    for (int i = 0; i < 16; ++i) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      entry += alphabet[(state >> 33) % alphabet.size()];
    }
    bundle_error({{"", bundle_header(1)}, {"x", entry}}, "absent");
  }
}

}  // namespace
}  // namespace pantanal::convert

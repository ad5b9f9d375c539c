#include "pantanal/perch/model_file.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/refused.hpp"
#include "io/temporary_folder.hpp"
#include "perch/random_model.hpp"

namespace pantanal::perch {
namespace {

using fixtures::random_model;
using fixtures::smallest_architecture;
using fixtures::tiny_architecture;

/// Made by make_safetensors_fixture.py, without this library.
constexpr char golden[] = PANTANAL_SOURCE_DIR "/tests/golden/safetensors/model.safetensors";

void expect_same(const Model& a, const Model& b) {
  EXPECT_EQ(architecture_json(a.architecture), architecture_json(b.architecture));
  EXPECT_EQ(a.labels, b.labels);
  EXPECT_EQ(a.source, b.source);
  ASSERT_EQ(a.tensors.size(), b.tensors.size());
  for (const auto& [name, tensor] : a.tensors) {
    ASSERT_TRUE(b.tensors.contains(name)) << name;
    EXPECT_EQ(tensor.shape, b.tensors.at(name).shape) << name;
    ASSERT_EQ(tensor.values.size(), b.values(name).size()) << name;
    EXPECT_EQ(std::memcmp(tensor.values.data(), b.values(name).data(), tensor.values.size_bytes()), 0)
        << name;
  }
}

TEST(ModelFile, ComesBackTheSame) {
  const TemporaryFolder folder;
  Architecture headless = tiny_architecture();
  headless.label.classes = 0;
  for (const Architecture& architecture : {tiny_architecture(), smallest_architecture(), headless}) {
    const Model model = random_model(architecture, 1);
    ASSERT_TRUE(succeeded(save_model(model, folder / "m.safetensors")));
    const auto loaded = load_model(folder / "m.safetensors");
    ASSERT_TRUE(succeeded(loaded));
    expect_same(model, *loaded);
  }
  EXPECT_EQ(folder.names(), std::vector<std::string>{"m.safetensors"});
}

TEST(ModelFile, MayNameTwoClassesAlike) {  // as keep_classes makes them, given a row again
  const TemporaryFolder folder;
  Model model = random_model(smallest_architecture(), 1);
  model.labels[2] = model.labels[0];
  ASSERT_TRUE(succeeded(save_model(model, folder / "m.safetensors")));
  const auto loaded = load_model(folder / "m.safetensors");
  ASSERT_TRUE(succeeded(loaded));
  expect_same(model, *loaded);
}

TEST(ModelFile, IsWhatItsDescriptionSays) {  // an independent writer's file, read and written again
  const auto loaded = load_model(golden);
  ASSERT_TRUE(succeeded(loaded));
  EXPECT_EQ(architecture_json(loaded->architecture), architecture_json(smallest_architecture()));
  EXPECT_EQ(loaded->labels,
            (std::vector<std::string>{"Poecile atricapillus", "Mico melanurus", "Gänsesäger \"♀\""}));
  EXPECT_EQ(loaded->source.file, "made_up.onnx");
  EXPECT_EQ(loaded->source.kind, "onnx");
  std::size_t count = 0;
  for (const TensorSpec& spec : required_tensors(loaded->architecture))
    for (const float value : loaded->values(spec.name))
      EXPECT_EQ(value, static_cast<float>(count++ % 17) / 8) << spec.name;
  EXPECT_EQ(count, 201u);
  const TemporaryFolder folder;
  ASSERT_TRUE(succeeded(save_model(*loaded, folder / "m.safetensors")));
  EXPECT_EQ(read_bytes(folder / "m.safetensors"), read_bytes(golden));
}

TEST(ModelFile, KeepsTheMapAsLongAsATensorLives) {
  const TemporaryFolder folder;
  ASSERT_TRUE(succeeded(save_model(random_model(smallest_architecture(), 2), folder / "m")));
  Tensor tensor;
  {
    const auto loaded = load_model(folder / "m");
    ASSERT_TRUE(succeeded(loaded));
    tensor = loaded->tensors.at("stem.bias");
  }
  std::filesystem::remove(folder / "m");
  const Model again = random_model(smallest_architecture(), 2);
  EXPECT_EQ(std::memcmp(tensor.values.data(), again.values("stem.bias").data(), tensor.values.size_bytes()),
            0);
}

TEST(ModelFile, MayBeSavedOverItself) {
  const TemporaryFolder folder;
  const Model model = random_model(tiny_architecture(), 3);
  ASSERT_TRUE(succeeded(save_model(model, folder / "m")));
  auto loaded = load_model(folder / "m");
  ASSERT_TRUE(succeeded(loaded));
  loaded->labels[0] = "another name";
  ASSERT_TRUE(succeeded(save_model(*loaded, folder / "m")));
  const auto again = load_model(folder / "m");
  ASSERT_TRUE(succeeded(again));
  expect_same(*loaded, *again);
}

TEST(SaveModel, RefusesAnInvalidModelAndWritesNothing) {
  const TemporaryFolder folder;
  Model model = random_model(tiny_architecture(), 4);
  model.tensors.erase("head.bias");
  EXPECT_TRUE(refused(save_model(model, folder / "m"), ErrorCode::not_found, {"m: head.bias"}));
  model = random_model(tiny_architecture(), 4);
  model.labels[3] = "caf\xe9";  // Latin-1
  EXPECT_TRUE(refused(save_model(model, folder / "m"), ErrorCode::invalid_argument, {"labels", "UTF-8"}));
  model = random_model(tiny_architecture(), 4);
  model.source.file = "\xff";
  EXPECT_TRUE(refused(save_model(model, folder / "m"), ErrorCode::invalid_argument, {"source", "UTF-8"}));
  EXPECT_TRUE(folder.names().empty());
}

/// Loads a file of these bytes.
Result<Model> load_bytes(const TemporaryFolder& folder, std::string_view bytes) {
  write_bytes(folder / "m", bytes);
  return load_model(folder / "m");
}

TEST(LoadModel, RefusesEveryTruncation) {
  const TemporaryFolder folder;
  const std::string whole = read_bytes(golden);
  ASSERT_FALSE(whole.empty());
  ASSERT_TRUE(succeeded(load_bytes(folder, whole)));
  for (std::size_t size = whole.size(); size-- > 0;) {
    std::filesystem::resize_file(folder / "m", size);
    EXPECT_TRUE(refused(load_model(folder / "m"), ErrorCode::corrupt)) << size;
  }
  EXPECT_FALSE(load_bytes(folder, whole + '\0'));
  EXPECT_FALSE(load_bytes(folder, whole + whole));
}

TEST(LoadModel, RefusesEveryAlteredByte) {
  const TemporaryFolder folder;
  const std::string whole = read_bytes(golden);
  ASSERT_TRUE(succeeded(load_bytes(folder, whole)));
  for (std::size_t place = 0; place < whole.size(); ++place) {
    for (const char mask : {'\x01', '\x20', '\xff'}) {
      overwrite_byte(folder / "m", place, static_cast<char>(whole[place] ^ mask));
      EXPECT_FALSE(load_model(folder / "m")) << place << " ^ " << int{mask};
    }
    overwrite_byte(folder / "m", place, whole[place]);
  }
  EXPECT_TRUE(succeeded(load_model(folder / "m")));
}

TEST(LoadModel, RefusesFilesThatAreNotModels) {
  const TemporaryFolder folder;
  EXPECT_TRUE(refused(load_model(folder / "absent"), ErrorCode::not_found, {"absent"}));
  EXPECT_TRUE(refused(load_model(folder.path()), ErrorCode::io, {"a directory"}));
  EXPECT_TRUE(refused(load_bytes(folder, "{\"not\": \"safetensors\"}"), ErrorCode::corrupt));
  EXPECT_TRUE(refused(load_model(PANTANAL_SOURCE_DIR "/tests/golden/safetensors/by_safetensors.safetensors"),
                      ErrorCode::not_found,
                      {"by_safetensors.safetensors: __metadata__.format", "pantanal-convert"}));
}

/// What a model file holds before its checksum is made: to be altered by a test and written with a right
/// checksum.
struct Parts {
  std::map<std::string, std::string> metadata;
  std::vector<SafetensorsSpec> specs;
  std::map<std::string, std::string> data;
};

Parts parts_of(const std::filesystem::path& path) {
  const auto file = SafetensorsFile::open(path);
  Parts parts;
  parts.metadata.insert(file->metadata().begin(), file->metadata().end());
  parts.metadata.erase("checksum");
  for (const auto& [name, entry] : file->tensors()) {
    parts.specs.push_back({name, entry.dtype, entry.shape});
    const std::span<const std::byte> bytes = *file->bytes(name);
    parts.data[name] = {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  return parts;
}

Result<Model> load_parts(const TemporaryFolder& folder, const Parts& parts) {
  PANTANAL_TRY(auto writer, SafetensorsWriter::create(folder / "m", parts.metadata, parts.specs));
  for (const SafetensorsSpec& spec : parts.specs)
    PANTANAL_TRY_STATUS(writer.write(spec.name, std::as_bytes(std::span(parts.data.at(spec.name)))));
  PANTANAL_TRY_STATUS(writer.finish());
  return load_model(folder / "m");
}

SafetensorsSpec& spec_of(Parts& parts, std::string_view name) {
  return *std::ranges::find(parts.specs, name, &SafetensorsSpec::name);
}

struct Alteration {
  ErrorCode code;
  std::string_view names, says;
  std::function<void(Parts&)> apply;
};

TEST(LoadModel, NamesWhatIsWrongThoughTheChecksumIsRight) {
  const TemporaryFolder folder;
  const Parts original = parts_of(golden);
  ASSERT_TRUE(succeeded(load_parts(folder, original)));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Alteration alterations[] = {
      {ErrorCode::not_found, "__metadata__.format", "no such entry",
       [](Parts& p) { p.metadata.erase("format"); }},
      {ErrorCode::mismatch, "__metadata__.format", "\"other\", expected \"pantanal.perch\"",
       [](Parts& p) { p.metadata["format"] = "other"; }},
      {ErrorCode::mismatch, "__metadata__.format_version", "\"2\", expected \"1\"",
       [](Parts& p) { p.metadata["format_version"] = "2"; }},
      {ErrorCode::not_found, "__metadata__.architecture", "",
       [](Parts& p) { p.metadata.erase("architecture"); }},
      {ErrorCode::corrupt, "architecture", "not JSON", [](Parts& p) { p.metadata["architecture"] = "x"; }},
      {ErrorCode::not_found, "architecture.frontend", "",
       [](Parts& p) { p.metadata["architecture"] = "{}"; }},
      {ErrorCode::not_found, "__metadata__.labels", "", [](Parts& p) { p.metadata.erase("labels"); }},
      {ErrorCode::mismatch, "__metadata__.labels", "object", [](Parts& p) { p.metadata["labels"] = "{}"; }},
      {ErrorCode::mismatch, "__metadata__.labels[1]", "number",
       [](Parts& p) { p.metadata["labels"] = "[\"a\",2,\"c\"]"; }},
      {ErrorCode::mismatch, "labels", "2 names, expected 3",
       [](Parts& p) { p.metadata["labels"] = "[\"a\",\"b\"]"; }},
      {ErrorCode::not_found, "__metadata__.source", "", [](Parts& p) { p.metadata.erase("source"); }},
      {ErrorCode::mismatch, "__metadata__.source", "file, sha256 and kind",
       [](Parts& p) { p.metadata["source"] = R"({"file":"a","sha256":"b"})"; }},
      {ErrorCode::mismatch, "__metadata__.source", "file, sha256 and kind",
       [](Parts& p) { p.metadata["source"] = R"({"file":"a","sha256":"b","kind":1})"; }},
      {ErrorCode::mismatch, "__metadata__.source", "file, sha256 and kind",
       [](Parts& p) { p.metadata["source"] = "[]"; }},
      {ErrorCode::mismatch, "stem.weight", "[2, 9], expected [2, 1, 3, 3]",
       [](Parts& p) {
         spec_of(p, "stem.weight").shape = {2, 9};
       }},
      {ErrorCode::mismatch, "head.bias", "dtype I32, expected F32",
       [](Parts& p) { spec_of(p, "head.bias").dtype = "I32"; }},
      {ErrorCode::not_found, "blocks.0.se.reduce.bias", "no such tensor, expected [1]",
       [](Parts& p) {
         std::erase_if(p.specs, [](const auto& spec) { return spec.name == "blocks.0.se.reduce.bias"; });
       }},
      {ErrorCode::mismatch, "extra", "no tensor of this name",
       [](Parts& p) {
         p.specs.push_back({"extra", "F32", {1}});
         p.data["extra"] = std::string(4, '\0');
       }},
      {ErrorCode::corrupt, "label.scale", "NaN or infinity",
       [nan](Parts& p) { std::memcpy(p.data["label.scale"].data() + 8, &nan, sizeof nan); }},
  };
  for (const Alteration& alteration : alterations) {
    Parts parts = original;
    alteration.apply(parts);
    EXPECT_TRUE(
        refused(load_parts(folder, parts), alteration.code,
                {(folder / "m").string() + ": " + std::string(alteration.names) + ": ", alteration.says}))
        << alteration.names;
  }
}

TEST(ModelFile, KeepsInt8AndItsScalesAndSaysWhichAreMissing) {
  const TemporaryFolder folder;
  const Model narrow = with_dtype(random_model(tiny_architecture(), 1), Dtype::i8);
  ASSERT_TRUE(succeeded(save_model(narrow, folder / "i8")));
  const auto kept = load_model(folder / "i8", {.keep_narrow = true});
  ASSERT_TRUE(succeeded(kept));
  ASSERT_EQ(kept->tensors.size(), narrow.tensors.size());
  for (const auto& [name, tensor] : narrow.tensors) {
    const Tensor& found = kept->tensors.at(name);
    ASSERT_EQ(found.dtype, may_be_narrow(name) ? Dtype::i8 : Dtype::f32) << name;
    EXPECT_TRUE(std::ranges::equal(found.bytes(), tensor.bytes())) << name;
    EXPECT_TRUE(std::ranges::equal(found.scales, tensor.scales)) << name;
  }
  const auto wide = load_model(folder / "i8");
  ASSERT_TRUE(succeeded(wide));
  expect_same(*wide, with_dtype(narrow, Dtype::f32));
  const auto outline = read_outline(folder / "i8");
  ASSERT_TRUE(succeeded(outline));
  EXPECT_EQ(outline->dtype, Dtype::i8);
  Parts parts = parts_of(folder / "i8");
  std::ranges::stable_sort(parts.specs, {}, [](const auto& spec) { return spec.dtype != "F32"; });
  ASSERT_TRUE(succeeded(load_parts(folder, parts)));
  const Parts good = parts;
  spec_of(parts, "head.weight.scale").shape = {1, 19};
  EXPECT_TRUE(refused(load_parts(folder, parts), ErrorCode::mismatch, {"head.weight.scale", "[1, 19]"}));
  parts = good;
  std::erase_if(parts.specs, [](const auto& spec) { return spec.name == "head.weight.scale"; });
  EXPECT_TRUE(refused(load_parts(folder, parts), ErrorCode::not_found, {"head.weight.scale"}));
}

TEST(LoadModel, RefusesAFileWithoutItsChecksum) {
  const TemporaryFolder folder;
  std::string bytes = read_bytes(golden);
  bytes.replace(bytes.find("\"checksum\""), 10, "\"checksun\"");
  EXPECT_TRUE(
      refused(load_bytes(folder, bytes), ErrorCode::not_found, {"__metadata__.checksum", "no checksum"}));
}

}  // namespace
}  // namespace pantanal::perch

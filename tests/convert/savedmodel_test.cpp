#include "savedmodel/savedmodel.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "checkpoint_writer.hpp"
#include "io/temporary_folder.hpp"
#include "released_architecture.hpp"
#include "savedmodel/flax_leaves.hpp"
#include "savedmodel/flax_weights.hpp"
#include "sha256.hpp"

namespace pantanal::convert {
namespace {

using fixtures::FloatTensor;

/// The released structure at widths of a few channels, all different from stage to stage.
perch::Architecture reduced_architecture() {
  perch::Architecture architecture = released_architecture();
  architecture.stem.channels = 5;
  std::size_t channels = 5;
  for (perch::Block& block : architecture.blocks) {
    block.in_channels = channels;
    block.expanded_channels = block.has_expand ? 2 * channels : channels;
    block.se_channels = 2;
    if (!block.has_skip) ++channels;
    block.out_channels = channels;
  }
  architecture.head.channels = 6;
  architecture.label = {.classes = 3, .prototypes = 2};
  return architecture;
}

/// A SavedModel's directory with random leaves, which tests spoil before they write it.
struct SavedModel {
  TemporaryFolder folder;
  std::filesystem::path directory = folder / "perch_v2_cpu/1";
  std::vector<FlaxLeaf> leaves = flax_leaves(reduced_architecture());
  std::map<std::string, FloatTensor> by_path;
  std::string labels = "inat2024_fsd50k\r\nAaa bbb\r\nCcc ddd\r\nEee fff\r\n";

  SavedModel() {
    std::mt19937 random(11);
    std::normal_distribution<float> normal;
    for (const FlaxLeaf& leaf : leaves) {
      FloatTensor& tensor = by_path[leaf.path];
      tensor.shape = leaf.shape;
      tensor.values.resize(static_cast<std::size_t>(element_count(leaf.shape).value()));
      for (float& value : tensor.values) value = normal(random);
      if (leaf.path.ends_with("/var"))
        for (float& value : tensor.values) value *= value;
    }
  }

  std::map<std::string, FloatTensor> by_key() const {
    std::map<std::string, FloatTensor> tensors;
    for (std::size_t i = 0; i < leaves.size(); ++i) tensors[leaf_key(i)] = by_path.at(leaves[i].path);
    return tensors;
  }

  void write(const std::map<std::string, FloatTensor>& tensors) const {
    fixtures::write_bundle(directory / "variables" / "variables", tensors);
    if (!labels.empty()) fixtures::write_file(directory / "assets" / "labels.csv", labels);
  }

  Result<perch::Model> read() const {
    write(by_key());
    return read_savedmodel(directory);
  }

  std::string error() const {
    const auto model = read();
    EXPECT_FALSE(model.ok());
    return model.ok() ? "" : model.error().message();
  }
};

/// Largest difference between a layer of `model` and the leaves it was made from, run on random input: a
/// patch of the convolution's size, the kernel, then BatchNorm as it is defined.
double conv_difference(const perch::Model& model, const SavedModel& saved, const std::string& name,
                       const std::string& conv, const std::string& norm) {
  const FloatTensor& kernel = saved.by_path.at("params/" + conv + "/kernel");
  const auto channel = [&](const char* group, const char* leaf, std::size_t o) {
    return double{saved.by_path.at(std::string(group) + "/" + norm + "/" + leaf).values[o]};
  };
  const std::span<const float> weight = model.values(name + ".weight"), bias = model.values(name + ".bias");
  const auto height = static_cast<std::size_t>(kernel.shape[0]),
             width = static_cast<std::size_t>(kernel.shape[1]);
  const auto in = static_cast<std::size_t>(kernel.shape[2]), out = static_cast<std::size_t>(kernel.shape[3]);
  EXPECT_EQ(weight.size(), kernel.values.size());
  EXPECT_EQ(bias.size(), out);
  double largest = 0.0;
  for (std::size_t o = 0; o < out; ++o) {
    double plain = 0.0, folded = bias[o];
    for (std::size_t h = 0; h < height; ++h)
      for (std::size_t w = 0; w < width; ++w)
        for (std::size_t i = 0; i < in; ++i) {
          const double x = std::sin(1.0 + static_cast<double>((h * width + w) * in + i));
          plain += x * kernel.values[((h * width + w) * in + i) * out + o];
          folded += x * weight[((o * in + i) * height + h) * width + w];
        }
    const double normed = (plain - channel("batch_stats", "mean", o)) /
                              std::sqrt(channel("batch_stats", "var", o) + 1e-5) *
                              channel("params", "scale", o) +
                          channel("params", "bias", o);
    largest = std::max(largest, std::abs(folded - normed) / (1.0 + std::abs(normed)));
  }
  return largest;
}

TEST(SavedModel, FoldsEveryConvolution) {
  const SavedModel saved;
  const auto model = saved.read();
  ASSERT_TRUE(model.ok()) << model.error().message();
  EXPECT_LT(conv_difference(*model, saved, "stem", "Stem_0/Conv", "Stem_0/BatchNorm"), 1e-5);
  EXPECT_LT(conv_difference(*model, saved, "head", "Head_0/Conv", "Head_0/BatchNorm"), 1e-5);
  for (std::size_t i = 0; i < 26; ++i) {
    const std::string to = "blocks." + std::to_string(i), from = "MBConv_" + std::to_string(i);
    const perch::Block& block = model->architecture.blocks[i];
    EXPECT_EQ(block.has_expand, i >= 2);
    if (block.has_expand) {
      EXPECT_LT(
          conv_difference(*model, saved, to + ".expand", from + "/ExpandConv", from + "/ExpandBatchNorm"),
          1e-5);
    }
    EXPECT_LT(conv_difference(*model, saved, to + ".depthwise", from + "/DepthwiseConv",
                              from + "/DepthwiseBatchNorm"),
              1e-5);
    EXPECT_LT(
        conv_difference(*model, saved, to + ".project", from + "/ProjectConv", from + "/ProjectBatchNorm"),
        1e-5);
  }
}

TEST(SavedModel, TransposesDenseLayers) {
  const SavedModel saved;
  const auto model = saved.read();
  ASSERT_TRUE(model.ok()) << model.error().message();
  for (const auto& [to, from] : {std::pair("se.reduce", "Reduce"), std::pair("se.expand", "Expand")}) {
    const std::string name = std::string("blocks.7.") + to;
    const std::string path = std::string("params/MBConv_7/SqueezeAndExcitation_0/") + from;
    const FloatTensor& kernel = saved.by_path.at(path + "/kernel");
    const auto weight = model->values(name + ".weight"), bias = model->values(name + ".bias");
    const auto in = static_cast<std::size_t>(kernel.shape[0]),
               out = static_cast<std::size_t>(kernel.shape[1]);
    ASSERT_EQ(weight.size(), in * out);
    for (std::size_t i = 0; i < in; ++i)
      for (std::size_t o = 0; o < out; ++o) EXPECT_EQ(weight[o * in + i], kernel.values[i * out + o]);
    EXPECT_EQ(std::vector<float>(bias.begin(), bias.end()), saved.by_path.at(path + "/bias").values);
  }
}

TEST(SavedModel, BringsPrototypesToUnitLength) {
  SavedModel saved;
  FloatTensor& raw = saved.by_path.at("params/head/prototypes");               // [3, 6, 2]
  for (std::size_t c = 0; c < 6; ++c) raw.values[(1 * 6 + c) * 2 + 1] = 0.0f;  // class 1's second one
  const auto model = saved.read();
  ASSERT_TRUE(model.ok()) << model.error().message();
  const auto unit = model->values("label.prototypes");
  ASSERT_EQ(unit.size(), 3u * 2 * 6);
  for (std::size_t k = 0; k < 3; ++k)
    for (std::size_t p = 0; p < 2; ++p) {
      double squares = 0.0;
      for (std::size_t c = 0; c < 6; ++c) squares += std::pow(raw.values[(k * 6 + c) * 2 + p], 2);
      for (std::size_t c = 0; c < 6; ++c)
        EXPECT_NEAR(unit[(k * 2 + p) * 6 + c], raw.values[(k * 6 + c) * 2 + p] / (std::sqrt(squares) + 1e-5),
                    1e-7);
    }
  const FloatTensor& kernel = saved.by_path.at("params/head/protop_kernel");
  const auto scale = model->values("label.scale"), bias = model->values("label.bias");
  bool any_negative = false;
  for (std::size_t i = 0; i < scale.size(); ++i) {
    EXPECT_EQ(scale[i], std::max(kernel.values[i], 0.0f));
    any_negative |= kernel.values[i] < 0;
  }
  EXPECT_TRUE(any_negative);
  EXPECT_EQ(std::vector<float>(bias.begin(), bias.end()), saved.by_path.at("params/head/bias").values);
}

TEST(SavedModel, GivesLabelsSourceAndReleasedFacts) {
  const SavedModel saved;
  const auto model = saved.read();
  ASSERT_TRUE(model.ok()) << model.error().message();
  EXPECT_EQ(model->labels, (std::vector<std::string>{"Aaa bbb", "Ccc ddd", "Eee fff"}));
  EXPECT_EQ(model->source.file, "perch_v2_cpu/1");
  EXPECT_EQ(model->source.kind, "savedmodel");
  EXPECT_EQ(model->source.sha256,
            *sha256_of_file(saved.directory / "variables" / "variables.data-00000-of-00001"));
  EXPECT_EQ(model->architecture.stem.activation, perch::Activation::swish);
  EXPECT_EQ(model->architecture.blocks[4].se_activation, perch::Activation::swish);
  EXPECT_EQ(model->architecture.label.eps, 1e-5f);
  EXPECT_EQ(model->values("frontend.window").size(), 640u);
  EXPECT_EQ(model->values("frontend.mel").size(), 513u * 128);
  EXPECT_TRUE(difference_from_release(model->architecture));
}

TEST(SavedModel, TakesOtherLabels) {
  SavedModel saved;
  saved.labels = "";
  EXPECT_NE(saved.error().find("labels.csv: not found"), std::string::npos);
  const auto path = saved.folder / "mine.csv";
  fixtures::write_file(path, "name\na\nb\nc\n");
  const auto model = read_savedmodel(saved.directory, path);
  ASSERT_TRUE(model.ok()) << model.error().message();
  EXPECT_EQ(model->labels, (std::vector<std::string>{"a", "b", "c"}));
}

TEST(SavedModel, RefusesAnotherNumberOfLabels) {
  SavedModel saved;
  saved.labels = "inat2024_fsd50k\nAaa\nBbb\n";
  EXPECT_NE(saved.error().find("labels.csv: mismatch: found 2 names after the header, expected 3"),
            std::string::npos);
}

TEST(SavedModel, IsFoundFromAboveAndFromItsGraph) {
  const SavedModel saved;
  saved.write(saved.by_key());
  EXPECT_EQ(*find_savedmodel(saved.directory), saved.directory);
  EXPECT_EQ(*find_savedmodel(saved.folder / "perch_v2_cpu"), saved.directory);
  EXPECT_EQ(*find_savedmodel(saved.directory / "saved_model.pb"), saved.directory);
  EXPECT_NE(find_savedmodel(saved.folder.path()).error().message().find("no variables/variables.index"),
            std::string::npos);
  EXPECT_NE(find_savedmodel(saved.folder / "nowhere").error().message().find("not found"), std::string::npos);
  fixtures::write_file(saved.folder / "perch_v2_cpu/2/variables/variables.index", "");
  EXPECT_NE(find_savedmodel(saved.folder / "perch_v2_cpu").error().message().find("SavedModels 1 2"),
            std::string::npos);
  EXPECT_TRUE(is_savedmodel(saved.directory));
  EXPECT_TRUE(is_savedmodel(saved.directory / "saved_model.pb"));
  EXPECT_FALSE(is_savedmodel(saved.folder / "perch_v2.onnx"));
}

TEST(SavedModel, TheSourceNameDoesNotDependOnHowThePathIsWritten) {
  const SavedModel saved;
  saved.write(saved.by_key());
  for (const auto& path :
       {saved.folder / "perch_v2_cpu", saved.directory / "", saved.directory / "assets/.."}) {
    const auto model = read_savedmodel(path);
    ASSERT_TRUE(model.ok()) << model.error().message();
    EXPECT_EQ(model->source.file, "perch_v2_cpu/1") << path;
  }
  std::filesystem::rename(saved.directory, saved.folder / "my_perch");
  EXPECT_EQ(read_savedmodel(saved.folder / "my_perch")->source.file, "my_perch");
}

TEST(SavedModel, RefusesMissingAndSurplusLeaves) {
  const SavedModel saved;
  auto tensors = saved.by_key();
  tensors[leaf_key(497)] = {{1}, {0.0f}};
  saved.write(tensors);
  EXPECT_NE(read_savedmodel(saved.directory).error().message().find("found 498 leaves, expected 497"),
            std::string::npos);
  tensors.erase(leaf_key(200));
  saved.write(tensors);
  EXPECT_NE(read_savedmodel(saved.directory).error().message().find("but no _tf_var_leaves/200/"),
            std::string::npos);
}

TEST(SavedModel, RefusesAnotherModel) {
  const SavedModel saved;
  saved.write({{"dense/kernel/.ATTRIBUTES/VARIABLE_VALUE", {{1}, {0.0f}}}});
  EXPECT_NE(read_savedmodel(saved.directory)
                .error()
                .message()
                .find("found variables like dense/kernel/.ATTRIBUTES/VARIABLE_VALUE, expected Perch v2's, "
                      "_tf_var_leaves/0/"),
            std::string::npos);
  saved.write({});
  EXPECT_NE(read_savedmodel(saved.directory).error().message().find("found no variables"), std::string::npos);
}

TEST(SavedModel, OtherVariablesDoNotCount) {
  const SavedModel saved;
  auto tensors = saved.by_key();
  tensors["save_counter/.ATTRIBUTES/VARIABLE_VALUE"] = {{}, {1.0f}};
  saved.write(tensors);
  EXPECT_TRUE(read_savedmodel(saved.directory).ok());
}

TEST(SavedModel, NamesALeafOfAnotherShape) {
  SavedModel saved;
  FloatTensor& leaf = saved.by_path.at("params/MBConv_10/ExpandBatchNorm/bias");
  leaf.shape = {1, leaf.shape[0]};
  EXPECT_NE(saved.error().find("variables.index: leaf 182 (params/MBConv_10/ExpandBatchNorm/bias): mismatch"),
            std::string::npos);
}

TEST(SavedModel, NamesALeafThatIsNotFinite) {
  for (const float value :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    SavedModel saved;
    saved.by_path.at("params/Stem_0/Conv/kernel").values[7] = value;
    EXPECT_NE(saved.error().find("leaf 493 (params/Stem_0/Conv/kernel): corrupt: found NaN or infinity"),
              std::string::npos);
  }
}

TEST(SavedModel, NamesANegativeVariance) {
  SavedModel saved;
  saved.by_path.at("batch_stats/Head_0/BatchNorm/var").values[2] = -0.5f;
  EXPECT_NE(saved.error().find("leaf 1 (batch_stats/Head_0/BatchNorm/var): corrupt: found -0.5"),
            std::string::npos);
}

TEST(SavedModel, RefusesWeightsThatOverflowWhenFolded) {
  SavedModel saved;
  saved.by_path.at("params/Stem_0/BatchNorm/scale").values[0] = 3e38f;
  for (float& value : saved.by_path.at("params/Stem_0/Conv/kernel").values) value = 10.0f;
  EXPECT_NE(saved.error().find("stem.weight: corrupt: found NaN or infinity"), std::string::npos);
}

TEST(SavedModel, NamesALeafWhoseBytesChanged) {
  const SavedModel saved;
  saved.write(saved.by_key());
  const auto path = saved.directory / "variables" / "variables.data-00000-of-00001";
  std::string data = read_bytes(path);
  data.back() = static_cast<char>(data.back() ^ 1);  // keys are sorted as text: the last is leaf 99
  fixtures::write_file(path, data);
  EXPECT_NE(
      read_savedmodel(saved.directory)
          .error()
          .message()
          .find("leaf 99 (batch_stats/MBConv_23/ProjectBatchNorm/var): corrupt: found another checksum"),
      std::string::npos);
}

}  // namespace
}  // namespace pantanal::convert

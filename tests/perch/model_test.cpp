#include "pantanal/perch/model.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/refused.hpp"
#include "perch/random_model.hpp"

namespace pantanal::perch {
namespace {

using fixtures::perch_v2_architecture;
using fixtures::random_model;
using fixtures::smallest_architecture;
using fixtures::tiny_architecture;

Model tiny_model() { return random_model(tiny_architecture(), 1); }

TEST(Tensor, CopiesShareTheirValues) {
  Tensor copy;
  {
    const Tensor tensor = make_tensor({2, 2}, {1, 2, 3, 4});
    copy = tensor;
    EXPECT_EQ(copy.values.data(), tensor.values.data());
  }
  EXPECT_EQ(copy.values[3], 4.0f);
  EXPECT_EQ(copy.shape, (Shape{2, 2}));
}

TEST(Model, GivesValuesByName) {
  const Model model = tiny_model();
  EXPECT_EQ(model.values("stem.bias").size(), 5u);
  EXPECT_TRUE(model.values("stem").empty());
}

TEST(RequiredTensors, CountPerchsParameters) {
  std::int64_t backbone = 0, label = 0;
  for (const TensorSpec& spec : required_tensors(perch_v2_architecture(14795)))
    if (spec.name.starts_with("label.")) {
      label += *element_count(spec.shape);
    } else if (!spec.name.starts_with("frontend.")) {
      backbone += *element_count(spec.shape);
    }
  EXPECT_EQ(label, 90'974'455);
  // 10,782,808 with BatchNorm's scale, bias, mean and variance per channel, of which folding leaves a bias.
  std::int64_t normalised = 0;
  for (const TensorSpec& spec : required_tensors(perch_v2_architecture(0)))
    if (spec.name.ends_with(".bias") && spec.name.find(".se.") == std::string::npos)
      normalised += spec.shape[0];
  EXPECT_EQ(backbone + 3 * normalised, 10'782'808);
}

TEST(RequiredTensors, FollowTheArchitecture) {
  std::set<std::string> names;
  for (const TensorSpec& spec : required_tensors(tiny_architecture()))
    EXPECT_TRUE(names.insert(spec.name).second);
  EXPECT_FALSE(names.contains("blocks.0.expand.weight"));
  EXPECT_TRUE(names.contains("blocks.2.expand.weight"));
  EXPECT_TRUE(names.contains("label.prototypes"));
  Architecture headless = tiny_architecture();
  headless.label.classes = 0;
  EXPECT_EQ(required_tensors(headless).size(), names.size() - 3);
}

TEST(RequiredTensors, HaveTheDocumentedShapes) {
  std::map<std::string, Shape> shapes;
  for (const TensorSpec& spec : required_tensors(perch_v2_architecture(14795)))
    shapes[spec.name] = spec.shape;
  EXPECT_EQ(shapes["frontend.window"], (Shape{640}));
  EXPECT_EQ(shapes["frontend.mel"], (Shape{513, 128}));
  EXPECT_EQ(shapes["stem.weight"], (Shape{40, 1, 3, 3}));
  EXPECT_EQ(shapes["blocks.5.expand.weight"], (Shape{192, 32, 1, 1}));
  EXPECT_EQ(shapes["blocks.5.expand.bias"], (Shape{192}));
  EXPECT_EQ(shapes["blocks.5.depthwise.weight"], (Shape{192, 1, 5, 5}));
  EXPECT_EQ(shapes["blocks.5.se.reduce.weight"], (Shape{8, 192}));
  EXPECT_EQ(shapes["blocks.5.se.expand.weight"], (Shape{192, 8}));
  EXPECT_EQ(shapes["blocks.5.project.weight"], (Shape{48, 192, 1, 1}));
  EXPECT_EQ(shapes["head.weight"], (Shape{1536, 384, 1, 1}));
  EXPECT_EQ(shapes["label.prototypes"], (Shape{14795, 4, 1536}));
  EXPECT_EQ(shapes["label.scale"], (Shape{14795, 4}));
  EXPECT_EQ(shapes["label.bias"], (Shape{14795}));
}

TEST(ValidateModel, AcceptsRandomModels) {
  EXPECT_TRUE(succeeded(validate(tiny_model())));
  EXPECT_TRUE(succeeded(validate(random_model(smallest_architecture(), 2))));
  Architecture headless = tiny_architecture();
  headless.label.classes = 0;
  EXPECT_TRUE(succeeded(validate(random_model(headless, 3))));
}

TEST(ValidateModel, NamesEveryMissingTensor) {
  for (const TensorSpec& spec : required_tensors(tiny_architecture())) {
    Model model = tiny_model();
    model.tensors.erase(spec.name);
    EXPECT_TRUE(refused(validate(model, "file"), ErrorCode::not_found,
                        {"file: " + spec.name, "no such tensor", to_string(spec.shape)}));
  }
}

TEST(ValidateModel, NamesATensorOfAnotherShape) {
  Model model = tiny_model();
  Tensor& tensor = model.tensors.at("blocks.2.project.weight");
  tensor.shape = {5, 18, 1};
  EXPECT_TRUE(refused(validate(model, "file"), ErrorCode::mismatch,
                      {"file: blocks.2.project.weight: mismatch: found [5, 18, 1], expected [5, 18, 1, 1]"}));
  tensor.shape = {5, 18, 1, 1};
  tensor.values = tensor.values.first(89);
  EXPECT_TRUE(
      refused(validate(model, "file"), ErrorCode::mismatch, {"blocks.2.project.weight", "89 values"}));
}

TEST(ValidateModel, NamesATensorThatIsNotFinite) {
  for (const TensorSpec& spec : required_tensors(tiny_architecture())) {
    Model model = tiny_model();
    Tensor& tensor = model.tensors.at(spec.name);
    std::vector<float> values(tensor.values.begin(), tensor.values.end());
    values.back() = std::numeric_limits<float>::quiet_NaN();
    tensor = make_tensor(spec.shape, std::move(values));
    EXPECT_TRUE(refused(validate(model, "file"), ErrorCode::corrupt, {"file: " + spec.name, "NaN"}));
  }
}

TEST(ValidateModel, RefusesATensorTooMany) {
  Model model = tiny_model();
  model.tensors.emplace("blocks.0.expand.weight", make_tensor({1}, {0}));
  EXPECT_TRUE(refused(validate(model, "file"), ErrorCode::mismatch, {"file: blocks.0.expand.weight", "[1]"}));
}

TEST(ValidateModel, NeedsALabelPerClass) {
  Model model = tiny_model();
  model.labels.pop_back();
  EXPECT_TRUE(
      refused(validate(model, "file"), ErrorCode::mismatch, {"file: labels", "6 names", "7, one per class"}));
}

TEST(ValidateModel, ChecksTheArchitectureFirst) {
  Model model = tiny_model();
  model.architecture.stem.conv.stride = 0;
  EXPECT_TRUE(refused(validate(model, "file"), ErrorCode::mismatch, {"file: architecture.stem.conv.stride"}));
}

}  // namespace
}  // namespace pantanal::perch

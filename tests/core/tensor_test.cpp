#include "pantanal/core/tensor.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/refused.hpp"

namespace pantanal {
namespace {

std::vector<TensorSpec> specs() {
  TensorList list;
  list.add_layer("layer", {2, 3});
  list.add("scalar", {});
  return std::move(list).take();
}

TensorMap tensors() {
  TensorMap map;
  map.emplace("layer.weight", make_tensor({2, 3}, {1, 2, 3, 4, 5, 6}));
  map.emplace("layer.bias", make_tensor({2}, {7, 8}));
  map.emplace("scalar", make_tensor({}, {9}));
  return map;
}

TEST(Tensor, SharesItsValues) {
  Tensor first = make_tensor({2}, {1, 2});
  const Tensor second = first;
  first = {};
  EXPECT_EQ(second.values[1], 2.0f);
  EXPECT_EQ(tensor_values(tensors(), "layer.missing").size(), 0u);
}

/// A scale per output channel, the largest magnitude at 127, everything else at the nearest step.
TEST(Tensor, Int8KeepsEachChannelWithinHalfAStep) {
  EXPECT_EQ(count_scales({5, 3, 1, 1}), 5u);
  EXPECT_EQ(count_scales({5, 4, 3}), 20u);
  const Tensor wide = make_tensor({3, 4, 1, 1}, {1, -127, 63.4f, 63.6f, 0, 0, 0, 0, 0.5f, 0.25f, -0.125f, 0});
  const Tensor narrow = convert_tensor(wide, Dtype::i8);
  ASSERT_EQ(narrow.scales.size(), 3u);
  EXPECT_EQ(narrow.size(), 12u);
  EXPECT_EQ(narrow.bytes().size(), 12u);
  EXPECT_EQ(narrow.scales[0], 1.0f);
  EXPECT_EQ(std::vector<int>(narrow.quanta.begin(), narrow.quanta.end()),
            (std::vector<int>{1, -127, 63, 64, 0, 0, 0, 0, 127, 64, -32, 0}));
  EXPECT_EQ(convert_tensor(narrow, Dtype::f32).values[8], narrow.at(8));
  for (std::size_t i = 0; i < wide.size(); ++i)
    EXPECT_LE(std::abs(narrow.at(i) - wide.values[i]), 0.5001f * narrow.scales[i / 4]) << i;
}

TEST(ValidateTensors, NamesInt8ScalesThatAreNotFiniteOrTooFew) {
  const TensorSpec spec{"w", {2, 2}};
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_TRUE(succeeded(validate(convert_tensor(make_tensor({2, 2}, {1, 2, 3, 4}), Dtype::i8), spec, "w")));
  for (const float bad : {infinity, -infinity, std::numeric_limits<float>::quiet_NaN()})
    EXPECT_TRUE(refused(validate(convert_tensor(make_tensor({2, 2}, {1, 2, bad, 4}), Dtype::i8), spec, "w"),
                        ErrorCode::corrupt, {"w", "NaN or infinity"}));
  EXPECT_TRUE(
      refused(validate(make_int8_tensor({2, 2}, {127, 0, 0, 0}, {3e36f, 1}), spec, "w"), ErrorCode::corrupt));
  EXPECT_TRUE(refused(validate(make_int8_tensor({2, 2}, {1, 2, 3, 4}, {1}), spec, "w"), ErrorCode::mismatch,
                      {"1 scales, expected 2"}));
}

TEST(TensorList, GivesALayerABiasPerRow) {
  const std::vector<TensorSpec> list = specs();
  ASSERT_EQ(list.size(), 3u);
  EXPECT_EQ(list[0].name, "layer.weight");
  EXPECT_EQ(list[1].name, "layer.bias");
  EXPECT_EQ(list[1].shape, (Shape{2}));
}

TEST(ValidateTensors, AcceptsExactlyTheOnesAskedFor) {
  EXPECT_TRUE(succeeded(validate(tensors(), specs())));
  for (const TensorSpec& spec : specs()) {
    TensorMap map = tensors();
    map.erase(spec.name);
    EXPECT_TRUE(refused(validate(map, specs(), "file"), ErrorCode::not_found,
                        {"file: " + spec.name, to_string(spec.shape)}));
  }
  TensorMap map = tensors();
  map.emplace("extra", make_tensor({1}, {0}));
  EXPECT_TRUE(refused(validate(map, specs()), ErrorCode::mismatch, {"extra", "[1]"}));
}

TEST(ValidateTensors, NamesAnotherShapeAndValuesThatAreNotFinite) {
  TensorMap map = tensors();
  map.at("layer.weight").shape = {3, 2};
  EXPECT_TRUE(refused(validate(map, specs()), ErrorCode::mismatch,
                      {"layer.weight", "found [3, 2], expected [2, 3]"}));
  map = tensors();
  map.at("layer.bias").values = map.at("layer.bias").values.first(1);
  EXPECT_TRUE(refused(validate(map, specs()), ErrorCode::mismatch, {"layer.bias", "1 values"}));
  map = tensors();
  map.at("scalar") = make_tensor({}, {std::numeric_limits<float>::quiet_NaN()});
  EXPECT_TRUE(refused(validate(map, specs()), ErrorCode::corrupt, {"scalar", "NaN"}));
}

}  // namespace
}  // namespace pantanal

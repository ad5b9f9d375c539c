#include "pantanal/core/tensor.hpp"

#include <gtest/gtest.h>

#include <limits>

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

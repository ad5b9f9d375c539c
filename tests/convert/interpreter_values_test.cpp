// Operators on values that neither the published vectors nor the random ones reach: infinities, NaN,
// wrap-around, empty tensors, and large transforms.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "interpreter_graphs.hpp"

namespace pantanal::convert {
namespace {

using namespace fixtures;

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr std::int64_t int64_min = std::numeric_limits<std::int64_t>::min();

/// "y" of the graph; where that fails, so does the test, with enough elements to index.
NdArray<double> value(const Graph& graph) {
  auto result = evaluate(graph);
  EXPECT_TRUE(result.ok()) << result.error().message();
  return result ? *std::move(result) : NdArray<double>{{-1}, std::vector<double>(64)};
}

TEST(InterpreterValues, SigmoidSaturates) {
  const auto y = value(one_node("Sigmoid", {floats({4}, {-800, -100, 100, 800})}));
  EXPECT_EQ(y.values[0], 0);
  EXPECT_GT(y.values[1], 0);
  EXPECT_EQ(y.values[2], 1);
  EXPECT_EQ(y.values[3], 1);
}

TEST(InterpreterValues, SoftmaxAndLogSumExpDoNotOverflow) {
  const Constant x = floats({3}, {1000, 1000, -infinity});
  EXPECT_EQ(value(one_node("Softmax", {x})).values, (std::vector<double>{0.5, 0.5, 0}));
  EXPECT_DOUBLE_EQ(value(one_node("ReduceLogSumExp", {x})).values[0], 1000 + std::numbers::ln2);
  EXPECT_EQ(value(one_node("ReduceLogSumExp", {floats({1}, {-infinity})})).values[0], -infinity);
  EXPECT_EQ(value(one_node("ReduceLogSumExp", {floats({2}, {infinity, 0})})).values[0], infinity);
}

TEST(InterpreterValues, NanIsKept) {
  const Constant x = floats({3}, {1, nan, 2});
  const Attributes kernel = {{"kernel_shape", Integers{3}}};
  EXPECT_TRUE(std::isnan(value(one_node("ReduceMax", {x})).values[0]));
  EXPECT_TRUE(std::isnan(value(one_node("ReduceMin", {x})).values[0]));
  EXPECT_TRUE(std::isnan(value(one_node("Relu", {x})).values[1]));
  EXPECT_TRUE(std::isnan(value(one_node("Clip", {x, floats({}, {0}), floats({}, {1})})).values[1]));
  EXPECT_TRUE(std::isnan(value(one_node("Max", {x, floats({1}, {5})})).values[1]));
  EXPECT_TRUE(std::isnan(value(one_node("Min", {floats({1}, {5}), x})).values[1]));
  EXPECT_TRUE(std::isnan(value(one_node("MaxPool", {floats({1, 1, 3}, {1, nan, 2})}, kernel)).values[0]));
}

TEST(InterpreterValues, RoundsHalvesToEven) {
  EXPECT_EQ(value(one_node("Round", {floats({5}, {-2.5f, -0.5f, 0.5f, 1.5f, 2.5f})})).values,
            (std::vector<double>{-2, -0.0, 0, 2, 2}));
}

TEST(InterpreterValues, IntegersWrapAroundAndDivideTowardsZero) {
  const Constant x = integer_list({int64_min, -7, 7}), minus_one = integer_list({-1}),
                 two = integer_list({2});
  constexpr double lowest = -0x1p63;
  EXPECT_EQ(value(one_node("Div", {x, minus_one})).values, (std::vector<double>{lowest, 7, -7}));
  EXPECT_EQ(value(one_node("Div", {x, two})).values, (std::vector<double>{lowest / 2, -3, 3}));
  EXPECT_EQ(value(one_node("Abs", {x})).values, (std::vector<double>{lowest, 7, 7}));
  EXPECT_EQ(value(one_node("Mod", {x, minus_one})).values, (std::vector<double>{0, 0, 0}));
  EXPECT_EQ(value(one_node("Mod", {x, integer_list({3})})).values, (std::vector<double>{1, 2, 1}));
  EXPECT_EQ(value(one_node("Mul", {x, two})).values, (std::vector<double>{0, -14, 14}));
  EXPECT_EQ(value(one_node("Pow", {integer_list({-1, 1, 2, 0, 3}), integer_list({-3, -2, -1, 0, 4})})).values,
            (std::vector<double>{-1, 1, 0, 1, 81}));
}

TEST(InterpreterValues, EmptyTensors) {
  const Constant none = counted({0, 3});
  EXPECT_EQ(value(one_node("ReduceSum", {none, integer_list({0})})).values, (std::vector<double>{0, 0, 0}));
  EXPECT_EQ(value(one_node("ReduceMax", {none, integer_list({0})})).values[0], -infinity);
  EXPECT_TRUE(std::isnan(value(one_node("ReduceMean", {none})).values[0]));
  EXPECT_EQ(value(one_node("MatMul", {none, counted({3, 2})})).shape, (Shape{0, 2}));
  EXPECT_EQ(value(one_node("MatMul", {counted({2, 0}), counted({0, 2})})).values, std::vector<double>(4, 0));
  EXPECT_EQ(value(one_node("Transpose", {none})).shape, (Shape{3, 0}));
  EXPECT_EQ(value(one_node("Conv", {counted({0, 1, 4}), counted({1, 1, 3})})).shape, (Shape{0, 1, 2}));
  EXPECT_EQ(value(one_node("Softmax", {none})).shape, (Shape{0, 3}));
  EXPECT_EQ(value(one_node("Reshape", {none, integer_list({0, 0})})).shape, (Shape{0, 3}));
  EXPECT_EQ(value(one_node("Gather", {none, integer_list({})})).shape, (Shape{0, 3}));
  EXPECT_EQ(value(one_node("Einsum", {none, counted({3})}, {{"equation", std::string("ij,j->i")}})).shape,
            (Shape{0}));
}

TEST(InterpreterValues, SliceEdges) {
  const Constant x = counted({5});
  const auto slice = [&](std::int64_t start, std::int64_t end, std::int64_t step) {
    return value(one_node("Slice", {x, integer_list({start}), integer_list({end}), integer_list({0}),
                                    integer_list({step})}))
        .values;
  };
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  using Values = std::vector<double>;
  EXPECT_EQ(slice(-1, int64_min, -1), (Values{4, 3, 2, 1, 0}));
  EXPECT_EQ(slice(most, int64_min, -2), (Values{4, 2, 0}));
  EXPECT_EQ(slice(int64_min, most, 1), (Values{0, 1, 2, 3, 4}));
  EXPECT_EQ(slice(1, most, most), (Values{1}));
  EXPECT_EQ(slice(3, int64_min, int64_min), (Values{3}));
  EXPECT_EQ(slice(2, 2, 1), Values());
  EXPECT_EQ(slice(most, most, 1), Values());
  EXPECT_EQ(slice(0, 4, -1), Values());
}

TEST(InterpreterValues, PadCropsBeforeItAdds) {
  const Constant x = floats({4}, {1, 2, 3, 4});
  const auto pad = [&](Integers pads, const std::string& mode) {
    return value(one_node("Pad", {x, integer_list(std::move(pads))}, {{"mode", mode}})).values;
  };
  using Values = std::vector<double>;
  EXPECT_EQ(pad({-1, 2}, "constant"), (Values{2, 3, 4, 0, 0}));
  EXPECT_EQ(pad({-2, 3}, "edge"), (Values{3, 4, 4, 4, 4}));
  EXPECT_EQ(pad({5, 0}, "reflect"), (Values{2, 3, 4, 3, 2, 1, 2, 3, 4}));
  EXPECT_EQ(pad({5, 1}, "wrap"), (Values{4, 1, 2, 3, 4, 1, 2, 3, 4, 1}));
  EXPECT_EQ(pad({-4, 2}, "constant"), (Values{0, 0}));
}

TEST(InterpreterValues, ExpandGrowsBeyondTheShapeAskedFor) {
  EXPECT_EQ(value(one_node("Expand", {counted({3, 1}), integer_list({1, 2})})).values,
            (std::vector<double>{0, 0, 1, 1, 2, 2}));
}

TEST(InterpreterValues, EinsumContractsWhatOnlyOneOperandHas) {
  const Attributes equation = {{"equation", std::string("ij,k->k")}};
  EXPECT_EQ(value(one_node("Einsum", {counted({2, 2}), counted({3})}, equation)).values,
            (std::vector<double>{0, 6, 12}));
}

/// A cosine's spectrum, one- and two-sided, there and back.
TEST(InterpreterValues, TransformsOfTheFrontEndsLength) {
  constexpr std::int64_t length = 1024, bin = 100;
  std::vector<float> wave(640);
  for (std::size_t n = 0; n < wave.size(); ++n)
    wave[n] = std::cos(2 * std::numbers::pi_v<float> * static_cast<float>(n * bin % length) / length);
  const Constant signal = floats({1, 640, 1}, wave), n = integers({}, {length});
  Graph graph = one_node("DFT", {signal, n}, {{"onesided", std::int64_t{1}}}, 17);
  graph.nodes[0].outputs = {"spectrum"};
  graph.nodes.push_back(
      node("DFT", {"spectrum"}, {"y"}, {{"onesided", std::int64_t{1}}, {"inverse", std::int64_t{1}}}));
  const auto back = value(graph);
  ASSERT_EQ(back.shape, (Shape{1, length, 1}));
  for (std::size_t i = 0; i < length; ++i) EXPECT_NEAR(back.values[i], i < wave.size() ? wave[i] : 0, 1e-12);

  const auto spectrum = value(one_node("DFT", {signal, n}, {{"onesided", std::int64_t{1}}}, 17));
  ASSERT_EQ(spectrum.shape, (Shape{1, 513, 2}));
  double real = 0, imaginary = 0;
  for (std::size_t i = 0; i < wave.size(); ++i) {
    real += wave[i] * std::cos(2 * std::numbers::pi * 7 * static_cast<double>(i) / length);
    imaginary -= wave[i] * std::sin(2 * std::numbers::pi * 7 * static_cast<double>(i) / length);
  }
  EXPECT_NEAR(spectrum.values[14], real, 1e-9);
  EXPECT_NEAR(spectrum.values[15], imaginary, 1e-9);
}

TEST(InterpreterValues, OperatorsShareNothingWithTheirInputs) {
  Graph graph;
  graph.opset = 13;
  graph.constants["x"] = counted({4});
  graph.constants["shape"] = integer_list({2, 2});
  graph.nodes = {node("Reshape", {"x", "shape"}, {"view"}), node("Relu", {"view"}, {"y"}),
                 node("Neg", {"y"}, {"z"})};
  EXPECT_EQ(value(graph).values, (std::vector<double>{0, 1, 2, 3}));
  EXPECT_EQ(graph.constants["x"].shape, (Shape{4}));
}

}  // namespace
}  // namespace pantanal::convert

// Nodes no operator may accept: each is an Error that names the node and what is wrong.
#include <gtest/gtest.h>

#include <limits>

#include "interpreter_graphs.hpp"

namespace pantanal::convert {
namespace {

using namespace fixtures;

constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();

struct BadNode {
  Graph graph;
  std::string names;  ///< part of the message
};

void expect_refused(const std::vector<BadNode>& nodes) {
  for (const BadNode& bad : nodes) {
    const Node& node = bad.graph.nodes.front();
    const auto result = evaluate(bad.graph);
    ASSERT_FALSE(result.ok()) << node.op << ", should name: " << bad.names;
    const std::string message = result.error().message();
    EXPECT_NE(message.find("'the " + node.op + "'"), std::string::npos) << message;
    EXPECT_NE(message.find(bad.names), std::string::npos) << node.op << ": " << message;
  }
}

TEST(InterpreterErrors, ElementwiseOperators) {
  const Constant i = integer_list({1, 2}), b = booleans({2}, {0, 1}), f = counted({2}), f3 = counted({3});
  expect_refused({
      {one_node("Add", {f, f3}), "shapes [2], [3]"},
      {one_node("Add", {f, i}), "kinds real and integer"},
      {one_node("Mul", {b, b}), "boolean"},
      {one_node("Sum", {f, f, f3}), "[3]"},
      {one_node("Div", {i, integer_list({1, 0})}), "divided by zero"},
      {one_node("Mod", {i, integer_list({0})}), "divided by zero"},
      {one_node("Mod", {i, i}, {{"fmod", std::int64_t{2}}}), "fmod"},
      {one_node("Mean", {i, i}), "integer [2]"},
      {one_node("Pow", {b, f}), "boolean"},
      {one_node("Exp", {i}), "integer [2]"},
      {one_node("Neg", {b}), "boolean [2]"},
      {one_node("Not", {f}), "real [2]"},
      {one_node("And", {b, i}), "integer [2]"},
      {one_node("Equal", {f, i}), "integer [2]"},
      {one_node("Where", {f, f, f}), "input 0, real [2]"},
      {one_node("Where", {b, f, i}), "input 2, integer [2]"},
      {one_node("Where", {booleans({3}, {1, 0, 1}), f, f}), "boolean [3]"},
      {one_node("Clip", {f, f}), "a scalar"},
      {one_node("Clip", {f, integers({}, {1})}), "integer []"},
      {one_node("LeakyRelu", {f}, {{"alpha", std::int64_t{1}}}), "attribute alpha holding an integer"},
  });
}

TEST(InterpreterErrors, ShapeOperators) {
  const Constant x = counted({2, 3});
  const auto reshape = [&](Integers shape, std::int64_t allow_zero = 0) {
    return one_node("Reshape", {x, integer_list(std::move(shape))}, {{"allowzero", allow_zero}});
  };
  const auto axes = [](Integers values) { return Attributes{{"axes", std::move(values)}}; };
  expect_refused({
      {reshape({4, 2}), "real [2, 3]"},
      {reshape({-1, -1}), "two extents -1"},
      {reshape({-1, 4}), "[-1, 4]"},
      {reshape({1, 1, 0}), "[1, 1, 0]"},
      {reshape({0, -1}, 1), "[0, -1]"},
      {reshape({-2, -3}), "[-2, -3]"},
      {reshape({most, most}), "real [2, 3]"},
      {reshape({0, most, most}, 1), "real [2, 3]"},
      {one_node("Reshape", {x, x}), "input 1, real [2, 3]"},
      {one_node("Reshape", {x, integers({1, 2}, {3, 2})}), "a list of integers"},
      {one_node("Flatten", {x}, {{"axis", std::int64_t{3}}}), "axis"},
      {one_node("Squeeze", {x}, axes({0}), 11), "extent 1 at axis 0"},
      {one_node("Squeeze", {x}, axes({2}), 11), "axis 2"},
      {one_node("Squeeze", {x, integer_list({0})}, axes({0}), 11), "both as attribute and as input"},
      {one_node("Unsqueeze", {x}), "no axes"},
      {one_node("Unsqueeze", {x, integer_list({0, -4})}), "axis -4 twice"},
      {one_node("Unsqueeze", {x, integer_list({least})}), "axis -9223372036854775808"},
      {one_node("Dropout", {x, floats({}, {0.5f}), booleans({}, {1})}), "training_mode"},
  });
}

TEST(InterpreterErrors, SelectionAndJoining) {
  const Constant x = counted({2, 3}), axis_0 = integer_list({0});
  const auto axis = [](std::int64_t value) { return Attributes{{"axis", value}}; };
  expect_refused({
      {one_node("Transpose", {x}, {{"perm", Integers{0}}}), "perm"},
      {one_node("Transpose", {x}, {{"perm", Integers{1, 1}}}), "axis 1 twice"},
      {one_node("Transpose", {x}, {{"perm", std::int64_t{1}}}), "attribute perm holding an integer"},
      {one_node("Expand", {x, integer_list({2, 2})}), "[2, 2]"},
      {one_node("Expand", {x, integer_list({most, 2, 3})}), "9223372036854775807"},
      {one_node("Expand", {x, integer_list({-1, 2, 3})}), "negative extent"},
      {one_node("Tile", {x, integer_list({2})}), "1 repeats"},
      {one_node("Tile", {x, integer_list({2, -1})}), "negative extent"},
      {one_node("Tile", {x, integer_list({most, most})}), "more elements"},
      {one_node("Gather", {x, integers({}, {2})}), "index 2"},
      {one_node("Gather", {x, integers({}, {least})}), "index -9223372036854775808"},
      {one_node("Gather", {x, x}), "input 1, real [2, 3]"},
      {one_node("Gather", {x, axis_0}, axis(2)), "axis 2"},
      {one_node("Gather", {counted({}), axis_0}), "axis 0"},
      {one_node("Slice", {x, axis_0, axis_0, axis_0, axis_0}), "step 0"},
      {one_node("Slice", {x, axis_0, integer_list({1, 1})}), "different lengths"},
      {one_node("Slice", {x, axis_0, axis_0, integer_list({2})}), "axis 2"},
      {one_node("Slice", {x, axis_0}), "no starts or no ends"},
      {one_node("Slice", {x, integer_list({0, 0, 0}), integer_list({1, 1, 1})}), "axis 2"},
      {one_node("Concat", {x, x}), "no attribute axis"},
      {one_node("Concat", {x, counted({3, 3})}, axis(1)), "input 1, real [3, 3]"},
      {one_node("Concat", {x, counted({2})}, axis(0)), "input 1, real [2]"},
      {one_node("Concat", {x, integers({2, 3}, Integers(6))}, axis(0)), "input 1, integer [2, 3]"},
      {one_node("Concat", {counted({})}, axis(0)), "axis 0"},
      {one_node("Split", {x}, axis(1), 13, 2), "an axis that 2 divides"},
      {one_node("Split", {x, integer_list({1, 1})}, axis(1), 13, 2), "add up to 3"},
      {one_node("Split", {x, integer_list({most, most})}, axis(1), 13, 2), "add up to 3"},
      {one_node("Split", {x, integer_list({-1, 4})}, axis(1), 13, 2), "add up to 3"},
      {one_node("Split", {x, integer_list({3})}, axis(1), 13, 2), "2 that add up"},
      {one_node("Split", {x}, {{"num_outputs", std::int64_t{3}}}, 18, 2), "num_outputs"},
  });
}

TEST(InterpreterErrors, PadAndCreation) {
  const Constant x = counted({2, 3});
  const auto pad = [&](Integers pads, const std::string& mode = "constant") {
    return one_node("Pad", {x, integer_list(std::move(pads))}, {{"mode", mode}});
  };
  const Constant one = integers({}, {1}), zero = integers({}, {0});
  expect_refused({
      {pad({1, 1}), "2 pads"},
      {pad({1, 1, 1, 1}, "mirror"), "mode"},
      {pad({0, 0, most, 0}), "9223372036854775807"},
      {pad({0, 0, 1 << 30, 0}), "more elements"},
      {pad({least, 0, 0, 0}), "axis 0"},
      {pad({-1, 0, -2, 0}), "axis 0"},
      {pad({-2, 0, 1, 0}, "edge"), "axis 0"},
      {one_node("Pad", {x}), "no pads"},
      {one_node("Pad", {x, integer_list({0, 0, 0, 0}), one}), "input 2, integer []"},
      {one_node("Pad", {x, integer_list({0, 0}), floats({}, {0}), integer_list({2})}), "axis 2"},
      {one_node("Cast", {x}), "no attribute to"},
      {one_node("Cast", {x}, {{"to", std::int64_t{8}}}), "to = 8"},
      {one_node("Cast", {x}, {{"to", std::int64_t{10}}}), "to = 10"},
      {one_node("Cast", {x}, {{"to", (std::int64_t{1} << 32) + 1}}), "to = 4294967297"},
      {one_node("Cast", {floats({1}, {1e30f})}, {{"to", std::int64_t{7}}}), "cast to an integer"},
      {one_node("Cast", {floats({1}, {std::numeric_limits<float>::quiet_NaN()})}, {{"to", std::int64_t{7}}}),
       "cast to an integer"},
      {one_node("Range", {zero, one, zero}), "delta 0"},
      {one_node("Range", {zero, integers({}, {most}), one}), "more elements"},
      {one_node("Range", {integers({}, {least}), integers({}, {most}), one}), "negative extent"},
      {one_node("Range", {floats({}, {0}), floats({}, {1}), floats({}, {0})}), "elements"},
      {one_node("Range", {floats({}, {0}), floats({}, {1e9f}), floats({}, {1})}), "more elements"},
      {one_node("Range", {zero, floats({}, {1}), one}), "real []"},
      {one_node("ConstantOfShape", {integer_list({-1})}), "negative extent"},
      {one_node("ConstantOfShape", {integer_list({1 << 30, 1 << 30})}), "more elements"},
      {one_node("ConstantOfShape", {integer_list({0, most, most})}), "more elements"},
      {one_node("ConstantOfShape", {integer_list({1})}, {{"value", counted({2})}}), "one element"},
  });
}

TEST(InterpreterErrors, Windows) {
  const Constant x = counted({1, 4, 5, 5}), w = counted({4, 4, 3, 3});
  const auto conv = [&](Attributes attributes) { return one_node("Conv", {x, w}, std::move(attributes)); };
  const auto pool = [&](Attributes attributes) { return one_node("MaxPool", {x}, std::move(attributes)); };
  const Integers three = {3, 3};
  expect_refused({
      {one_node("Conv", {x, counted({4, 3, 3, 3})}), "fit 1 groups"},
      {one_node("Conv", {x, counted({4, 4, 3})}), "ranks"},
      {one_node("Conv", {counted({1, 4}), counted({4, 4})}), "ranks"},
      {one_node("Conv", {x, w, counted({3})}), "bias"},
      {one_node("Conv", {x, w, counted({1, 4})}), "bias"},
      {one_node("Conv", {x, integers({1, 4, 1, 1}, Integers(4))}), "integer"},
      {one_node("Conv", {counted({1, 0, 5, 5}), counted({4, 0, 3, 3})}), "channels"},
      {one_node("Conv", {x, counted({4, 4, 6, 6})}), "holds the kernel"},
      {one_node("Conv", {x, counted({4, 4, 0, 3})}), "positive extents"},
      {conv({{"group", std::int64_t{3}}}), "3 groups"},
      {conv({{"group", std::int64_t{0}}}), "0 groups"},
      {conv({{"kernel_shape", Integers{3, 2}}}), "kernel_shape"},
      {conv({{"strides", Integers{0, 1}}}), "strides"},
      {conv({{"strides", Integers{1}}}), "strides"},
      {conv({{"dilations", Integers{1, most}}}), "dilations"},
      {conv({{"pads", Integers{0, 0, 0, -1}}}), "pads"},
      {conv({{"pads", Integers{0, 0}}}), "pads"},
      {conv({{"pads", Integers{0, 0, most, 0}}}), "pads"},
      {conv({{"pads", Integers{0, 0, 1 << 29, 1 << 29}}}), "more elements"},
      {conv({{"auto_pad", std::string("SAME")}}), "auto_pad = SAME"},
      {conv({{"auto_pad", std::string("SAME_UPPER")}, {"pads", Integers{1, 1, 1, 1}}}), "auto_pad"},
      {pool({}), "kernel_shape"},
      {pool({{"kernel_shape", Integers{3}}}), "spatial axes"},
      {pool({{"kernel_shape", Integers{1 << 20, 1 << 20}}, {"pads", Integers(4, 1 << 21)}}), "more elements"},
      {pool({{"kernel_shape", Integers{most, 1}}}), "positive extents"},
      {one_node("MaxPool", {counted({1, 1, 64, 64})},
                {{"kernel_shape", Integers{900, 900}}, {"pads", Integers(4, 450)}}),
       "operations"},
      {one_node("MaxPool", {counted({4, 5})}, {{"kernel_shape", Integers{1}}}), "rank 3"},
      {one_node("AveragePool", {integers({1, 1, 2}, {1, 2})}, {{"kernel_shape", Integers{1}}}), "integer"},
      {one_node("GlobalAveragePool", {counted({4, 5})}), "rank 3"},
  });
}

TEST(InterpreterErrors, ProductsTransformsAndNormalizations) {
  const Constant x = counted({2, 3}), v = counted({3}), one = counted({1}), scalar = counted({});
  const Constant signals = counted({1, 8, 1}), spectra = counted({1, 8, 2});
  const auto einsum = [&](const std::string& equation) {
    return one_node("Einsum", {x, v}, {{"equation", equation}});
  };
  const auto flags = [](std::int64_t inverse, std::int64_t onesided) {
    return Attributes{{"inverse", inverse}, {"onesided", onesided}};
  };
  const std::vector<Constant> statistics(4, counted({3}));
  const auto normalize = [&](Constant image, Attributes attributes = {}) {
    return one_node("BatchNormalization", {std::move(image), v, v, v, v}, std::move(attributes), 14);
  };
  expect_refused({
      {one_node("MatMul", {x, x}), "can be multiplied"},
      {one_node("MatMul", {scalar, x}), "can be multiplied"},
      {one_node("MatMul", {counted({2, 1, 3}), counted({3, 3, 1})}), "can be multiplied"},
      {one_node("MatMul", {x, integer_list({1, 2, 3})}), "integer [3]"},
      {one_node("Gemm", {x, v}), "two matrices"},
      {one_node("Gemm", {x, x}, {{"transA", std::int64_t{0}}}), "two matrices"},
      {one_node("Gemm", {x, x, counted({3, 3})}, {{"transB", std::int64_t{1}}}), "broadcasts to [2, 2]"},
      {one_node("Gemm", {x, x, counted({1, 2, 2})}, {{"transB", std::int64_t{1}}}), "broadcasts to [2, 2]"},
      {einsum("ij,k->ijl"), "equation"},
      {einsum("ij"), "equation"},
      {einsum("ijk,j->i"), "equation"},
      {einsum("ij,j,j->i"), "equation"},
      {einsum("i.j,j->i"), "equation"},
      {einsum("ij,j->ii"), "equation"},
      {einsum(""), "equation"},
      {einsum("ij,i->j"), "extent 2"},
      {one_node("Einsum", {v, v, v}, {{"equation", std::string("i,i,i->i")}}), "3 operands"},
      {one_node("DFT", {v}), "complex [..., 2]"},
      {one_node("DFT", {counted({2, 8, 3})}), "complex [..., 2]"},
      {one_node("DFT", {spectra}, flags(0, 1)), "onesided is set"},
      {one_node("DFT", {signals}, flags(1, 1)), "onesided and inverse"},
      {one_node("DFT", {signals, integers({}, {0})}), "length 0"},
      {one_node("DFT", {signals, integers({}, {most})}), "more elements"},
      {one_node("DFT", {signals, integers({}, {least})}), "length"},
      {one_node("DFT", {signals}, {{"axis", std::int64_t{2}}}, 17), "other than the last"},
      {one_node("DFT", {signals, integers({}, {8}), integers({}, {5})}, {}, 20), "axis 5"},
      {one_node("DFT", {counted({1, 0, 1})}), "length 0"},
      {normalize(counted({2, 4})), "shape [4]"},
      {normalize(x, {{"training_mode", std::int64_t{1}}}), "training_mode"},
      {normalize(x, {{"spatial", std::int64_t{0}}}), "spatial"},
      {one_node("BatchNormalization", {scalar, one, one, one, one}), "rank 1"},
      {one_node("LpNormalization", {x}, {{"p", std::int64_t{3}}}), "p = 3"},
      {one_node("Softmax", {x}, {{"axis", std::int64_t{2}}}), "axis 2"},
      {one_node("Softmax", {scalar}), "axis -1"},
      {one_node("ReduceSum", {x, integer_list({2})}), "axis 2"},
      {one_node("ReduceSum", {x, integer_list({0, -2})}), "axis -2 twice"},
      {one_node("ReduceSum", {booleans({2}, {0, 1})}), "boolean [2]"},
      {one_node("ReduceL2", {integer_list({1})}), "integer [1]"},
  });
}

}  // namespace
}  // namespace pantanal::convert

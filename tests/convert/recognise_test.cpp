#include "recognise/recognise.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "perch_graph.hpp"

namespace pantanal::convert {
namespace {

using fixtures::family_model;
using fixtures::GraphBuilder;
using fixtures::Integers;
using fixtures::Names;
using fixtures::PerchGraph;
using fixtures::Spelling;

/// Weights bit for bit, biases within `bias_tolerance` where the spelling moved them about.
void expect_equal(const perch::Model& found, const perch::Model& expected, float weight_tolerance,
                  float bias_tolerance) {
  ASSERT_EQ(found.tensors.size(), expected.tensors.size());
  for (const auto& [name, tensor] : expected.tensors) {
    const auto it = found.tensors.find(name);
    ASSERT_NE(it, found.tensors.end()) << name;
    ASSERT_EQ(it->second.shape, tensor.shape) << name;
    const float tolerance = name.ends_with("bias") ? bias_tolerance : weight_tolerance;
    for (std::size_t i = 0; i < tensor.values.size(); ++i)
      ASSERT_NEAR(it->second.values[i], tensor.values[i], tolerance * (1 + std::abs(tensor.values[i])))
          << name << " " << i;
  }
}

void expect_equal(const perch::Architecture& found, const perch::Architecture& expected) {
  const perch::Frontend &f = found.frontend, &e = expected.frontend;
  EXPECT_EQ(std::tie(f.samples, f.sample_rate, f.frame_length, f.hop_length, f.pad_left, f.pad_right,
                     f.fft_size, f.mel_bands, f.floor, f.scale),
            std::tie(e.samples, e.sample_rate, e.frame_length, e.hop_length, e.pad_left, e.pad_right,
                     e.fft_size, e.mel_bands, e.floor, e.scale));
  EXPECT_EQ(found.stem.channels, expected.stem.channels);
  EXPECT_EQ(found.stem.conv.pads, expected.stem.conv.pads);
  EXPECT_EQ(found.stem.activation, expected.stem.activation);
  EXPECT_EQ(found.head.channels, expected.head.channels);
  EXPECT_EQ(found.head.activation, expected.head.activation);
  EXPECT_EQ(std::tie(found.label.classes, found.label.prototypes, found.label.eps),
            std::tie(expected.label.classes, expected.label.prototypes, expected.label.eps));
  ASSERT_EQ(found.blocks.size(), expected.blocks.size());
  for (std::size_t i = 0; i < found.blocks.size(); ++i) {
    const perch::Block &a = found.blocks[i], &b = expected.blocks[i];
    EXPECT_EQ(std::tie(a.in_channels, a.expanded_channels, a.out_channels, a.se_channels, a.has_expand,
                       a.has_skip, a.depthwise.kernel, a.depthwise.stride, a.depthwise.pads,
                       a.depthwise_activation, a.se_activation),
              std::tie(b.in_channels, b.expanded_channels, b.out_channels, b.se_channels, b.has_expand,
                       b.has_skip, b.depthwise.kernel, b.depthwise.stride, b.depthwise.pads,
                       b.depthwise_activation, b.se_activation))
        << "block " << i;
    EXPECT_TRUE(!a.has_expand || a.expand_activation == b.expand_activation) << "block " << i;
  }
}

/// Writes a model in a spelling, reads it back, and wants the same model.
void expect_round_trip(const Spelling& spelling, std::int64_t opset = 18, float weight_tolerance = 0) {
  const perch::Model model = family_model();
  const Graph graph = PerchGraph(model, spelling, opset).graph();
  const auto found = recognise(graph);
  ASSERT_TRUE(found.ok()) << found.error().message();
  expect_equal(found->model.architecture, model.architecture);
  expect_equal(found->model, model, weight_tolerance, 2e-6f);
  EXPECT_EQ(found->input, "inputs");
  EXPECT_EQ(found->outputs.size(), 4u);
  EXPECT_TRUE(found->notes.empty());
}

TEST(Recognise, ReadsTheReleasedSpelling) { expect_round_trip({}); }

TEST(Recognise, ReadsPlainLayoutsAndTransposedOnes) { expect_round_trip({.plain = true}); }

TEST(Recognise, ReadsBatchNormHoweverItIsWritten) {
  for (const bool plain : {false, true}) {
    expect_round_trip({.plain = plain, .batch_norm = Spelling::BatchNorm::folded});
    expect_round_trip({.plain = plain, .batch_norm = Spelling::BatchNorm::sub_div});
    expect_round_trip({.plain = plain, .batch_norm = Spelling::BatchNorm::node}, 18, 1e-6f);
  }
}

TEST(Recognise, ReadsPadsWhereverTheyStand) {
  for (const bool plain : {false, true}) {
    expect_round_trip({.plain = plain, .pads = Spelling::Pads::pad_node});
    expect_round_trip({.plain = plain, .pads = Spelling::Pads::zeros_joined});
    expect_round_trip({.plain = plain, .pads = Spelling::Pads::automatic});
  }
}

TEST(Recognise, ReadsTheTransformAsNodeOrMatrix) {
  using enum Spelling::Transform;
  for (const auto transform : {dft, pairs, halves, split, folded_conv})
    expect_round_trip({.transform = transform}, 18, transform == folded_conv ? 1e-7f : 0);
  expect_round_trip({.gather_frames = true});
  expect_round_trip({.transform = pairs, .gather_frames = true});
}

TEST(Recognise, ReadsTheSigmoidInAnySpelling) {
  const std::vector<Spelling::Unary> spellings = {
      [](auto& g, auto& x) { return g.add("Sigmoid", {x}); },
      [](auto& g, auto& x) {
        return g.add("Reciprocal",
                     {g.add("Add", {g.add("Exp", {g.add("Mul", {g.scalar(-1), x})}), g.scalar(1)})});
      },
      [](auto& g, auto& x) {
        return g.add("Pow", {g.add("Add", {g.add("Exp", {g.add("Sub", {g.scalar(0), x})}), g.scalar(1)}),
                             g.scalar(-1)});
      },
      [](auto& g, auto& x) {  // exp(x) / (1 + exp(x))
        const std::string e = g.add("Exp", {x});
        return g.add("Div", {e, g.add("Add", {g.scalar(1), e})});
      },
      [](auto& g, auto& x) {  // 0.5 + 0.5 tanh(x / 2)
        const std::string t = g.add("Tanh", {g.add("Mul", {x, g.scalar(0.5f)})});
        return g.add("Add", {g.scalar(0.5f), g.add("Mul", {t, g.scalar(0.5f)})});
      },
      [](auto& g, auto& x) {  // exp(-softplus(-x))
        return g.add("Exp", {g.add("Neg", {g.add("Softplus", {g.add("Neg", {x})})})});
      },
      [](auto& g, auto& x) {  // with a constant that is broadcast to the value's own shape
        const std::string ones = g.add("Expand", {g.floats({1}, {1}), g.add("Shape", {x})});
        return g.add("Div", {ones, g.add("Add", {g.add("Exp", {g.add("Neg", {x})}), ones})});
      },
  };
  for (const auto& sigmoid : spellings) {
    Spelling spelling;
    spelling.sigmoid = sigmoid;
    expect_round_trip(spelling);
    spelling.plain = true;
    spelling.swish = [&](GraphBuilder& g, const std::string& x) { return g.add("Mul", {sigmoid(g, x), x}); };
    expect_round_trip(spelling);
  }
}

TEST(Recognise, ReadsSwishAndGatesAsQuotients) {
  Spelling spelling;
  spelling.swish = [](GraphBuilder& g, const std::string& x) {
    return g.add("Div", {x, g.add("Add", {g.scalar(1), g.add("Exp", {g.add("Neg", {x})})})});
  };
  expect_round_trip(spelling);
  spelling.sigmoid = [](GraphBuilder& g, const std::string& x) {  // what it divides by
    return g.add("Add", {g.scalar(1), g.add("Exp", {g.add("Neg", {x})})});
  };
  spelling.gate = [](GraphBuilder& g, const std::string& image, const std::string& gate) {
    return g.add("Div", {image, gate});
  };
  expect_round_trip(spelling);
}

TEST(Recognise, ReadsGatesThatAreExpandedFirst) {
  Spelling spelling;
  spelling.gate = [](GraphBuilder& g, const std::string& image, const std::string& gate) {
    return g.add("Mul", {g.add("Expand", {gate, g.add("Shape", {image})}), image});
  };
  expect_round_trip(spelling);
}

TEST(Recognise, ReadsReluInAnySpelling) {
  perch::Architecture architecture = fixtures::family_architecture();
  architecture.stem.activation = architecture.head.activation = perch::Activation::relu;
  for (perch::Block& block : architecture.blocks)
    block.expand_activation = block.depthwise_activation = block.se_activation = perch::Activation::relu;
  const perch::Model model = perch::fixtures::random_model(architecture, 3);
  const std::vector<Spelling::Unary> spellings = {
      [](auto& g, auto& x) { return g.add("Relu", {x}); },
      [](auto& g, auto& x) {
        return g.add("Max", {g.scalar(0), x});
      },
      [](auto& g, auto& x) {
        return g.add("Clip", {x, g.scalar(0)});
      },
      [](auto& g, auto& x) {
        return g.add("Clip", {x, g.scalar(0), g.scalar(3.4e38f)});
      },
      [](auto& g, auto& x) {
        return g.add("Where", {g.add("Greater", {x, g.scalar(0)}), x, g.scalar(0)});
      },
      [](auto& g, auto& x) {
        return g.add("Mul", {g.add("Add", {x, g.add("Abs", {x})}), g.scalar(0.5f)});
      },
  };
  for (const auto& relu : spellings) {
    Spelling spelling;
    spelling.relu = relu;
    const Graph graph = PerchGraph(model, spelling).graph();
    const auto found = recognise(graph);
    ASSERT_TRUE(found.ok()) << found.error().message();
    expect_equal(found->model.architecture, architecture);
  }
}

TEST(Recognise, ReadsMeansInAnySpelling) {
  using Mean = decltype(Spelling::mean);
  const std::vector<Mean> spellings = {
      [](auto& g, auto& x, Integers axes, std::int64_t) { return g.reduce("ReduceMean", x, axes, false); },
      [](auto& g, auto& x, Integers axes, std::int64_t) {
        return g.squeeze(g.reduce("ReduceMean", x, axes, true), axes);
      },
      [](auto& g, auto& x, Integers axes, std::int64_t) {  // one axis after the other
        return g.reduce("ReduceMean", g.reduce("ReduceMean", x, {axes[1]}, true), axes, false);
      },
      [](auto& g, auto& x, Integers axes, std::int64_t count) {
        return g.add("Mul", {g.reduce("ReduceSum", x, axes, false), g.scalar(1 / static_cast<float>(count))});
      },
      [](auto& g, auto& x, Integers axes, std::int64_t) {  // divided by what the shape says
        const std::string shape = g.add("Gather", {g.add("Shape", {x}), g.ints(axes)});
        const std::string count =
            g.add("Cast", {g.add("ReduceProd", {shape}, {{"keepdims", std::int64_t{0}}})},
                  {{"to", std::int64_t{1}}});
        return g.add("Div", {g.reduce("ReduceSum", x, axes, false), count});
      },
      [](auto& g, auto& x, Integers axes, std::int64_t) {
        const std::string image = axes.front() == 2 ? x : g.transpose(x, {0, 3, 1, 2});
        return g.add("Flatten", {g.add("GlobalAveragePool", {image})});
      },
  };
  for (const auto& mean : spellings)
    for (const bool plain : {false, true}) {
      Spelling spelling;
      spelling.plain = plain;
      spelling.mean = mean;
      expect_round_trip(spelling);
    }
}

TEST(Recognise, ReadsDenseLayersInAnySpelling) {
  using Dense = decltype(Spelling::dense);
  using Tensor = perch::Tensor;
  const auto floats = [](GraphBuilder& g, const Tensor& t, Shape shape) {
    return g.floats(std::move(shape), {t.values.begin(), t.values.end()});
  };
  const std::vector<Dense> spellings = {
      [&](auto& g, auto& x, const Tensor& w, const Tensor& b) {
        return g.add("Gemm", {x, floats(g, w, w.shape), floats(g, b, b.shape)},
                     {{"transB", std::int64_t{1}}});
      },
      [&](auto& g, auto& x, const Tensor& w, const Tensor& b) {  // halves and doubles that cancel
        std::vector<float> twice(w.values.begin(), w.values.end()), quarter(b.values.begin(), b.values.end());
        for (float& v : twice) v *= 2;
        for (float& v : quarter) v /= 4;
        return g.add("Gemm", {x, g.floats(w.shape, twice), g.floats({1, b.shape[0]}, quarter)},
                     {{"transB", std::int64_t{1}}, {"alpha", 0.5f}, {"beta", 4.0f}});
      },
      [&](auto& g, auto& x, const Tensor& w, const Tensor& b) {  // weight · xᵀ
        const std::string y = g.add("MatMul", {floats(g, w, w.shape), g.transpose(x, {1, 0})});
        return g.transpose(g.add("Add", {y, floats(g, b, {b.shape[0], 1})}), {1, 0});
      },
      [&](auto& g, auto& x, const Tensor& w, const Tensor& b) {  // transA
        return g.add("Gemm",
                     {g.transpose(x, {1, 0}),
                      g.floats({w.shape[1], w.shape[0]},
                               fixtures::transposed(w.values, static_cast<std::size_t>(w.shape[0]),
                                                    static_cast<std::size_t>(w.shape[1]))),
                      floats(g, b, b.shape)},
                     {{"transA", std::int64_t{1}}});
      },
      [&](auto& g, auto& x, const Tensor& w, const Tensor& b) {
        const std::string image = g.unsqueeze(x, {2, 3});
        return g.squeeze(
            g.add("Conv", {image, floats(g, w, {w.shape[0], w.shape[1], 1, 1}), floats(g, b, b.shape)}),
            {2, 3});
      },
      [&](auto& g, auto& x, const Tensor& w, const Tensor& b) {  // in four dimensions, with a negated bias
        std::vector<float> negative(b.values.begin(), b.values.end());
        for (float& v : negative) v = -v;
        const std::string matrix = g.transpose(floats(g, w, w.shape), {1, 0});
        const std::string y = g.add("MatMul", {g.unsqueeze(x, {1, 2}), matrix});
        return g.squeeze(g.add("Sub", {y, g.floats(b.shape, negative)}), {1, 2});
      },
  };
  for (const auto& dense : spellings) {
    Spelling spelling;
    spelling.dense = dense;
    expect_round_trip(spelling);
  }
}

TEST(Recognise, ReadsTheLogarithmInAnySpelling) {
  using Log = decltype(Spelling::log);
  const std::vector<Log> spellings = {
      [](auto& g, auto& mel, float floor, float scale) {
        return g.add("Mul", {g.scalar(scale), g.add("Log", {g.add("Clip", {mel, g.scalar(floor)})})});
      },
      [](auto& g, auto& mel, float floor, float) {
        return g.add("Div", {g.add("Log", {g.add("Max", {g.scalar(floor), mel})}), g.scalar(10)});
      },
      [](auto& g, auto& mel, float floor, float scale) {
        const std::string low = g.add("Less", {mel, g.scalar(floor)});
        return g.add("Mul", {g.add("Log", {g.add("Where", {low, g.scalar(floor), mel})}), g.scalar(scale)});
      },
      [](auto& g, auto& mel, float floor, float scale) {
        const std::string above = g.add("Relu", {g.add("Sub", {mel, g.scalar(floor)})});
        return g.add("Mul", {g.add("Log", {g.add("Add", {above, g.scalar(floor)})}), g.scalar(scale)});
      },
  };
  for (const auto& log : spellings) {
    Spelling spelling;
    spelling.log = log;
    expect_round_trip(spelling);
  }
}

TEST(Recognise, ReadsUnitVectorsInAnySpelling) {
  using Unit = decltype(Spelling::unit);
  const auto norm = [](GraphBuilder& g, const std::string& x) { return g.reduce("ReduceL2", x, {2}, true); };
  const std::vector<Unit> spellings = {
      [](auto& g, auto& x, float eps) {
        const std::string root = g.add("Sqrt", {g.reduce("ReduceSum", g.add("Mul", {x, x}), {-1}, true)});
        return g.add("Div", {x, g.add("Add", {g.scalar(eps), root})});
      },
      [](auto& g, auto& x, float eps) {
        const std::string root = g.add("Pow", {g.reduce("ReduceSumSquare", x, {-1}, true), g.scalar(0.5f)});
        return g.add("Mul", {x, g.add("Reciprocal", {g.add("Add", {root, g.scalar(eps)})})});
      },
      [&](auto& g, auto& x, float eps) {
        return g.add("Mul", {g.add("Div", {g.scalar(1), g.add("Add", {norm(g, x), g.scalar(eps)})}), x});
      },
      [&](auto& g, auto& x, float eps) {
        const std::string length =
            g.unsqueeze(g.add("Add", {g.reduce("ReduceL2", x, {-1}, false), g.scalar(eps)}), {2});
        return g.add("Div", {x, g.add("Expand", {length, g.add("Shape", {x})})});
      },
  };
  for (const auto& unit : spellings) {
    Spelling spelling;
    spelling.unit = unit;
    expect_round_trip(spelling);
  }
}

TEST(Recognise, GivesUnitVectorsWithoutEpsilonTheSmallestOne) {
  for (const bool node : {false, true}) {
    Spelling spelling;
    spelling.unit = [node](GraphBuilder& g, const std::string& x, float) {
      if (node) return g.add("LpNormalization", {x}, {{"axis", std::int64_t{2}}, {"p", std::int64_t{2}}});
      return g.add("Div", {x, g.reduce("ReduceL2", x, {-1}, true)});
    };
    const Graph graph = PerchGraph(family_model(), spelling).graph();
    const auto found = recognise(graph);
    ASSERT_TRUE(found.ok()) << found.error().message();
    EXPECT_GT(found->model.architecture.label.eps, 0);
    EXPECT_LT(found->model.architecture.label.eps, 1e-37f);
  }
}

TEST(Recognise, ReadsPrototypesInEitherOrientation) {
  using Best = decltype(Spelling::best);
  using Tensor = perch::Tensor;
  const std::vector<Best> spellings = {
      [](auto& g, auto& u,
         const Tensor& p) {  // prototypes · uᵀ, spelled with the prototypes of a class together
        const std::string matrix =
            g.floats({p.shape[0] * p.shape[1], p.shape[2]}, {p.values.begin(), p.values.end()});
        const std::string best =
            g.reduce("ReduceMax", g.add("MatMul", {matrix, g.transpose(u, {0, 2, 1})}), {2}, false);
        return g.reshape(best, {0, p.shape[0], p.shape[1]});
      },
      [](auto& g, auto& u, const Tensor& p) {  // Gemm on rows of all windows
        const std::string rows = g.reshape(u, {-1, p.shape[2]});
        const std::string matrix =
            g.floats({p.shape[0] * p.shape[1], p.shape[2]}, {p.values.begin(), p.values.end()});
        const std::string all = g.add("Gemm", {rows, matrix}, {{"transB", std::int64_t{1}}});
        const std::string shape = g.add("Concat",
                                        {g.add("Slice", {g.add("Shape", {u}), g.ints({0}), g.ints({2})}),
                                         g.ints({p.shape[0], p.shape[1]})},
                                        {{"axis", std::int64_t{0}}});
        return g.reduce("ReduceMax", g.add("Reshape", {all, shape}), {1}, false);
      },
      [](auto& g, auto& u, const Tensor& p) {  // a 1x1 convolution and a pool
        const std::string image = g.unsqueeze(g.transpose(u, {0, 2, 1}), {3});
        const std::string weight =
            g.floats({p.shape[0] * p.shape[1], p.shape[2], 1, 1}, {p.values.begin(), p.values.end()});
        return g.reshape(g.add("GlobalMaxPool", {g.add("Conv", {image, weight})}),
                         {-1, p.shape[0], p.shape[1]});
      },
      [](auto& g, auto& u, const Tensor& p) {  // prototype-major: all first prototypes, then all second ones
        const auto classes = static_cast<std::size_t>(p.shape[0]),
                   each = static_cast<std::size_t>(p.shape[1]),
                   channels = static_cast<std::size_t>(p.shape[2]);
        std::vector<float> matrix(p.values.size());
        for (std::size_t c = 0; c < classes; ++c)
          for (std::size_t k = 0; k < each; ++k)
            for (std::size_t i = 0; i < channels; ++i)
              matrix[i * classes * each + k * classes + c] = p.values[(c * each + k) * channels + i];
        const std::string product =
            g.add("MatMul", {u, g.floats({p.shape[2], p.shape[0] * p.shape[1]}, matrix)});
        const std::string best =
            g.reshape(g.reduce("ReduceMax", product, {1}, false), {-1, p.shape[1], p.shape[0]});
        return g.transpose(best, {0, 2, 1});
      },
  };
  for (const auto& best : spellings)
    for (const bool raw : {false, true}) {
      Spelling spelling;
      spelling.best = best;
      spelling.raw_scale = raw;
      expect_round_trip(spelling);
    }
}

TEST(Recognise, SeesThroughWhatDoesNothing) {
  Spelling spelling;
  spelling.nothing = [](GraphBuilder& g, const std::string& x) {
    std::string y = g.add("Dropout", {g.add("Identity", {x})});
    y = g.add("Cast", {y}, {{"to", std::int64_t{1}}});
    y = g.transpose(g.transpose(y, {3, 1, 2, 0}), {3, 1, 2, 0});
    y = g.add("Slice", {y, g.ints({0, 0}), g.ints({INT64_MAX, INT32_MAX}), g.ints({1, 2})});
    y = g.add("Pad", {y, g.ints(Integers(8, 0))});
    // A chain that carries the batch: shape -> batch -> shape again.
    const std::string n = g.unsqueeze(g.add("Gather", {g.add("Shape", {y}), g.integer(0)}), {0});
    const std::string tail = g.add(
        "Cast",
        {g.add("Slice",
               {g.add("Cast", {g.add("Shape", {y})}, {{"to", std::int64_t{6}}}), g.ints({1}), g.ints({4})})},
        {{"to", std::int64_t{7}}});
    const std::string shape = g.add("Concat", {n, tail}, {{"axis", std::int64_t{0}}});
    const std::string merged =
        g.add("Reshape", {y, g.add("Concat", {n, g.ints({-1})}, {{"axis", std::int64_t{0}}})});
    // torch's expand: -1 means "as it is".
    const std::string as_is =
        g.add("Equal", {shape, g.add("Mul", {g.add("ConstantOfShape", {g.ints({4})},
                                                   {{"value", Constant{DataType::int64, {1}, {}, {}, {1}}}}),
                                             g.ints({-1})})});
    const std::string target = g.add("Where", {as_is, g.ints({1, 1, 1, 1}), shape});
    return g.add("Expand", {g.add("Reshape", {merged, shape}), target});
  };
  expect_round_trip(spelling);
}

TEST(Recognise, ReadsAxesAsAttributes) {
  Graph graph = PerchGraph(family_model(), {}, 12).graph();
  for (Node& node : graph.nodes) {
    const bool takes_axes = node.op.starts_with("Reduce") || node.op == "Squeeze" || node.op == "Unsqueeze";
    if (!takes_axes || node.inputs.size() != 2) continue;
    node.attributes["axes"] = graph.constants.at(node.inputs[1]).ints;
    node.inputs.pop_back();
  }
  const auto found = recognise(graph);
  ASSERT_TRUE(found.ok()) << found.error().message();
  expect_equal(found->model, family_model(), 0, 2e-6f);
}

TEST(Recognise, ReadsAGraphOfAFixedBatch) {
  for (const std::int64_t batch : {1, 3}) {
    Graph graph = PerchGraph(family_model()).graph();
    graph.inputs.front().shape.front() = batch;
    const auto found = recognise(graph);
    ASSERT_TRUE(found.ok()) << found.error().message();
    expect_equal(found->model, family_model(), 0, 2e-6f);
  }
}

TEST(Recognise, ReadsHeadlessGraphs) {
  Graph graph = PerchGraph(family_model()).graph();
  graph.outputs.pop_back();  // label
  const auto found = recognise(graph);
  ASSERT_TRUE(found.ok()) << found.error().message();
  EXPECT_EQ(found->model.architecture.label.classes, 0u);
  EXPECT_EQ(found->model.values("label.bias").size(), 0u);
  graph.outputs.resize(1);  // embedding only
  const auto less = recognise(graph);
  ASSERT_TRUE(less.ok()) << less.error().message();
  EXPECT_EQ(less->outputs, (std::map<std::string, std::string>{{"embedding", "embedding"}}));
}

TEST(Recognise, FindsOutputsByStructureIfTheirNamesAreOthers) {
  Graph graph = PerchGraph(family_model()).graph();
  const std::map<std::string, std::string> names = {
      {"embedding", "a"}, {"spatial_embedding", "b"}, {"spectrogram", "c"}, {"label", "d"}};
  for (Node& node : graph.nodes)
    for (std::string& output : node.outputs)
      if (names.contains(output)) output = names.at(output);
  std::vector<Value> renamed;
  for (const char* name : {"d", "c", "b", "a"}) renamed.push_back({name, {}});
  graph.outputs = renamed;
  const auto found = recognise(graph);
  ASSERT_TRUE(found.ok()) << found.error().message();
  EXPECT_EQ(found->outputs, names);
  graph.outputs.push_back({"c", {}});
  const auto twice = recognise(graph);
  ASSERT_FALSE(twice.ok());
  EXPECT_NE(twice.error().message().find("spectrogram"), std::string::npos);
}

TEST(Recognise, LeavesOtherOutputsOutWithANote) {
  fixtures::PerchGraph writer(family_model());
  const std::string stem = writer.places().at("stem");
  Graph graph = std::move(writer).graph();
  graph.outputs.push_back({stem, {}});
  const auto found = recognise(graph);
  ASSERT_TRUE(found.ok()) << found.error().message();
  ASSERT_EQ(found->notes.size(), 1u);
  EXPECT_NE(found->notes.front().find(stem), std::string::npos);
}

}  // namespace
}  // namespace pantanal::convert

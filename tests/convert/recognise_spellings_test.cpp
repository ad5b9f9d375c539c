// The same model in every spelling of its parts.
#include "recognise/recognise.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "perch_graph.hpp"
#include "round_trip.hpp"

namespace pantanal::convert {
namespace {

using fixtures::expect_equal;
using fixtures::expect_round_trip;
using fixtures::family_model;
using fixtures::GraphBuilder;
using fixtures::Integers;
using fixtures::PerchGraph;
using fixtures::Spelling;

TEST(RecogniseSpellings, ReadsTheTransformAsNodeOrMatrix) {
  using enum Spelling::Transform;
  for (const auto transform : {dft, pairs, halves, split, folded_conv})
    expect_round_trip({.transform = transform}, 18, transform == folded_conv ? 1e-7f : 0);
  expect_round_trip({.gather_frames = true});
  expect_round_trip({.transform = pairs, .gather_frames = true});
}

TEST(RecogniseSpellings, ReadsTheSigmoidInAnySpelling) {
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

TEST(RecogniseSpellings, ReadsSwishAndGatesAsQuotients) {
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

TEST(RecogniseSpellings, ReadsGatesThatAreExpandedFirst) {
  Spelling spelling;
  spelling.gate = [](GraphBuilder& g, const std::string& image, const std::string& gate) {
    return g.add("Mul", {g.add("Expand", {gate, g.add("Shape", {image})}), image});
  };
  expect_round_trip(spelling);
}

TEST(RecogniseSpellings, ReadsReluInAnySpelling) {
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

TEST(RecogniseSpellings, ReadsMeansInAnySpelling) {
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

TEST(RecogniseSpellings, ReadsDenseLayersInAnySpelling) {
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

TEST(RecogniseSpellings, ReadsTheLogarithmInAnySpelling) {
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

TEST(RecogniseSpellings, ReadsUnitVectorsInAnySpelling) {
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

TEST(RecogniseSpellings, GivesUnitVectorsWithoutEpsilonTheSmallestOne) {
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

TEST(RecogniseSpellings, ReadsPrototypesInEitherOrientation) {
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

}  // namespace
}  // namespace pantanal::convert

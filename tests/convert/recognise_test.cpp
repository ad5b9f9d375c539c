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

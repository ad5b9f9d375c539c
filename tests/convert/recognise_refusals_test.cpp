// Graphs altered on purpose: each must be refused, with the node and what belongs there.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "altered_graph.hpp"

namespace pantanal::convert {
namespace {

using fixtures::Alteration;
using fixtures::expect_refused;
using fixtures::Integers;
using fixtures::producer;
using fixtures::Spelling;
using fixtures::Subject;
using fixtures::Trust;

TEST(RecogniseRefusals, ItsSubjectIsAccepted) { EXPECT_TRUE(recognise(Subject().graph).ok()); }

TEST(RecogniseRefusals, ASwishThatIsNone) {
  using Unary = Spelling::Unary;
  const std::vector<std::pair<std::string, Unary>> activations = {
      {"ReLU6",
       [](auto& g, auto& x) {
         return g.add("Clip", {x, g.scalar(0), g.scalar(6)});
       }},
      {"hard swish",
       [](auto& g, auto& x) {
         return g.add("Mul", {x, g.add("HardSigmoid", {x}, {{"alpha", 1 / 6.0f}, {"beta", 0.5f}})});
       }},
      {"GELU's sigmoid form",
       [](auto& g, auto& x) {
         return g.add("Mul", {x, g.add("Sigmoid", {g.add("Mul", {x, g.scalar(1.702f)})})});
       }},
      {"",
       [](auto& g, auto& x) {
         return g.add("Mul", {x, g.add("Sigmoid", {g.add("Mul", {x, g.scalar(1.01f)})})});
       }},
      {"",
       [](auto& g, auto& x) {
         return g.add("Div", {x, g.add("Add", {g.scalar(1.001f), g.add("Exp", {g.add("Neg", {x})})})});
       }},
      {"ELU", [](auto& g, auto& x) { return g.add("Elu", {x}); }},
      {"mish", [](auto& g, auto& x) { return g.add("Mish", {x}); }},
  };
  for (const auto& [name, swish] : activations) {
    SCOPED_TRACE(name);
    Spelling spelling;
    spelling.swish = swish;
    const auto found = recognise(Subject(spelling).graph, {.trust_graph = true});
    ASSERT_FALSE(found.ok());
    EXPECT_NE(found.error().message().find(name), std::string::npos) << found.error().message();
    EXPECT_NE(found.error().message().find("ReLU or swish"), std::string::npos) << found.error().message();
  }
}

TEST(RecogniseRefusals, WrongSqueezeAndExcite) {
  const auto operand = [](std::string place, std::string op) {
    return [=](Subject& s) { s.at(place).op = op; };
  };
  const auto from_other_image = [](Subject& s) {
    // Means what the block's depthwise convolution gives before its activation.
    const std::string image = s.at("blocks.3.depthwise").inputs[0], wrong = s.places.at("blocks.3.depthwise");
    for (Node& node : s.graph.nodes)
      if (node.op == "ReduceSum" && node.inputs[0] == wrong) node.inputs[0] = image;
  };
  const auto wrong_count = [](Subject& s) {
    for (Node& node : s.graph.nodes)
      if (node.op == "Div" && node.inputs[0].starts_with("v")) {
        s.graph.constants.at(node.inputs[1]).floats[0] += 1;
        return;
      }
  };
  const Alteration alterations[] = {
      {"a sum for a product", operand("blocks.3.gated", "Add"), "Add", "Mul: the squeeze-and-excite gate"},
      {"a mean of something else", from_other_image, "a gate computed from", "from the image it scales"},
      {"a mean by a wrong number", wrong_count, "Div", "a mean"},
      {"a gate that is no sigmoid",
       [](Subject& s) {
         Node& unsqueezed = producer(s.graph, s.at("blocks.3.gated").inputs[1]);
         Node& quotient = producer(s.graph, unsqueezed.inputs[0]);  // 1 / (1 + exp(-x))
         quotient.op = "HardSigmoid";
         quotient.inputs = {s.places.at("blocks.3.se.expand")};
       },
       "HardSigmoid", "a sigmoid"},
      {"a gate without a sigmoid",
       [](Subject& s) {
         producer(s.graph, s.at("blocks.3.gated").inputs[1]).inputs[0] = s.places.at("blocks.3.se.expand");
       },
       "(Add", "a sigmoid"},
  };
  for (const Alteration& alteration : alterations) expect_refused(alteration, Subject());
}

TEST(RecogniseRefusals, WrongFrontEnds) {
  const auto window = [](std::function<float(float, std::size_t)> f) {
    return [=](Subject& s) {
      std::vector<float>& values = s.constant("windowed", 1).floats;
      for (std::size_t i = 0; i < values.size(); ++i) values[i] = f(values[i], i);
    };
  };
  const auto mel = [](float value) { return [=](Subject& s) { s.constant("mel", 1).floats[40] = value; }; };
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto node_before_frames = [](Node node) {
    return [=](Subject& s) {
      for (Node& user : s.graph.nodes)
        for (std::string& input : user.inputs)
          if (input == "inputs") input = node.outputs[0];
      s.graph.nodes.insert(s.graph.nodes.begin(), node);
    };
  };
  const Alteration alterations[] = {
      {"a rectangular window", window([](float, std::size_t) { return 1 / 64.0f; }), "a window",
       "a symmetric Hann window that sums to 1", Trust::accepted},
      {"a window twice as high", window([](float w, std::size_t) { return 2 * w; }), "a window",
       "a symmetric Hann window that sums to 1", Trust::accepted},
      {"a window shifted", window([](float w, std::size_t i) { return i < 4 ? 0.0f : w; }), "a window",
       "a symmetric Hann window that sums to 1", Trust::accepted},
      {"a window with NaN", window([=](float w, std::size_t i) { return i == 9 ? nan : w; }), "(Mul",
       "one factor per sample"},
      {"a periodic window",
       [](Subject& s) {
         std::vector<float>& values = s.constant("windowed", 1).floats;
         for (std::size_t i = 0; i < 64; ++i)
           values[i] = static_cast<float>((0.5 - 0.5 * std::cos(std::numbers::pi * double(i) / 32)) / 32);
       },
       "a window", "a symmetric Hann window that sums to 1", Trust::accepted},
      {"a negative mel weight", mel(-0.1f), "a mel matrix with weights up to 0.1 away",
       "triangles from 60 Hz to 16 kHz", Trust::accepted},
      {"a mel weight that is NaN", mel(nan), "(MatMul", "finite"},
      {"an inverse transform", [](Subject& s) { s.at("spectrum").attributes["inverse"] = std::int64_t{1}; },
       "(DFT", "a forward one"},
      {"a full transform", [](Subject& s) { s.at("spectrum").attributes["onesided"] = std::int64_t{0}; }, "",
       ""},
      {"a transform of another length",
       [](Subject& s) {
         s.graph.constants["length"] = {DataType::int64, {}, {}, {}, {100}};
         s.at("spectrum").inputs.push_back("length");
       },
       "", ""},
      {"scaled samples", node_before_frames({"peak", "Mul", "", {"inputs", "half"}, {"scaled"}, {}}), "Mul",
       "the model's input itself"},
      {"samples without their mean",
       node_before_frames({"centre", "Sub", "", {"inputs", "half"}, {"scaled"}, {}}), "Sub",
       "the model's input itself"},
      {"a hop of its own", [](Subject& s) { s.at("frames").attributes["strides"] = Integers{31}; }, "", ""},
      {"dilated frames", [](Subject& s) { s.at("frames").attributes["dilations"] = Integers{2}; }, "", ""},
      {"frames with a bias",
       [](Subject& s) {
         s.graph.constants["offset"] = {DataType::float32, {64}, std::vector<float>(64, 0.1f), {}, {}};
         s.at("frames").inputs.push_back("offset");
       },
       "(Conv", "no bias"},
  };
  for (const Alteration& alteration : alterations) {
    SCOPED_TRACE(alteration.what);
    Subject subject;
    subject.graph.constants["half"] = {DataType::float32, {}, {0.5f}, {}, {}};
    if (!alteration.names.empty()) {
      expect_refused(alteration, std::move(subject));
      continue;
    }
    alteration.change(subject);
    EXPECT_FALSE(recognise(subject.graph).ok());
  }
}

TEST(RecogniseRefusals, LogarithmsOfSomethingElse) {
  using Log = decltype(Spelling::log);
  const std::vector<Log> logs = {
      [](auto& g, auto& mel, float floor, float scale) {
        return g.add("Mul", {g.add("Log", {g.add("Add", {mel, g.scalar(floor)})}), g.scalar(scale)});
      },
      [](auto& g, auto& mel, float floor, float scale) {
        return g.add("Mul",
                     {g.add("Add", {g.add("Log", {g.add("Max", {mel, g.scalar(floor)})}), g.scalar(1)}),
                      g.scalar(scale)});
      },
      [](auto& g, auto& mel, float, float scale) {
        return g.add("Mul", {g.add("Log", {mel}), g.scalar(scale)});
      },
      [](auto& g, auto& mel, float, float) { return g.add("Sqrt", {mel}); },
      [](auto& g, auto& mel, float floor, float scale) {
        return g.add("Mul",
                     {g.add("Log", {g.add("Clip", {mel, g.scalar(floor), g.scalar(1)})}), g.scalar(scale)});
      },
  };
  for (const auto& log : logs) {
    Spelling spelling;
    spelling.log = log;
    const auto found = recognise(Subject(spelling).graph, {.trust_graph = true});
    ASSERT_FALSE(found.ok());
    EXPECT_NE(found.error().message().find("scale · ln(max(mel, floor))"), std::string::npos)
        << found.error().message();
  }
}

TEST(RecogniseRefusals, MatricesThatAreNoDft) {
  for (const std::size_t place : {1000u, 5000u}) {
    Spelling spelling;
    spelling.transform = Spelling::Transform::pairs;
    Subject subject(spelling);
    subject.constant("spectrum", 1).floats[place] += 0.02f;
    const auto found = recognise(subject.graph, {.trust_graph = true});
    ASSERT_FALSE(found.ok());
    EXPECT_NE(found.error().message().find("a windowed DFT"), std::string::npos) << found.error().message();
  }
}

TEST(RecogniseRefusals, WrongLabelHeads) {
  const Alteration alterations[] = {
      {"negative weights", [](Subject& s) { s.bypass("nonnegative", 0); }, "negative weights of prototypes",
       "max(0, k)", Trust::accepted},
      {"long prototypes",
       [](Subject& s) {
         for (float& v : s.constant("product", 1).floats) v *= 1.01f;
       },
       "a prototype of length 1.01", "prototypes of length 1", Trust::accepted},
      {"a prototype that is NaN", [](Subject& s) { s.constant("product", 1).floats[3] = NAN; }, "(MatMul",
       "finite"},
      {"a minimum", [](Subject& s) { s.at("best").op = "ReduceMin"; }, "ReduceMin",
       "a maximum over all positions"},
      {"a maximum over channels", [](Subject& s) { s.graph.constants.at(s.at("best").inputs[1]).ints = {2}; },
       "", ""},
      {"no length to divide by", [](Subject& s) { s.bypass("unit", 0); }, "(", "divided by its length"},
      {"a length over positions", [](Subject& s) { s.graph.constants.at(s.at("norm").inputs[1]).ints = {1}; },
       "(Div", "divided by its length"},
      {"a negative epsilon", [](Subject& s) { s.constant("length", 1).floats[0] = -1e-5f; }, "(Add",
       "epsilon"},
      {"a huge epsilon", [](Subject& s) { s.constant("length", 1).floats[0] = 0.5f; }, "an epsilon of 0.5",
       "a small one", Trust::accepted},
      {"weights that are infinite",
       [](Subject& s) { s.graph.constants.at(s.at("nonnegative").inputs[0]).floats[0] = INFINITY; }, "(Mul",
       "finite numbers"},
      {"of another image",
       [](Subject& s) { s.at("flat").inputs[0] = producer(s.graph, s.places.at("head")).inputs[0]; },
       "(MatMul", "with the spatial embedding"},
  };
  for (const Alteration& alteration : alterations) {
    SCOPED_TRACE(alteration.what);
    Subject subject;
    // The parts of the head, found from its end.
    auto& places = subject.places;
    const Node& weighted = subject.at("weighted");  // Mul(max(0, k), Reshape(best))
    places["nonnegative"] = weighted.inputs[0];
    places["best"] = producer(subject.graph, weighted.inputs[1]).inputs[0];
    places["product"] = subject.at("best").inputs[0];
    places["unit"] = subject.at("product").inputs[0];
    places["length"] = subject.at("unit").inputs[1];
    places["norm"] = subject.at("length").inputs[0];
    places["flat"] = subject.at("unit").inputs[0];
    if (!alteration.names.empty()) {
      expect_refused(alteration, std::move(subject));
      continue;
    }
    alteration.change(subject);
    EXPECT_FALSE(recognise(subject.graph).ok());
  }
}

TEST(RecogniseRefusals, WeightsThatAreNotFinite) {
  for (const char* place : {"stem.conv", "blocks.3.depthwise.conv", "blocks.8.project.conv", "head.conv"})
    for (const float value : {NAN, INFINITY, 3e38f}) {
      Subject subject;
      subject.constant(place, 1).floats[1] = value;
      subject.constant(place, 1).floats[2] = value;
      const auto found = recognise(subject.graph, {.trust_graph = true});
      if (found.ok()) {  // 3e38 may be scaled down
        EXPECT_EQ(value, 3e38f);
        continue;
      }
      EXPECT_NE(found.error().message().find("(Conv"), std::string::npos) << found.error().message();
      EXPECT_NE(found.error().message().find("finite weights"), std::string::npos);
    }
}

TEST(RecogniseRefusals, OutputsThatAreNotWhatTheirNamesSay) {
  const auto source_of = [](Subject& s, const std::string& output) -> std::string& {
    return producer(s.graph, output).inputs[0];
  };
  const Alteration alterations[] = {
      {"embedding is a sum", [&](Subject& s) { s.bypass("embedding", 0); }, "ReduceSum", "a mean"},
      {"spatial_embedding before the activation",
       [&](Subject& s) { source_of(s, "spatial_embedding") = s.at("head").inputs[0]; }, "the mean of what",
       "spatial_embedding"},
      {"spectrogram is mel", [&](Subject& s) { source_of(s, "spectrogram") = s.places.at("mel"); },
       "output spectrogram", "(Mul"},
      {"label is the embedding", [&](Subject& s) { source_of(s, "label") = s.places.at("embedding"); }, "Div",
       "the bias of each class"},
      {"spectrogram turned round",
       [&](Subject& s) {
         Node& node = producer(s.graph, "spectrogram");
         node.op = "Transpose";
         node.attributes["perm"] = Integers{0, 2, 1};
       },
       "output spectrogram", "batch first, then time, then frequency"},
  };
  for (const Alteration& alteration : alterations) expect_refused(alteration, Subject());
}

TEST(RecogniseRefusals, GraphsThatAreMalformed) {
  const auto refused = [](const std::string& part, const std::function<void(Graph&)>& change) {
    Graph graph = Subject().graph;
    change(graph);
    const auto found = recognise(graph, {.trust_graph = true});
    ASSERT_FALSE(found.ok()) << part;
    EXPECT_NE(found.error().message().find(part), std::string::npos) << found.error().message();
  };
  refused("0 inputs", [](Graph& g) { g.inputs.clear(); });
  refused("2 inputs", [](Graph& g) { g.inputs.push_back({"more", {-1}}); });
  refused("[batch, samples]", [](Graph& g) { g.inputs[0].shape = {-1, -1}; });
  refused("[batch, samples]", [](Graph& g) { g.inputs[0].shape = {}; });
  refused("[batch, samples]", [](Graph& g) { g.inputs[0].shape = {-1, 2, 1600}; });
  refused("[batch, samples]", [](Graph& g) { g.inputs[0].shape = {-1, std::int64_t{1} << 40}; });
  refused("no node that makes it", [](Graph& g) { g.outputs[0].name = "nowhere"; });
  refused("which no node before it makes", [](Graph& g) { g.nodes[20].inputs[0] = "nowhere"; });
  refused("which no node before it makes", [](Graph& g) { std::swap(g.nodes[10], g.nodes[40]); });
  refused("a second time", [](Graph& g) { g.nodes[20].outputs[0] = g.nodes[19].outputs[0]; });
  refused("operator Einsum", [](Graph& g) { g.nodes[20].op = "Einsum"; });
  refused("com.example.Conv", [](Graph& g) {
    for (Node& node : g.nodes)
      if (node.op == "Conv") node.domain = "com.example";
  });
  refused("attribute strides holding", [](Graph& g) {
    for (Node& node : g.nodes)
      if (node.op == "Conv") node.attributes["strides"] = std::string("two");
  });
  refused("neither an embedding nor",
          [](Graph& g) { g.outputs.erase(g.outputs.begin(), g.outputs.begin() + 2); });
  refused("neither an embedding nor", [](Graph& g) { g.outputs.clear(); });
}

/// Whatever single attribute, input or constant is broken, the answer is an Error or a model, never a crash.
TEST(RecogniseRefusals, NoNodeLossCrashes) {
  const Graph whole = Subject().graph;
  std::size_t accepted = 0;
  for (std::size_t i = 0; i < whole.nodes.size(); i += 3) {
    Graph graph = whole;
    graph.nodes[i].attributes.clear();
    if (const auto found = recognise(graph); found.ok()) ++accepted;
    graph = whole;
    if (!graph.nodes[i].inputs.empty()) graph.nodes[i].inputs.pop_back();
    (void)recognise(graph);
    graph = whole;
    graph.nodes[i].inputs.clear();
    EXPECT_FALSE(recognise(graph).ok()) << i;
    graph = whole;
    graph.nodes[i].inputs.assign(2, "inputs");
    (void)recognise(graph);
  }
  EXPECT_LT(accepted, whole.nodes.size());
  for (const auto& [name, constant] : whole.constants)
    for (const std::int64_t number : {std::int64_t{-1}, std::int64_t{0}, INT64_MAX, INT64_MIN}) {
      if (constant.type != DataType::int64) continue;
      Graph graph = whole;
      for (std::int64_t& value : graph.constants.at(name).ints) value = number;
      (void)recognise(graph);
    }
}

}  // namespace
}  // namespace pantanal::convert

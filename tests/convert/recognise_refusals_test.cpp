// Graphs altered on purpose: each must be refused, with the node and what belongs there.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "perch_graph.hpp"
#include "recognise/recognise.hpp"

namespace pantanal::convert {
namespace {

using fixtures::family_model;
using fixtures::GraphBuilder;
using fixtures::Integers;
using fixtures::PerchGraph;
using fixtures::producer;
using fixtures::Spelling;

/// A graph and the names of the values in it that tests change.
struct Subject {
  Graph graph;
  std::map<std::string, std::string> places;

  explicit Subject(const Spelling& spelling = {}, const perch::Model& model = family_model()) {
    PerchGraph writer(model, spelling);
    places = writer.places();
    graph = std::move(writer).graph();
  }
  Node& at(const std::string& place) { return producer(graph, places.at(place)); }
  Constant& constant(const std::string& place, std::size_t input) {
    return graph.constants.at(at(place).inputs.at(input));
  }
  /// Everything that uses the value at `place` uses `value` instead.
  void replace(const std::string& place, const std::string& value, const Node* except = nullptr) {
    for (Node& node : graph.nodes)
      for (std::string& input : node.inputs)
        if (input == places.at(place) && &node != except) input = value;
  }
  /// Puts a node before all that use the value at `place`.
  void insert_after(const std::string& place, Node node) {
    const std::string before = places.at(place), after = node.outputs.front();
    replace(place, after);
    for (std::size_t i = 0; i < graph.nodes.size(); ++i)
      for (const std::string& output : graph.nodes[i].outputs)
        if (output == before) {
          graph.nodes.insert(graph.nodes.begin() + static_cast<std::ptrdiff_t>(i) + 1, std::move(node));
          return;
        }
  }
  /// Lets what uses the value at `place` use input `i` of its node instead: the node is gone.
  void bypass(const std::string& place, std::size_t i) {
    replace(place, std::string(at(place).inputs.at(i)));
  }
};

enum class Trust { refused, accepted };

struct Alteration {
  std::string what;
  std::function<void(Subject&)> change;
  std::string names;     ///< what the message must contain: the operator, or the place
  std::string expected;  ///< and what it must say belongs there
  Trust with_trust = Trust::refused;
};

void expect_refused(const Alteration& alteration, Subject subject) {
  SCOPED_TRACE(alteration.what);
  alteration.change(subject);
  const auto found = recognise(subject.graph);
  ASSERT_FALSE(found.ok());
  const std::string message = found.error().message();
  EXPECT_NE(message.find(alteration.names), std::string::npos) << message;
  EXPECT_NE(message.find(alteration.expected), std::string::npos) << message;
  const bool family = message.find("--trust-graph") != std::string::npos;
  EXPECT_EQ(family, alteration.with_trust == Trust::accepted) << message;
  const auto trusted = recognise(subject.graph, {.trust_graph = true});
  ASSERT_EQ(trusted.ok(), family);
  EXPECT_TRUE(!trusted || !trusted->notes.empty());
}

TEST(RecogniseRefusals, ItsSubjectIsAccepted) { EXPECT_TRUE(recognise(Subject().graph).ok()); }

TEST(RecogniseRefusals, WrongPads) {
  const auto pads = [](std::string place, Integers values) {
    return [=](Subject& s) { s.at(place).attributes["pads"] = values; };
  };
  const Alteration alterations[] = {
      {"shifted down", pads("blocks.5.depthwise.conv", {3, 2, 1, 2}), "block 5", "[2, 2, 2, 2], SAME",
       Trust::accepted},
      {"shifted right", pads("blocks.0.depthwise.conv", {1, 0, 1, 2}), "block 0", "[1, 1, 1, 1], SAME",
       Trust::accepted},
      {"SAME_LOWER", pads("blocks.3.depthwise.conv", {2, 2, 2, 1}), "block 3", "SAME", Trust::accepted},
      {"none where there should be", pads("blocks.0.depthwise.conv", {0, 0, 0, 0}), "", "", Trust::refused},
      {"a padded stem", pads("stem.conv", {0, 0, 1, 0}), "", "", Trust::refused},
      {"frames one sample early", pads("frames", {17, 15}), "17 zeros before and 15", "16 and 16",
       Trust::accepted},
      {"frames of the samples' end", pads("frames", {0, 32}), "0 zeros before and 32", "16 and 16",
       Trust::accepted},
      {"fewer frames", pads("frames", {0, 0}), "", "", Trust::refused},
  };
  for (const Alteration& alteration : alterations) {
    SCOPED_TRACE(alteration.what);
    Subject subject;
    if (!alteration.names.empty()) {
      expect_refused(alteration, std::move(subject));
      continue;
    }
    // Sizes no longer fit somewhere behind, or the family rule finds it: either way no model comes out.
    alteration.change(subject);
    EXPECT_FALSE(recognise(subject.graph).ok());
  }
}

/// Replaces the swish whose output is at `place` by one node.
std::function<void(Subject&)> activation(std::string place, std::string op) {
  return [=](Subject& s) {
    Node& product = s.at(place);  // Mul(x, sigmoid(x))
    product.op = op;
    product.inputs.pop_back();
  };
}

TEST(RecogniseRefusals, SwappedActivations) {
  const Alteration alterations[] = {
      {"after one depthwise", activation("blocks.3.depthwise", "Relu"), "block 3: ReLU", "swish",
       Trust::accepted},
      {"after one expansion", activation("blocks.4.expand", "Relu"), "expansion of block 4: ReLU", "swish",
       Trust::accepted},
      {"in one squeeze", activation("blocks.0.se.activation", "Relu"), "squeeze-and-excite of block 0: ReLU",
       "swish", Trust::accepted},
      {"in every squeeze",
       [](Subject& s) {
         for (int i = 0; i < 9; ++i) activation("blocks." + std::to_string(i) + ".se.activation", "Relu")(s);
       },
       "the squeeze-and-excite of block 0 and of others of its kind: ReLU", "swish, as after the depthwise",
       Trust::accepted},
      {"after both ends",
       [](Subject& s) {
         activation("stem", "Relu")(s);
         activation("head", "Relu")(s);
       },
       "ReLU after the stem", "swish", Trust::accepted},
      {"after the stem", activation("stem", "Relu"), "ReLU after the stem", "the same activation",
       Trust::accepted},
      {"after the head", activation("head", "Relu"), "ReLU after the last convolution", "the same activation",
       Trust::accepted},
      {"hard swish", activation("blocks.3.depthwise", "HardSwish"), "HardSwish, which is hard swish",
       "ReLU or swish"},
      {"hard swish in the squeeze", activation("blocks.3.se.activation", "HardSwish"), "HardSwish",
       "ReLU or swish"},
      {"GELU after an expansion", activation("blocks.2.expand", "Gelu"), "Gelu, which is GELU",
       "ReLU or swish"},
      {"leaky ReLU after the head", activation("head", "LeakyRelu"), "LeakyRelu", "ReLU or swish"},
      {"tanh after the head", activation("head", "Tanh"), "Tanh", "ReLU or swish"},
      {"only a sigmoid", activation("blocks.3.depthwise", "Sigmoid"), "Sigmoid, which is sigmoid",
       "ReLU or swish"},
      {"none after a depthwise", [](Subject& s) { s.bypass("blocks.3.depthwise", 0); }, "(", "ReLU or swish"},
      {"none after the head", [](Subject& s) { s.bypass("head", 0); }, "(", "ReLU or swish"},
      {"none after an expansion", [](Subject& s) { s.bypass("blocks.3.expand", 0); }, "(",
       "squeeze-and-excite"},
  };
  for (const Alteration& alteration : alterations) expect_refused(alteration, Subject());
}

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

TEST(RecogniseRefusals, MissingBiases) {
  const auto drop_input = [](std::string place) {
    return [=](Subject& s) { s.at(place).inputs.pop_back(); };
  };
  const auto bypass = [](std::string place, std::size_t input) {
    return [=](Subject& s) { s.bypass(place, input); };
  };
  const Alteration alterations[] = {
      {"the stem's own", drop_input("stem.conv"), "no bias of its own", "its own bias", Trust::accepted},
      {"both ends' own",
       [](Subject& s) {
         s.at("stem.conv").inputs.pop_back();
         s.at("head.conv").inputs.pop_back();
       },
       "the stem with no bias of its own", "its own bias", Trust::accepted},
      {"a stem's that is zero",
       [](Subject& s) {
         for (float& bias : s.constant("stem.conv", 2).floats) bias = 0;
       },
       "the stem with zeros for its own bias", "its own bias", Trust::accepted},
      {"a shift that is zero",
       [](Subject& s) {
         for (float& shift : s.constant("blocks.2.expand.shift", 0).floats) shift = 0;
       },
       "only zeros as the bias of the expansion of block 2", "a bias, or the shift", Trust::accepted},
      {"the classes' that is zero",
       [](Subject& s) {
         for (float& bias : s.constant("label", 1).floats) bias = 0;
       },
       "only zeros as the bias of the classes", "a bias of each class", Trust::accepted},
      {"the head's own", drop_input("head.conv"), "no bias of its own", "its own bias", Trust::accepted},
      {"shift of an expansion", bypass("blocks.2.expand.shift", 1), "expansion of block 2",
       "a bias, or the shift of a batch norm", Trust::accepted},
      {"shift of a depthwise", bypass("blocks.0.depthwise.shift", 1), "depthwise convolution of block 0",
       "a bias, or the shift of a batch norm", Trust::accepted},
      {"shift of a projection", bypass("blocks.8.project.shift", 1), "projection of block 8",
       "a bias, or the shift of a batch norm", Trust::accepted},
      {"shift of the stem", bypass("stem.shift", 1), "no shift", "a shift", Trust::accepted},
      {"shift of the head", bypass("head.shift", 1), "no shift", "a shift", Trust::accepted},
      {"scale of a projection", bypass("blocks.1.project.scale", 0), "no scale", "a scale", Trust::accepted},
      {"scale of a depthwise", bypass("blocks.5.depthwise.scale", 0), "no scale", "a scale", Trust::accepted},
      {"first dense layer", bypass("blocks.3.se.reduce", 0), "first dense layer of block 3",
       "a bias, or the shift of a batch norm", Trust::accepted},
      {"second dense layer", bypass("blocks.3.se.expand", 0), "second dense layer of block 3",
       "a bias, or the shift of a batch norm", Trust::accepted},
      {"the classes'", bypass("label", 0), "ReduceSum", "Add with a constant: the bias of each class"},
  };
  for (const Alteration& alteration : alterations) expect_refused(alteration, Subject());
}

TEST(RecogniseRefusals, MissingBiasesOfGemmAndFoldedLayers) {
  Spelling spelling;
  spelling.batch_norm = Spelling::BatchNorm::folded;
  spelling.dense = [](GraphBuilder& g, const std::string& x, const perch::Tensor& w, const perch::Tensor& b) {
    return g.add("Gemm",
                 {x, g.floats(w.shape, {w.values.begin(), w.values.end()}),
                  g.floats(b.shape, {b.values.begin(), b.values.end()})},
                 {{"transB", std::int64_t{1}}});
  };
  const std::pair<std::string, std::string> places[] = {
      {"stem.conv", "the stem"},
      {"head.conv", "the last convolution"},
      {"blocks.0.depthwise.conv", "depthwise convolution of block 0"},
      {"blocks.2.expand.conv", "expansion of block 2"},
      {"blocks.8.project.conv", "projection of block 8"},
      {"blocks.1.se.reduce", "first dense layer of block 1"},
      {"blocks.6.se.expand", "second dense layer of block 6"}};
  for (const auto& [place, name] : places)
    expect_refused({place, [&](Subject& s) { s.at(place).inputs.pop_back(); }, name, "a bias, or the shift",
                    Trust::accepted},
                   Subject(spelling));
}

TEST(RecogniseRefusals, WrongSkips) {
  const auto drop_skip = [](std::string place) { return [=](Subject& s) { s.bypass(place, 0); }; };
  // Block 8 begins a stage; its input and output are of one size.
  const auto add_skip = [](Subject& s) {
    const std::string input = producer(s.graph, s.at("blocks.8.expand.conv").inputs[0]).inputs[0];
    s.insert_after("blocks.8.project.shift",
                   {"extra", "Add", "", {s.places.at("blocks.8.project.shift"), input}, {"extra_skip"}, {}});
  };
  const auto other_skip = [](Subject& s) {
    s.at("blocks.6.skip").inputs[1] = s.at("blocks.6.skip").inputs[0];
  };
  const Alteration alterations[] = {
      {"none in block 1", drop_skip("blocks.1.skip"), "block 1 with", "with a skip", Trust::accepted},
      {"none in block 6", drop_skip("blocks.6.skip"), "block 6 with", "with a skip", Trust::accepted},
      {"one that begins a stage", add_skip, "block 8 with", "without", Trust::accepted},
      {"of another value", other_skip, "Add", "a skip that adds the block's input"},
  };
  for (const Alteration& alteration : alterations) expect_refused(alteration, Subject());
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

TEST(RecogniseRefusals, WrongSizes) {
  perch::Architecture wide = fixtures::family_architecture(), early = wide,
                      square = fixtures::family_architecture(5);
  for (perch::Block& block : wide.blocks) block.se_channels += 1;
  early.blocks[4].depthwise.kernel = 5;
  early.blocks[4].depthwise.pads = {2, 1, 2, 2};
  const auto refused = [](const perch::Architecture& a, const std::string& part) {
    const auto found = recognise(Subject({}, perch::fixtures::random_model(a, 1)).graph);
    ASSERT_FALSE(found.ok()) << part;
    EXPECT_NE(found.error().message().find(part), std::string::npos) << found.error().message();
  };
  refused(wide, "a quarter of the block's");
  refused(early, "kernel 3, stride 2, expansion by 6");
  refused(square, "kernel 3, stride 2, no padding");
  perch::Architecture shallow = fixtures::family_architecture();
  shallow.blocks.pop_back();
  refused(shallow, "7");
}

TEST(RecogniseRefusals, OtherConstantsOfTheFrontEnd) {
  const auto refused = [](const char* found, const char* expected, auto change) {
    perch::Architecture a = fixtures::family_architecture();
    change(a.frontend);
    expect_refused({found, [](Subject&) {}, found, expected, Trust::accepted},
                   Subject({}, perch::fixtures::random_model(a, 1)));
  };
  refused("a floor under the mel energies of 0.0001", "expected 1e-05",
          [](perch::Frontend& f) { f.floor = 1e-4f; });
  refused("a factor of the logarithm of 0.2", "expected 0.1", [](perch::Frontend& f) { f.scale = 0.2f; });
}

/// A model whose ends are as wide as the released one's, and narrow between them.
perch::Architecture released_ends(const perch::Frontend& frontend = {}) {
  perch::Architecture a;
  a.frontend = frontend;
  a.stem.channels = 40;
  a.head.channels = 1536;
  a.label = {.classes = 1, .prototypes = 1};
  perch::fixtures::append_stages(a, {{2, 4, 3, 1, 1},
                                     {3, 4, 3, 2, 6},
                                     {3, 4, 5, 2, 6},
                                     {5, 4, 3, 2, 6},
                                     {5, 4, 5, 1, 6},
                                     {6, 4, 5, 2, 6},
                                     {2, 4, 3, 1, 6}});
  return a;
}

TEST(RecogniseRefusals, AReleasedWidthWithOtherSizes) {
  const auto subject = [](const perch::Architecture& a) {
    return Subject({}, perch::fixtures::random_model(a, 1));
  };
  EXPECT_TRUE(recognise(subject(released_ends()).graph).ok());
  perch::Architecture shallow = released_ends();
  shallow.blocks.erase(shallow.blocks.begin() + 9);
  expect_refused({"a block fewer", [](Subject&) {}, "4 blocks in stage 3", "5, as released", Trust::accepted},
                 subject(shallow));
  const perch::Architecture coarse = released_ends(fixtures::family_architecture().frontend);
  expect_refused({"a coarse front end", [](Subject&) {}, "32 samples from frame to frame", "expected 320",
                  Trust::accepted},
                 subject(coarse));
}

TEST(RecogniseRefusals, ConvolutionsThatNoOutputDependsOn) {
  expect_refused({"a block bridged",
                  [](Subject& s) {
                    const std::string input = s.at("blocks.1.skip").inputs[1];
                    s.replace("blocks.1.skip", input);
                  },
                  "a convolution that no output depends on", "one whose result is used", Trust::accepted},
                 Subject());
}

TEST(RecogniseRefusals, EveryDepartureIsListed) {
  Subject subject;
  subject.at("stem.conv").inputs.pop_back();
  subject.at("blocks.3.depthwise.conv").attributes["pads"] = Integers{2, 2, 2, 1};
  const auto found = recognise(subject.graph);
  ASSERT_FALSE(found.ok());
  const std::string message = found.error().message();
  EXPECT_NE(message.find("It departs from Perch v2 in 2 places"), std::string::npos) << message;
  EXPECT_NE(message.find("block 3"), std::string::npos) << message;
  EXPECT_NE(message.find("the stem with no bias of its own"), std::string::npos) << message;
  const auto trusted = recognise(subject.graph, {.trust_graph = true});
  ASSERT_TRUE(trusted.ok());
  EXPECT_EQ(trusted->notes.size(), 2u);
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

// Graphs that can be computed but that no Perch v2 is built like: refused, unless they are trusted.
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "altered_graph.hpp"

namespace pantanal::convert {
namespace {

using fixtures::Alteration;
using fixtures::expect_refused;
using fixtures::GraphBuilder;
using fixtures::Integers;
using fixtures::producer;
using fixtures::Spelling;
using fixtures::Subject;
using fixtures::Trust;

TEST(RecogniseDepartures, WrongPads) {
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

TEST(RecogniseDepartures, SwappedActivations) {
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

TEST(RecogniseDepartures, MissingBiases) {
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

TEST(RecogniseDepartures, MissingBiasesOfGemmAndFoldedLayers) {
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

TEST(RecogniseDepartures, WrongSkips) {
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

TEST(RecogniseDepartures, WrongSizes) {
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

TEST(RecogniseDepartures, OtherConstantsOfTheFrontEnd) {
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

TEST(RecogniseDepartures, AReleasedWidthWithOtherSizes) {
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

TEST(RecogniseDepartures, ConvolutionsThatNoOutputDependsOn) {
  expect_refused({"a block bridged",
                  [](Subject& s) {
                    const std::string input = s.at("blocks.1.skip").inputs[1];
                    s.replace("blocks.1.skip", input);
                  },
                  "a convolution that no output depends on", "one whose result is used", Trust::accepted},
                 Subject());
}

TEST(RecogniseDepartures, EveryDepartureIsListed) {
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

}  // namespace
}  // namespace pantanal::convert

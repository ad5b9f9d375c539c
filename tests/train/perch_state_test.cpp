// Parameters to a model and back, and the frozen prefix as a model of its own.
#include "pantanal/train/perch_state.hpp"

#include <gtest/gtest.h>

#include "core/refused.hpp"
#include "pantanal/train/perch_inputs.hpp"
#include "train/small_perch.hpp"

namespace pantanal::train {
namespace {

TEST(PerchState, FoldsScalesAndUnitLengths) {
  const SmallPerch small;
  const perch::Model model = small.start();
  nn::StateDict state = perch_state(model, {});
  const auto change = [&](const std::string& name, float factor) {
    std::vector<float> values(state.at(name).values.begin(), state.at(name).values.end());
    for (float& x : values) x *= factor;
    state.at(name) = make_tensor(state.at(name).shape, values);
  };
  change("blocks.1.expand.scale", 3), change("label.prototypes", 7), change("label.scale", -1);
  const perch::Model folded = perch_model(model, state);
  const auto before = model.values("blocks.1.expand.weight"), after = folded.values("blocks.1.expand.weight");
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_FLOAT_EQ(after[i], 3 * before[i]);
  for (std::size_t i = 0; i < model.values("label.prototypes").size(); ++i)
    EXPECT_NEAR(folded.values("label.prototypes")[i], model.values("label.prototypes")[i], 1e-6);
  for (const float x : folded.values("label.scale")) EXPECT_EQ(x, 0);
  perch::Model back = perch_model(model, perch_state(model, {}));
  for (std::size_t i = 0; i < model.values("label.prototypes").size(); ++i)
    EXPECT_FLOAT_EQ(back.values("label.prototypes")[i], model.values("label.prototypes")[i])
        << "normalised twice";
  back.tensors.at("label.prototypes") = model.tensors.at("label.prototypes");
  EXPECT_TRUE(same_tensors(back, model)) << "a round trip changes nothing else";
}

TEST(PerchPrefix, GivesTheBlocksOutput) {
  const SmallPerch small;
  const perch::Model model = small.start();
  const auto prefix = perch_prefix(model, 2);
  ASSERT_TRUE(succeeded(prefix));
  EXPECT_TRUE(succeeded(perch::validate(*prefix)));
  EXPECT_EQ(prefix->architecture.blocks.size(), 2u);
  EXPECT_FALSE(perch_prefix(model, 0));
  EXPECT_FALSE(perch_prefix(model, 4));
  // What the last block, head and label head make of it is what the whole model makes of the audio.
  std::vector<float> audio(3 * small.architecture.frontend.samples);
  Random random({.seed = 2});
  for (float& x : audio) x = static_cast<float>(0.1 * random.normal());
  auto inputs = PerchInputs::create(model, {false, 2}, {.threads = 1});
  auto session = perch::Session::create(std::make_shared<const perch::Model>(model), {.threads = 1});
  ASSERT_TRUE(inputs && session);
  std::vector<float> images(3 * inputs->size()), expected(9), found(9);
  ASSERT_TRUE(succeeded(inputs->run(audio, 3, images)));
  ASSERT_TRUE(succeeded(session->run(audio, 3, {.label = expected})));
  PerchStep step(small.architecture, {false, 2}, {.batch = 2});
  ASSERT_TRUE(succeeded(step.network().parameters().load(perch_state(model, {false, 2}))));
  const std::vector<float> labels(9);
  step.predict({images, labels, 3}, found);
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-4);
}

}  // namespace
}  // namespace pantanal::train

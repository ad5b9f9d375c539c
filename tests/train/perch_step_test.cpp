// A step of a tiny Perch: its gradient is the loss's slope, and scoring is the session's.
#include "pantanal/train/perch_step.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/refused.hpp"
#include "pantanal/perch/session.hpp"
#include "train/small_perch.hpp"

namespace pantanal::train {
namespace {

/// Along the gradient itself the loss falls as fast as its square says.
TEST(PerchStep, GradientsAreTheLosssSlope) {
  const SmallPerch small(5);
  PerchStep step(small.architecture, {}, {.batch = 8, .threads = 2});
  auto& parameters = step.network().parameters();
  ASSERT_TRUE(succeeded(parameters.load(perch_state(small.start(), {}))));
  step.pos_weight() = {1, 2, 0.5f};
  step.gradients(small.data());
  const std::vector<float> start(parameters.values().begin(), parameters.values().end()),
      gradient(parameters.gradients().begin(), parameters.gradients().end());
  double squares = 0;
  for (const float g : gradient) squares += double{g} * double{g};
  const double h = 1e-3 / std::sqrt(squares);  // further, the network bends
  const auto loss = [&](double along) {
    for (std::size_t i = 0; i < start.size(); ++i)
      parameters.values()[i] = static_cast<float>(start[i] + along * double{gradient[i]});
    std::vector<float> logits(small.labels.size());
    return step.predict(small.data(), logits);
  };
  EXPECT_NEAR((loss(h) - loss(-h)) / (2 * h) / squares, 1, 2e-3);
}

/// Folded back into a model, the parameters give the session's scores.
TEST(PerchStep, ScoresAsTheSessionDoes) {
  const SmallPerch small(9);
  const perch::Model model = small.start();
  auto inputs = PerchInputs::create(model, {}, {.threads = 1});
  auto session = perch::Session::create(std::make_shared<const perch::Model>(model), {.threads = 1});
  ASSERT_TRUE(inputs && session);
  std::vector<float> audio(9 * small.architecture.frontend.samples);
  Random random({.seed = 2});
  for (float& x : audio) x = static_cast<float>(0.1 * random.normal());
  std::vector<float> spectrograms(9 * inputs->size()), expected(9 * 3), found(9 * 3);
  ASSERT_TRUE(succeeded(inputs->run(audio, 9, spectrograms)));
  ASSERT_TRUE(succeeded(session->run(audio, 9, {.label = expected})));
  PerchStep step(small.architecture, {}, {.batch = 4, .threads = 2});
  ASSERT_TRUE(succeeded(step.network().parameters().load(perch_state(model, {}))));
  step.predict({spectrograms, small.labels, 9}, found);
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-4);
}

}  // namespace
}  // namespace pantanal::train

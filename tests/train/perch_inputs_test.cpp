// What PerchInputs computes is tested where it is used, in perch_step_test and perch_state_test; here, what
// it refuses.
#include "pantanal/train/perch_inputs.hpp"

#include <gtest/gtest.h>

#include "core/refused.hpp"
#include "train/small_perch.hpp"

namespace pantanal::train {
namespace {

TEST(PerchInputs, RefusesWhatDoesNotFit) {
  const SmallPerch small(1);
  const perch::Model model = initial_perch(small.architecture, {"a", "b", "c"}, 1);
  EXPECT_TRUE(
      refused(PerchInputs::create(model, {false, 9}), ErrorCode::invalid_argument, {"9 blocks", "1 to 3"}));
  auto inputs = PerchInputs::create(model, {}, {.threads = 1});
  ASSERT_TRUE(succeeded(inputs));
  EXPECT_EQ(inputs->size(), small.architecture.spectrogram_extent().positions());
  const std::vector<float> audio(small.architecture.frontend.samples);
  std::vector<float> short_by_one(inputs->size() - 1);
  EXPECT_FALSE(inputs->run(audio, 1, short_by_one));
}

}  // namespace
}  // namespace pantanal::train

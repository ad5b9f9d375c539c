// Prototypes start along the mean of their class's windows; others stay.
#include "pantanal/train/prototypes.hpp"

#include <gtest/gtest.h>

#include "train/small_training.hpp"

namespace pantanal::train {
namespace {

TEST(StartPrototypes, AreTheirClassesMeanDirection) {
  SmallTraining t;
  for (std::size_t i = 0; i < t.labels.size(); i += 5) t.labels[i] = 0;
  const nn::StateDict started = start_prototypes(t.state, t.config, t.data(), 0.0f, 1);
  const auto h = detail::project_windows(t.state, t.config, t.data(), 0.0f, 1);
  const auto found = started.at("prototypes").values, before = t.state.at("prototypes").values;
  const std::size_t d = t.config.d_model;
  EXPECT_TRUE(std::equal(before.begin(), before.begin() + 20, found.begin())) << "class 0 has no positives";
  for (std::size_t k = 1; k < 5; ++k) {
    std::vector<double> mean(d);
    double squares = 0;
    for (std::size_t r = 0; r < t.labels.size() / 5; ++r)
      for (std::size_t i = 0; i < d && t.labels[r * 5 + k] > 0; ++i) mean[i] += double{h[r * 32 + i]};
    for (const double x : mean) squares += x * x;
    for (std::size_t i = 0; i < d; ++i) EXPECT_NEAR(found[k * d + i], mean[i] / std::sqrt(squares), 1e-6);
  }
  const nn::StateDict dropped = start_prototypes(t.state, t.config, t.data(), 0.5f, 1);
  EXPECT_NE(dropped.at("prototypes").values[d], found[d]) << "dropout is on";
}

TEST(StartPrototypes, OfOneClassShareItsWindowsOut) {
  SmallTraining t;
  t.config.n_prototypes = 2;
  t.state = initial_state(heads::required_tensors(t.config), 3);
  for (std::size_t i = 0; i < t.labels.size(); i += 5)
    t.labels[i] = i == 5 * 4 ? 1.0f : 0.0f;  // window 4 alone
  const nn::StateDict started = start_prototypes(t.state, t.config, t.data(), 0.0f, 1);
  const auto h = detail::project_windows(t.state, t.config, t.data(), 0.0f, 1);
  const auto found = started.at("prototypes").values, before = t.state.at("prototypes").values;
  const std::size_t d = t.config.d_model;
  double squares = 0;
  for (std::size_t i = 0; i < d; ++i) squares += std::pow(double{h[4 * 32 + i]}, 2);
  for (std::size_t i = 0; i < d; ++i) EXPECT_NEAR(found[i], h[4 * 32 + i] / std::sqrt(squares), 1e-6);
  EXPECT_TRUE(std::equal(before.begin() + 20, before.begin() + 40, found.begin() + 20)) << "it has no window";
  EXPECT_FALSE(std::equal(found.begin() + 40, found.begin() + 60, found.begin() + 60)) << "other windows";
}

}  // namespace
}  // namespace pantanal::train

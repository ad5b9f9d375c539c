// The trainings of make_training_fixtures.py: data, gradients, losses and weights, and how close to them ours
// must be.
#pragma once

#include <cmath>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "pantanal/autograd/parameters.hpp"
#include "pantanal/heads/proto_ssm_config.hpp"
#include "train/fixture.hpp"

namespace pantanal::train {

struct TrainingFixture : Fixture {
  explicit TrainingFixture(const char* name = "training") : Fixture(name) {
    const auto& c = numbers["config"];
    config.d_input = c["d_input"], config.d_model = c["d_model"], config.d_state = c["d_state"];
    config.n_ssm_layers = c["n_ssm_layers"], config.n_classes = c["n_classes"];
    config.n_windows = c["n_windows"], config.n_sites = c["n_sites"], config.meta_dim = c["meta_dim"];
    config.cross_attn_heads = c["cross_attn_heads"], config.n_families = c["n_families"];
    config.n_prototypes = c.value("n_prototypes", 1);
    files = c["files"];
    site_ids = numbers["site_ids"].get<std::vector<std::int64_t>>();
    hours = numbers["hours"].get<std::vector<std::int64_t>>();
  }

  /// The parameters of `prefix`, under their names.
  nn::StateDict state(const std::string& prefix) const {
    nn::StateDict part;
    for (const auto& [name, tensor] : tensors)
      if (name.starts_with(prefix + ".")) part.emplace(name.substr(prefix.size() + 1), tensor);
    return part;
  }

  heads::ProtoSsmConfig config;
  std::size_t files;
  std::vector<std::int64_t> site_ids, hours;
};

/// ‖found - expected‖/‖expected‖.
inline double relative_distance(std::span<const float> found, std::span<const float> expected) {
  double distance = 0, norm = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    distance += std::pow(double{found[i]} - double{expected[i]}, 2);
    norm += std::pow(double{expected[i]}, 2);
  }
  return std::sqrt(distance) / std::max(std::sqrt(norm), 1e-12);
}

/// Every tensor of `expected` is within `tolerance` of that in `found`, relative to its norm. The attention's
/// key bias is left out: its true gradient is zero, what is computed is rounding noise, and Adam amplifies
/// it.
inline void expect_states_close(nn::StateDict found, const nn::StateDict& expected, double tolerance,
                                const char* what) {
  double worst = 0;
  std::string where;
  for (const auto& [name, tensor] : expected) {
    std::vector<float> a(found.at(name).values.begin(), found.at(name).values.end()),
        b(tensor.values.begin(), tensor.values.end());
    ASSERT_EQ(a.size(), b.size()) << name;
    if (name.ends_with("in_proj_bias"))
      for (auto* x : {&a, &b}) x->erase(x->begin() + x->size() / 3, x->begin() + x->size() / 3 * 2);
    const double distance = relative_distance(a, b);
    EXPECT_LE(distance, tolerance) << what << " of " << name;
    if (distance > worst) worst = distance, where = name;
  }
  if (std::getenv("PANTANAL_TRAIN_FIXTURES"))
    std::cout << what << ": worst " << worst << " at " << where << "\n";
}

}  // namespace pantanal::train

// The batch loss is its means and weights, and its gradient theirs. (proto_ssm_step_test holds it to
// PyTorch's.)
#include "pantanal/train/proto_ssm_loss.hpp"

#include <gtest/gtest.h>

#include "kernels/central_differences.hpp"
#include "kernels/guarded.hpp"

namespace pantanal::train {
namespace {

TEST(ProtoSsmLoss, HasTheGradientOfItsTotal) {
  constexpr std::size_t classes = 5, steps = 3, families = 2;
  std::vector<float> labels(classes * steps);
  for (std::size_t i = 0; i < labels.size(); i += 4) labels[i] = 1;
  const std::vector<float> distilled = kernels::random_floats(labels.size(), 2), family_targets{1, 0};
  std::vector<float> logits = kernels::random_floats(labels.size(), 1, 2.0f),
                     family_logits = kernels::random_floats(families, 3);
  for (const SpeciesLoss kind : {SpeciesLoss::focal, SpeciesLoss::species_focal})
    for (const double gamma : {0.0, 2.5}) {
      const ProtoSsmLoss loss({.species = kind, .focal_gamma = gamma}, labels, classes);
      std::vector<float> gradient(labels.size()), family_gradient(families);
      const auto total = [&] {
        ProtoSsmLoss::Sums sums =
            loss.species(steps, logits.data(), classes, labels.data(), distilled.data(), gradient.data());
        sums.family = loss.family(family_logits, family_targets.data(), 1, family_gradient);
        return loss.total(std::span(&sums, 1), families);
      };
      const auto expected = kernels::central_differences(logits, total),
                 expected_family = kernels::central_differences(family_logits, total);
      EXPECT_GT(total(), 0);
      kernels::expect_gradient(gradient, expected, "species", 1e-5);
      kernels::expect_gradient(family_gradient, expected_family, "families", 1e-5);
    }
}

}  // namespace
}  // namespace pantanal::train

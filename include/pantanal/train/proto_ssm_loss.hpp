// The loss that ProtoSSM is trained by, over a batch of files.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "pantanal/train/losses.hpp"

namespace pantanal::train {

/// What the species logits are held to besides the labels' weights.
enum class SpeciesLoss {
  focal,          ///< focal_bce_with_logits; with gamma 0, BCE with pos_weight
  species_focal,  ///< species_focal_loss with class_frequency_weights
};

/// mean over windows and classes of the species loss + distill_weight·mean (species - logits)² +
/// family_weight·mean BCE(families).
struct ProtoSsmLossOptions {
  SpeciesLoss species = SpeciesLoss::focal;
  double focal_gamma = 2.5, distill_weight = 0.15, family_weight = 0.1;
  float label_smoothing = 0.03f, pos_weight_cap = 25;
};

/// Computes that loss file by file. Sums are kept per file, so that the total does not depend on who computes
/// what.
class ProtoSsmLoss {
 public:
  /// One file's sums, before means and weights.
  struct Sums {
    double species = 0, distill = 0, family = 0;
  };

  /// Labels [files·windows, classes], already smoothed, for the weights of the classes.
  ProtoSsmLoss(const ProtoSsmLossOptions& options, std::span<const float> labels, std::size_t classes)
      : options_(options),
        classes_(classes),
        weights_(options.species == SpeciesLoss::focal
                     ? positive_weights(labels, classes, options.pos_weight_cap)
                     : class_frequency_weights(labels, classes)),
        count_(static_cast<double>(labels.size())) {}

  /// pos_weight, or the classes' frequency weights.
  std::span<const float> weights() const { return weights_; }

  /// One file of `steps` windows: logits and gradient [steps, stride], targets and distilled [steps,
  /// classes].
  Sums species(std::size_t steps, const float* logits, std::size_t stride, const float* targets,
               const float* distilled, float* gradient) const {
    Sums sums;
    for (std::size_t t = 0; t < steps; ++t, logits += stride, gradient += stride) {
      const std::span<float> row(gradient, classes_);
      sums.species += sum_loss(classes_, row, 1 / count_, false,
                               [&](std::size_t k) { return term(logits[k], targets[t * classes_ + k], k); });
      if (distilled)
        sums.distill += sum_loss(classes_, row, options_.distill_weight / count_, true, [&](std::size_t k) {
          return squared_error(logits[k], distilled[t * classes_ + k]);
        });
    }
    return sums;
  }

  /// One file's families, [families] each; `files` in the batch.
  double family(std::span<const float> logits, const float* targets, std::size_t files,
                std::span<float> gradient) const {
    const double scale = options_.family_weight / static_cast<double>(files * logits.size());
    return sum_loss(logits.size(), gradient, scale, false,
                    [&](std::size_t k) { return bce_with_logits(logits[k], targets[k]); });
  }

  /// The loss of all files.
  double total(std::span<const Sums> files, std::size_t families) const {
    Sums sum;
    for (const Sums& file : files)
      sum.species += file.species, sum.distill += file.distill, sum.family += file.family;
    const double loss = (sum.species + options_.distill_weight * sum.distill) / count_;
    if (families == 0) return loss;
    return loss + options_.family_weight * sum.family / static_cast<double>(files.size() * families);
  }

 private:
  LossTerm term(double x, double target, std::size_t k) const {
    const double weight = weights_[k];
    if (options_.species == SpeciesLoss::species_focal) {
      const LossTerm focal = species_focal_loss(x, target, options_.focal_gamma);
      return {weight * focal.value, weight * focal.slope};
    }
    if (options_.focal_gamma <= 0) return bce_with_logits(x, target, weight);
    return focal_bce_with_logits(x, target, weight, options_.focal_gamma);
  }

  ProtoSsmLossOptions options_;
  std::size_t classes_;
  std::vector<float> weights_;
  double count_;
};

}  // namespace pantanal::train

// Losses on logits, with their gradients: each an elementwise function of one logit and its target.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace pantanal::train {

/// What one element adds to a loss, and the derivative by its logit.
struct LossTerm {
  double value = 0, slope = 0;
};

/// The logistic function of x, both halves, and its logarithm, none of which cancels: p = σ(x), q = σ(-x),
/// softplus = -ln σ(x).
struct Logistic {
  explicit Logistic(double x) {
    const double small = std::exp(-std::abs(x)), large = 1 / (1 + small);
    p = x >= 0 ? large : small * large, q = x >= 0 ? small * large : large;
    softplus = std::max(-x, 0.0) + std::log1p(small);
  }
  double p, q, softplus;
};

/// x^exponent for x >= 0, without std::pow where the exponent is one of the usual halves.
inline double focal_power(double x, double exponent) {
  if (exponent == 2) return x * x;
  if (exponent == 2.5) return x * x * std::sqrt(x);
  return std::pow(x, exponent);
}

/// -(w·t·ln σ(x) + (1-t)·ln σ(-x)), w the class's pos_weight: PyTorch's binary_cross_entropy_with_logits.
/// Finite for any finite logit.
inline LossTerm bce_with_logits(double x, const Logistic& s, double target, double pos_weight) {
  const double weight = 1 + (pos_weight - 1) * target;
  return {(1 - target) * x + weight * s.softplus, (1 - target) - weight * s.q};
}
inline LossTerm bce_with_logits(double x, double target, double pos_weight = 1) {
  return bce_with_logits(x, Logistic(x), target, pos_weight);
}

/// (1-pt)^γ·bce with pt = t·σ(x) + (1-t)·σ(-x), the gradient going through the weight too. Source: Lin et al.
/// 2017, "Focal Loss for Dense Object Detection", arXiv:1708.02002, with soft targets.
inline LossTerm focal_bce_with_logits(double x, double target, double pos_weight, double gamma) {
  const Logistic s(x);
  const LossTerm bce = bce_with_logits(x, s, target, pos_weight);
  const double wrong = target * s.q + (1 - target) * s.p;  // 1 - pt
  const double power = focal_power(wrong, gamma), turn = (1 - 2 * target) * s.p * s.q;
  const double power_slope = turn == 0 ? 0 : gamma * power / wrong * turn;
  return {power * bce.value, power * bce.slope + power_slope * bce.value};
}

/// (1-e^-bce)^γ·bce without pos_weight: the focal weight from the loss itself.
inline LossTerm species_focal_loss(double x, double target, double gamma) {
  const LossTerm bce = bce_with_logits(x, target);
  const double wrong = -std::expm1(-bce.value), power = focal_power(wrong, gamma);
  const double power_slope = wrong <= 0 ? 0 : gamma * power / wrong * std::exp(-bce.value);
  return {power * bce.value, (power + power_slope * bce.value) * bce.slope};
}

inline LossTerm squared_error(double x, double target) {
  return {(x - target) * (x - target), 2 * (x - target)};
}

/// Σ_i term(i).value over i < size, and gradient[i] = scale·term(i).slope, or += where `add`; gradient may be
/// empty. A mean over n elements has scale 1/n and divides the sum by n.
template <class Term>
double sum_loss(std::size_t size, std::span<float> gradient, double scale, bool add, Term&& term) {
  double sum = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const LossTerm t = term(i);
    sum += t.value;
    if (gradient.empty()) continue;
    const auto slope = static_cast<float>(scale * t.slope);
    gradient[i] = add ? gradient[i] + slope : slope;
  }
  return sum;
}

/// y·(1 - amount) + amount/2.
inline void smooth_labels(std::span<float> labels, float amount) {
  for (float& y : labels) y = y * (1 - amount) + amount / 2;
}

/// Per class, (rows - positives)/(positives + 1), at most `cap`; labels [rows, classes], which may be
/// smoothed.
inline std::vector<float> positive_weights(std::span<const float> labels, std::size_t classes, float cap) {
  std::vector<double> positives(classes);
  for (std::size_t i = 0; i < labels.size(); ++i) positives[i % classes] += double{labels[i]};
  const auto rows = static_cast<double>(labels.size() / classes);
  std::vector<float> weights;
  for (const double count : positives)
    weights.push_back(std::min(static_cast<float>((rows - count) / (count + 1)), cap));
  return weights;
}

/// Per class, 1/√frequency clipped to [1, cap], over their mean; frequency = (positives + 1)/rows.
inline std::vector<float> class_frequency_weights(std::span<const float> labels, std::size_t classes,
                                                  double cap = 10) {
  std::vector<double> weights(classes, 1.0);
  for (std::size_t i = 0; i < labels.size(); ++i) weights[i % classes] += double{labels[i]};
  const auto rows = static_cast<double>(labels.size() / classes);
  double mean = 0;
  for (double& w : weights) {
    w = std::clamp(1 / std::sqrt(w / rows), 1.0, cap);
    mean += w / static_cast<double>(classes);
  }
  std::vector<float> normalised;
  for (const double w : weights) normalised.push_back(static_cast<float>(w / mean));
  return normalised;
}

}  // namespace pantanal::train

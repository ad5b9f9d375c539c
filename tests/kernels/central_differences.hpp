// Gradients from values alone: the oracle of every backward.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace pantanal::kernels {

/// ∂f/∂x[i] for every i from f at x[i] ± h and ± 2h, f computed in double from the floats in x: Richardson's
/// extrapolation of central differences, whose steps are those that the floats really have.
template <class F>
std::vector<double> central_differences(std::span<float> x, F&& f, float h = 1e-3f) {
  std::vector<double> gradient;
  for (float& value : x) {
    const float before = value;
    const auto difference = [&](float step) {
      const float above = before + step, below = before - step;
      value = above;
      const double high = f();
      value = below;
      const double low = f();
      value = before;
      return (high - low) / (double{above} - double{below});
    };
    gradient.push_back((4 * difference(h) - difference(2 * h)) / 3);
  }
  return gradient;
}

/// Fails if any of `found` is further from `expected` than `tolerance` of the largest expected value.
template <class Found>
void expect_gradient(const Found& found, std::span<const double> expected, const char* what,
                     double tolerance = 2e-5) {
  ASSERT_EQ(found.size(), expected.size()) << what;
  double scale = 1e-3, worst = 0;
  for (const double x : expected) scale = std::max(scale, std::abs(x));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double difference = std::abs(static_cast<double>(found[i]) - expected[i]);
    worst = std::isfinite(difference) ? std::max(worst, difference) : INFINITY;
  }
  EXPECT_LE(worst, tolerance * scale) << what;
}

/// Σ_i x[i]·weights[i].
template <class X>
double weighted_sum(const X& x, std::span<const float> weights) {
  double sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) sum += static_cast<double>(x[i]) * double{weights[i]};
  return sum;
}

}  // namespace pantanal::kernels

// What tests of Session have in common: a small model, windows for it, and how far what it gives is from the
// reference.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <random>
#include <vector>

#include "pantanal/perch/session.hpp"
#include "perch/random_model.hpp"

namespace pantanal::perch {

inline constexpr InstructionSet all_sets[] = {InstructionSet::portable, InstructionSet::avx2,
                                              InstructionSet::avx512};

/// Noise, a tone, silence and clipping, in turn.
inline std::vector<float> signal(std::size_t windows, std::size_t samples) {
  std::mt19937 random(7);
  std::normal_distribution<float> noise(0, 0.1f);
  std::vector<float> x(windows * samples);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const float t = static_cast<float>(i % samples);
    const std::size_t kind = i / samples % 4;
    if (kind == 0) x[i] = noise(random);
    if (kind == 1) x[i] = 0.3f * std::sin(0.2f * t) + 0.1f * noise(random);
    if (kind == 3) x[i] = std::clamp(20 * noise(random), -1.0f, 1.0f);
  }
  return x;
}

struct OutputValues {
  std::vector<float> embedding, spatial, spectrogram, label;
};

inline OutputValues run(Session& session, const std::vector<float>& x, std::size_t n) {
  const OutputSizes sizes = session.output_sizes();
  OutputValues r{std::vector<float>(n * sizes.embedding), std::vector<float>(n * sizes.spatial_embedding),
                 std::vector<float>(n * sizes.spectrogram), std::vector<float>(n * sizes.label)};
  const Status status = session.run(x, n, {r.embedding, r.spatial, r.spectrogram, r.label});
  EXPECT_TRUE(status) << status.error().message();
  return r;
}

/// ‖a - b‖ / ‖b‖ of window w.
inline double relative(const std::vector<float>& a, const std::vector<double>& b, std::size_t w) {
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    difference += std::pow(double{a[w * b.size() + i]} - b[i], 2);
    norm += b[i] * b[i];
  }
  return std::sqrt(difference / norm);
}

inline double largest(const std::vector<float>& a, const std::vector<double>& b, std::size_t w) {
  double most = 0;
  for (std::size_t i = 0; i < b.size(); ++i)
    most = std::max(most, std::abs(double{a[w * b.size() + i]} - b[i]));
  return most;
}

inline std::shared_ptr<const Model> shared_tiny_model() {
  return std::make_shared<Model>(fixtures::random_model(fixtures::tiny_architecture(), 3));
}

}  // namespace pantanal::perch

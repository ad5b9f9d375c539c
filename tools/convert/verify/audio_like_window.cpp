#include "verify/audio_like_window.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <random>
#include <span>

namespace pantanal::convert {
namespace {

class Painter {
 public:
  explicit Painter(std::uint64_t seed) : engine_(seed) {}

  /// Uniform in [low, high), the same with every standard library.
  double uniform(double low, double high) {
    return low + (high - low) * static_cast<double>(engine_() >> 11) * 0x1p-53;
  }

  double background() { return uniform(-2e-2, 2e-2); }

  void noise(std::span<float> out) {
    double slow = 0;
    const double gain = uniform(0.05, 0.3);
    for (float& sample : out) {
      slow = 0.95 * slow + uniform(-1, 1);
      sample = static_cast<float>(std::clamp(gain * (0.3 * slow + uniform(-0.3, 0.3)), -1.0, 1.0));
    }
  }

  void tones(std::span<float> out) {
    const std::array<double, 3> steps = {uniform(0.02, 0.2), uniform(0.2, 1),
                                         uniform(1, 3)};  // radians per sample
    for (std::size_t i = 0; i < out.size(); ++i) {
      double sum = 0;
      for (const double step : steps) sum += std::sin(step * static_cast<double>(i));
      out[i] = static_cast<float>(0.3 * sum + background());
    }
  }

  void clipped_sweep(std::span<float> out) {
    const double gain = uniform(1.5, 8), length = static_cast<double>(out.size());
    for (std::size_t i = 0; i < out.size(); ++i) {
      const double t = static_cast<double>(i);
      const double phase = std::numbers::pi * (0.01 + 0.49 * t / length) * t;
      out[i] = static_cast<float>(std::clamp(gain * std::sin(phase) + background(), -1.0, 1.0));
    }
  }

  void silence(std::span<float> out) { std::fill(out.begin(), out.end(), 0.0f); }

  void clicks(std::span<float> out) {
    for (float& sample : out) sample = static_cast<float>(background());
    for (std::size_t i = 0; i < out.size(); i += 4001) out[i] = uniform(-1, 1) < 0 ? -1.0f : 1.0f;
  }

  /// Fisher and Yates' shuffle.
  template <class T, std::size_t N>
  void shuffle(std::array<T, N>& items) {
    for (std::size_t i = N - 1; i > 0; --i)
      std::swap(items[i], items[static_cast<std::size_t>(uniform(0, static_cast<double>(i + 1)))]);
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace

std::vector<float> audio_like_window(std::size_t samples, std::uint64_t seed) {
  Painter painter(seed);
  std::array stretches = {&Painter::noise, &Painter::tones, &Painter::clipped_sweep, &Painter::silence,
                          &Painter::clicks};
  painter.shuffle(stretches);
  std::vector<float> window(samples);
  for (std::size_t k = 0; k < stretches.size(); ++k) {
    const std::size_t begin = samples * k / stretches.size(), end = samples * (k + 1) / stretches.size();
    (painter.*stretches[k])(std::span(window).subspan(begin, end - begin));
  }
  const auto loudness = static_cast<float>(painter.uniform(0.1, 0.3));
  for (float& sample : window) sample *= loudness;
  return window;
}

}  // namespace pantanal::convert

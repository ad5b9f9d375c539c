// PolyphaseFilter: the low-pass filter of a change of rates.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <numeric>
#include <span>
#include <vector>

namespace pantanal::stream {

/// A low-pass filter cut up by the fraction of an input sample that an output sample lies after it:
/// [phases + 1, taps], each row of sum 1. Windowed sinc with Kaiser's window (Kaiser 1974; Oppenheim &
/// Schafer, Discrete-Time Signal Processing, 7.6): flat to 91.3 % of the lower Nyquist frequency, 120 dB down
/// from there on, as libsoxr's high quality is.
class PolyphaseFilter {
 public:
  /// `ratio` is the output's rate to the input's. `phases` per input sample.
  PolyphaseFilter(double ratio, std::size_t phases)
      : phases_(phases), taps_(taps_for(ratio)), rows_((phases + 1) * taps_) {
    for (std::size_t p = 0; p <= phases; ++p)
      fill_row(std::span(rows_).subspan(p * taps_, taps_),
               static_cast<double>(p) / static_cast<double>(phases), std::min(1.0, ratio));
  }

  std::size_t phases() const { return phases_; }
  std::size_t taps() const { return taps_; }

  /// [taps]: of an output sample `phase / phases` after the input sample of tap taps / 2 - 1.
  const float* row(std::size_t phase) const { return &rows_[phase * taps_]; }

 private:
  static constexpr double pass = 0.913, attenuation_db = 120;

  static std::size_t taps_for(double ratio) {
    const double transition = (1 - pass) / 2 * std::min(1.0, ratio);  // cycles a sample
    const auto half =
        static_cast<std::size_t>(std::ceil(((attenuation_db - 7.95) / (14.36 * transition) + 1) / 2));
    return 2 * ((half + 7) / 8 * 8);
  }

  /// The modified Bessel function of the first kind and order 0, by its power series.
  static double bessel_i0(double x) {
    double sum = 1, term = 1;
    for (int k = 1; term > sum * 1e-17; ++k) {
      term *= x * x / (4.0 * k * k);
      sum += term;
    }
    return sum;
  }

  void fill_row(std::span<float> row, double fraction, double band) const {
    constexpr double beta = 0.1102 * (attenuation_db - 8.7);
    const double half = static_cast<double>(taps_ / 2), cutoff = (1 + pass) / 2 * band;
    std::vector<double> values(taps_);
    for (std::size_t k = 0; k < taps_; ++k) {
      const double t = static_cast<double>(k) - (half - 1) - fraction, inside = 1 - t * t / (half * half);
      const double x = std::numbers::pi * cutoff * t;
      values[k] = inside <= 0 ? 0 : (x == 0 ? 1 : std::sin(x) / x) * bessel_i0(beta * std::sqrt(inside));
    }
    const double sum = std::accumulate(values.begin(), values.end(), 0.0);
    std::ranges::transform(values, row.begin(), [sum](double v) { return static_cast<float>(v / sum); });
  }

  std::size_t phases_, taps_;
  std::vector<float> rows_;
};

}  // namespace pantanal::stream

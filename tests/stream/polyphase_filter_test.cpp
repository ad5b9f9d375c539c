#include "pantanal/stream/polyphase_filter.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <numbers>

namespace pantanal::stream {
namespace {

/// The filter's gain at `frequency` cycles an input sample, by the definition of the Fourier transform: row p
/// holds the taps that lie p / phases off the input samples.
double gain(const PolyphaseFilter& filter, double frequency) {
  std::complex<double> sum = 0;
  for (std::size_t p = 0; p < filter.phases(); ++p)
    for (std::size_t k = 0; k < filter.taps(); ++k) {
      const double fraction = static_cast<double>(p) / static_cast<double>(filter.phases());
      const double t = static_cast<double>(k) - (static_cast<double>(filter.taps() / 2) - 1) - fraction;
      sum += static_cast<double>(filter.row(p)[k]) * std::polar(1.0, -2 * std::numbers::pi * frequency * t);
    }
  return std::abs(sum) / static_cast<double>(filter.phases());
}

TEST(PolyphaseFilter, PassesWhatBothRatesHoldAndStopsTheRest) {
  for (const double ratio : {2.0, 1.0, 2.0 / 3, 0.25}) {
    const PolyphaseFilter filter(ratio, 16);
    const double nyquist = 0.5 * std::min(1.0, ratio);
    for (double f = 0; f <= 0.913; f += 0.083) EXPECT_NEAR(gain(filter, f * nyquist), 1, 2e-5) << f;
    // The 16 phases' own images begin at 15.5.
    for (double f = 1; f * nyquist < 4; f += 0.3) EXPECT_LT(gain(filter, f * nyquist), 2e-6) << f;
  }
}

TEST(PolyphaseFilter, HasRowsOfSumOneAndWholeVectors) {
  const PolyphaseFilter filter(0.7, 5);
  EXPECT_EQ(filter.taps() % 16, 0u);
  for (std::size_t p = 0; p <= filter.phases(); ++p) {
    double sum = 0;
    for (std::size_t k = 0; k < filter.taps(); ++k) sum += static_cast<double>(filter.row(p)[k]);
    EXPECT_NEAR(sum, 1, 1e-6);
  }
}

}  // namespace
}  // namespace pantanal::stream

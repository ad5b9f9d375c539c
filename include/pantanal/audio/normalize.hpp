// Levelling a window before the model hears it.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

namespace pantanal::audio {

/// `none` leaves samples as they are, which is what the released graphs were used with; `peak` is what
/// perch-hoplite does.
enum class Normalize { none, peak };

/// The largest magnitude after Normalize::peak.
inline constexpr double normalized_peak = 0.25;

/// `peak`: x - mean(x), scaled so that max |x| is 0.25. A constant window, silence for one, becomes zeros.
/// Samples must be finite.
inline void normalize(std::span<float> window, Normalize kind) {
  if (kind == Normalize::none || window.empty()) return;
  double sum = 0;
  for (const float x : window) sum += static_cast<double>(x);
  const double mean = sum / static_cast<double>(window.size());
  double peak = 0;
  for (const float x : window) peak = std::max(peak, std::fabs(static_cast<double>(x) - mean));
  const double scale = peak > 0 ? normalized_peak / peak : 0;
  for (float& x : window) x = static_cast<float>((static_cast<double>(x) - mean) * scale);
}

}  // namespace pantanal::audio

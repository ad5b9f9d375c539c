// The windows whose outputs tests/golden/perch holds, regenerated bit for bit (tools/fixtures/signals.py).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace pantanal::golden {

/// Window `seed` as 16-bit samples: noise, a sweep, silence, clipping, clicks; rotated by the seed. `length`
/// is a multiple of 5.
inline std::vector<std::int16_t> window_int16(std::uint32_t seed, std::size_t length = 160000) {
  std::vector<std::int16_t> samples(length);
  std::uint32_t state = seed, phase = 0;
  for (std::size_t i = 0; i < length; ++i) {
    state = state * 1664525u + 1013904223u;
    phase += 26843546u + 6710u * static_cast<std::uint32_t>(i);
    const std::int32_t noise = static_cast<std::int32_t>(state >> 16) - 32768;
    const auto ramp = static_cast<std::int32_t>(phase >> 15);
    const std::int32_t sweep = (ramp < 65536 ? ramp : 131071 - ramp) - 32768;
    std::int32_t value = 0;
    switch ((i / (length / 5) + seed) % 5) {
      case 0:
        value = noise >> 3;
        break;
      case 1:
        value = (sweep >> 3) + (noise >> 5);
        break;
      case 3:
        value = std::clamp(4 * sweep + 2 * noise, -32768, 32767);
        break;
      case 4:
        value = (noise >> 8) + (i % 4096 == 0 ? 20000 : 0);
        break;
      default:
        break;
    }
    samples[i] = static_cast<std::int16_t>(value);
  }
  return samples;
}

/// Window `seed` in [-1, 1).
inline std::vector<float> window(std::uint32_t seed, std::size_t length = 160000) {
  const std::vector<std::int16_t> integers = window_int16(seed, length);
  std::vector<float> samples(length);
  std::transform(integers.begin(), integers.end(), samples.begin(),
                 [](std::int16_t value) { return static_cast<float>(value) / 32768.0f; });
  return samples;
}

}  // namespace pantanal::golden

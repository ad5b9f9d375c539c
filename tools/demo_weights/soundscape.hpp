// One-minute soundscapes of made-up species, with what is in them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace pantanal::demo {

inline constexpr std::size_t window_samples = 160000, windows_per_soundscape = 12;

/// A planted call.
struct Call {
  std::size_t species = 0;  ///< its place in all_species()
  double start_s = 0, end_s = 0;
  double level = 0;  ///< peak, of 1
};

struct Soundscape {
  std::vector<float> samples;  ///< 60 s at 32 kHz, mono, within ±1
  std::vector<Call> calls;     ///< by their start
};

/// Wind, in half of them rain, and 3 to 8 of the species calling 10 to 24 times in all, several at once where
/// it so happens, each call at a level of its own. The same bytes for the same seed on one machine.
Soundscape synthesise_soundscape(std::uint64_t seed);

/// Per window and species, whether at least 0.2 s of a call, or half of it, is in the window:
/// [windows_per_soundscape, species], 0 or 1.
std::vector<float> window_labels(std::span<const Call> calls);

}  // namespace pantanal::demo

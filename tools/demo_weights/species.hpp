// The made-up species of the demo model, and what they sound like.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "pantanal/core/philox.hpp"

namespace pantanal::demo {

inline constexpr double sample_rate = 32000;  ///< Hz

/// How a species sounds. Times in seconds, frequencies in Hz.
enum class Voice {
  sweep,     ///< a tone from `low` to `high`
  arch,      ///< a tone from `low` to `high` and back
  trill,     ///< a tone that swings `rate` times a second between `low` and `high`
  pulses,    ///< a tone at `low`, switched on and off `rate` times a second
  clicks,    ///< `rate` short, dying tones a second at `low`
  harmonic,  ///< a falling tone at `low` with `harmonics` overtones, `rate` times a second up and down by 4 %
  band,      ///< noise between `low` and `high`, louder and softer `rate` times a second
};

struct Species {
  std::string name;
  Voice voice = Voice::sweep;
  double low = 0, high = 0, rate = 0;
  std::size_t harmonics = 0;
  double shortest = 0, longest = 0;  ///< of one call
  std::size_t most_repeats = 1;      ///< calls in a row
};

/// All 16, in the order of the model's classes.
const std::vector<Species>& all_species();

/// A call of peak level about 1, drawn from `random`: its pitch within 5 %, its tempo within 10 %.
std::vector<float> synthesise_call(const Species& species, Random& random);

/// `count` samples of rain or wind at a level of about 1: noise with gusts, of low pitch (wind) or high, with
/// drops (rain).
std::vector<float> synthesise_wind(std::size_t count, Random& random);
std::vector<float> synthesise_rain(std::size_t count, Random& random);

}  // namespace pantanal::demo

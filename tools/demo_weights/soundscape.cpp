#include "soundscape.hpp"

#include <algorithm>
#include <cmath>

#include "pantanal/core/philox.hpp"
#include "species.hpp"

namespace pantanal::demo {
namespace {

constexpr std::size_t total_samples = windows_per_soundscape * window_samples;
constexpr std::uint32_t purpose = 0x736f756e;  // a stream of its own

/// exp of a uniform number between the logarithms.
double log_uniform(Random& random, double low, double high) {
  return low * std::pow(high / low, random.uniform());
}

void add(std::span<const float> sound, double level, std::span<float> to) {
  for (std::size_t i = 0; i < sound.size(); ++i) to[i] += static_cast<float>(level) * sound[i];
}

Call plant(std::size_t species, Random& random, std::span<float> samples) {
  const std::vector<float> call = synthesise_call(all_species()[species], random);
  const std::size_t start = random.below(samples.size() - call.size());
  const double level = log_uniform(random, 0.02, 0.25);
  add(call, level, samples.subspan(start, call.size()));
  return {species, static_cast<double>(start) / sample_rate,
          static_cast<double>(start + call.size()) / sample_rate, level};
}

}  // namespace

Soundscape synthesise_soundscape(std::uint64_t seed) {
  Random random({.seed = seed, .purpose = purpose});
  Soundscape scape{std::vector<float>(total_samples), {}};
  add(synthesise_wind(total_samples, random), log_uniform(random, 0.002, 0.02), scape.samples);
  if (random.uniform() < 0.5)
    add(synthesise_rain(total_samples, random), log_uniform(random, 0.001, 0.01), scape.samples);
  std::vector<std::size_t> order(all_species().size());
  random.permutation(order);
  const std::size_t present = 3 + random.below(6), calls = 10 + random.below(15);
  for (std::size_t i = 0; i < calls; ++i)
    scape.calls.push_back(plant(order[random.below(present)], random, scape.samples));
  std::ranges::sort(scape.calls, {}, &Call::start_s);
  for (float& x : scape.samples) x = std::clamp(x, -1.0f, 1.0f);
  return scape;
}

std::vector<float> window_labels(std::span<const Call> calls) {
  const std::size_t species = all_species().size();
  constexpr double seconds = static_cast<double>(window_samples) / sample_rate;
  std::vector<float> labels(windows_per_soundscape * species);
  for (const Call& call : calls)
    for (std::size_t w = 0; w < windows_per_soundscape; ++w) {
      const double begin = static_cast<double>(w) * seconds;
      const double inside = std::min(call.end_s, begin + seconds) - std::max(call.start_s, begin);
      if (inside >= std::min(0.2, (call.end_s - call.start_s) / 2)) labels[w * species + call.species] = 1;
    }
  return labels;
}

}  // namespace pantanal::demo

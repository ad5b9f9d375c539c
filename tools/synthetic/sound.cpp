#include "sound.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>

#include "pantanal/core/crc32c.hpp"
#include "random.hpp"

namespace pantanal::synthetic {
namespace {

constexpr std::size_t window = 5 * rate;

/// Adds a call: a falling or rising whistle, or pulses of a steady tone.
void add_call(const Species& species, Random& random, std::span<float> samples) {
  const bool is_texture = species.rate > 0;
  const double seconds = is_texture ? random.uniform(2.0, 4.5) : random.uniform(0.3, 0.9);
  const auto count = std::min(samples.size(), static_cast<std::size_t>(seconds * static_cast<double>(rate)));
  const std::size_t start = random.below(samples.size() - count + 1);
  const double level = random.uniform(0.03, 0.25),
               glide = is_texture ? 0 : species.pitch * random.uniform(0.1, 0.2);
  double phase = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double t = static_cast<double>(i) / static_cast<double>(rate),
                 part = static_cast<double>(i) / static_cast<double>(count);
    phase += 2 * std::numbers::pi * (species.pitch + glide * (part - 0.5)) / static_cast<double>(rate);
    const double edge = std::min({1.0, part * 20, (1 - part) * 20});
    const double beat = is_texture ? std::max(0.0, std::sin(2 * std::numbers::pi * species.rate * t)) : 1;
    samples[start + i] += static_cast<float>(level * edge * beat * std::sin(phase));
  }
}

}  // namespace

std::vector<float> make_sound(const World& world, const Recording& recording, std::uint64_t seed) {
  Crc32c name;
  name.update(std::as_bytes(std::span(recording.filename)));
  Random random(seed, name.value());
  std::vector<float> samples(recording.windows.size() * window);
  const double low_pass = 0.6 + 0.04 * static_cast<double>(recording.site);
  double wind = 0;
  for (float& sample : samples) {
    wind = low_pass * wind + (1 - low_pass) * random.normal();
    sample = static_cast<float>(0.02 * wind);
  }
  for (std::size_t w = 0; w < recording.windows.size(); ++w)
    for (const std::size_t s : recording.windows[w])
      for (std::size_t calls = 1 + random.below(3); calls > 0; --calls)
        add_call(world.species[s], random, std::span(samples).subspan(w * window, window));
  for (float& sample : samples) sample = std::clamp(sample, -1.0f, 1.0f);
  return samples;
}

}  // namespace pantanal::synthetic

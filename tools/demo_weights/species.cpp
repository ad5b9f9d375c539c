#include "species.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace pantanal::demo {
namespace {

constexpr double pi = std::numbers::pi;

/// White noise, uniform, of variance 1.
double noise(Random& random) { return (static_cast<double>(random.word()) * 0x1p-31 - 1) * std::sqrt(3.0); }

/// 1 but for `edge` seconds at both ends, where it rises and falls.
double envelope(std::size_t i, std::size_t count, double edge = 0.01) {
  const double nearest = static_cast<double>(std::min(i, count - 1 - i)) / (edge * sample_rate);
  return std::min(nearest, 1.0);
}

/// A tone whose frequency is frequency(t), t from 0 to 1 over the call; its phase goes on in `phase`.
class Oscillator {
 public:
  double next(double hertz) {
    phase_ = std::fmod(phase_ + hertz / sample_rate, 1.0);
    return std::sin(2 * pi * phase_);
  }
  double overtone(std::size_t k) const { return std::sin(2 * pi * phase_ * static_cast<double>(k)); }

 private:
  double phase_ = 0;
};

double tonal(const Species& s, double part, double seconds, Oscillator& tone) {
  switch (s.voice) {
    case Voice::sweep:
      return tone.next(s.low + (s.high - s.low) * part);
    case Voice::arch:
      return tone.next(s.low + (s.high - s.low) * std::sin(pi * part));
    case Voice::trill:
      return tone.next((s.low + s.high) / 2 + (s.high - s.low) / 2 * std::sin(2 * pi * s.rate * seconds));
    case Voice::pulses: {
      const double gate = std::max(0.0, std::sin(2 * pi * s.rate * seconds));
      return gate * gate * tone.next(s.low);
    }
    case Voice::clicks: {
      const double since = std::fmod(seconds, 1 / s.rate);
      return std::exp(-since / 0.006) * tone.next(s.low);
    }
    case Voice::harmonic: {
      tone.next(s.low * (1.1 - 0.3 * part) * (1 + 0.04 * std::sin(2 * pi * s.rate * seconds)));
      double sum = 0;
      for (std::size_t k = 1; k <= s.harmonics; ++k) sum += tone.overtone(k) / static_cast<double>(k);
      return sum / 1.5;
    }
    case Voice::band:
      break;
  }
  return 0;
}

/// Noise through a two-pole resonance around the band's middle, as wide as the band. Source: Smith 2007,
/// "Introduction to Digital Filters", two-pole resonator.
void add_band(const Species& s, Random& random, std::span<float> call) {
  const double middle = (s.low + s.high) / 2, radius = std::exp(-pi * (s.high - s.low) / sample_rate);
  const double a1 = 2 * radius * std::cos(2 * pi * middle / sample_rate), a2 = -radius * radius;
  double y1 = 0, y2 = 0;
  for (std::size_t i = 0; i < call.size(); ++i) {
    const double y = (1 - radius) * noise(random) + a1 * y1 + a2 * y2;
    y2 = y1, y1 = y;
    const double swell = 0.6 + 0.4 * std::sin(2 * pi * s.rate * static_cast<double>(i) / sample_rate);
    call[i] += static_cast<float>(2 * y * swell * envelope(i, call.size(), 0.1));
  }
}

void add_call(const Species& s, Random& random, std::span<float> call) {
  if (s.voice == Voice::band) return add_band(s, random, call);
  Oscillator tone;
  for (std::size_t i = 0; i < call.size(); ++i) {
    const double part = static_cast<double>(i) / static_cast<double>(call.size());
    call[i] += static_cast<float>(envelope(i, call.size()) *
                                  tonal(s, part, static_cast<double>(i) / sample_rate, tone));
  }
}

double within(Random& random, double low, double high) { return low + (high - low) * random.uniform(); }

}  // namespace

const std::vector<Species>& all_species() {
  static const std::vector<Species> species = {
      {"Fictus ascendens (rising chirp)", Voice::sweep, 2500, 6000, 0, 0, 0.3, 0.5, 4},
      {"Fictus descendens (falling chirp)", Voice::sweep, 7500, 3800, 0, 0, 0.2, 0.35, 5},
      {"Fictus arcuatus (arched whistle)", Voice::arch, 1800, 3200, 0, 0, 0.5, 0.9, 3},
      {"Fictus altus (high sweep)", Voice::sweep, 9500, 13500, 0, 0, 0.15, 0.3, 6},
      {"Tremulus celer (fast trill)", Voice::trill, 3700, 4900, 24, 0, 0.8, 1.5, 2},
      {"Tremulus lentus (slow trill)", Voice::trill, 1900, 2500, 7, 0, 1.0, 1.8, 2},
      {"Tremulus acutus (high trill)", Voice::trill, 6000, 7200, 14, 0, 0.6, 1.2, 2},
      {"Pulsator gravis (low pulses)", Voice::pulses, 900, 0, 9, 0, 1.2, 2.5, 1},
      {"Pulsator medius (fast pulses)", Voice::pulses, 2900, 0, 28, 0, 0.8, 1.6, 2},
      {"Pulsator siccus (clicks)", Voice::clicks, 5200, 0, 11, 0, 1.0, 2.0, 2},
      {"Cantor gravis (low harmonic song)", Voice::harmonic, 420, 0, 0, 8, 0.6, 1.1, 3},
      {"Cantor vibrans (harmonic song with vibrato)", Voice::harmonic, 950, 0, 9, 6, 0.8, 1.5, 2},
      {"Cantor bubo (hoots)", Voice::harmonic, 310, 0, 0, 2, 0.35, 0.5, 4},
      {"Stridulus latus (wide insect band)", Voice::band, 7800, 9600, 45, 0, 2.0, 4.5, 1},
      {"Stridulus tremens (throbbing insect band)", Voice::band, 10800, 12200, 12, 0, 2.0, 4.5, 1},
      {"Stridulus tenuis (thin insect band)", Voice::band, 6300, 6600, 3, 0, 2.0, 4.5, 1},
  };
  return species;
}

std::vector<float> synthesise_call(const Species& species, Random& random) {
  Species own = species;
  const double pitch = within(random, 0.95, 1.05);
  own.low *= pitch, own.high *= pitch, own.rate *= within(random, 0.9, 1.1);
  const auto samples = [](double seconds) { return static_cast<std::size_t>(seconds * sample_rate); };
  const std::size_t repeats = 1 + random.below(species.most_repeats),
                    length = samples(within(random, species.shortest, species.longest)),
                    gap = samples(within(random, 0.1, 0.3));
  std::vector<float> call(repeats * length + (repeats - 1) * gap);
  for (std::size_t i = 0; i < repeats; ++i)
    add_call(own, random, std::span(call).subspan(i * (length + gap), length));
  return call;
}

std::vector<float> synthesise_wind(std::size_t count, Random& random) {
  std::vector<float> wind(count);
  const double first = within(random, 0.05, 0.12), second = within(random, 0.2, 0.5);  // Hz, of the gusts
  const double start = within(random, 0, 2 * pi),
               keep = std::exp(-2 * pi * within(random, 150, 500) / sample_rate);
  double once = 0, twice = 0;
  for (std::size_t i = 0; i < count; ++i) {
    once = keep * once + (1 - keep) * noise(random), twice = keep * twice + (1 - keep) * once;
    const double t = 2 * pi * static_cast<double>(i) / sample_rate;
    const double gust = 1 + 0.5 * std::sin(first * t + start) + 0.3 * std::sin(second * t);
    wind[i] = static_cast<float>(12 * twice * gust + 0.05 * noise(random));
  }
  return wind;
}

std::vector<float> synthesise_rain(std::size_t count, Random& random) {
  std::vector<float> rain(count);
  double low = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double x = noise(random);
    low += 0.3 * (x - low);
    rain[i] = static_cast<float>(0.5 * (x - low));
  }
  const double drops = within(random, 5, 40) * static_cast<double>(count) / sample_rate;
  for (std::size_t d = 0; d < static_cast<std::size_t>(drops); ++d) {
    const std::size_t at = random.below(count);
    const double hertz = within(random, 1000, 5000), level = within(random, 0.5, 3);
    Oscillator tone;
    for (std::size_t i = at; i < std::min(count, at + 640); ++i)
      rain[i] += static_cast<float>(level * std::exp(-static_cast<double>(i - at) / 100) * tone.next(hertz));
  }
  return rain;
}

}  // namespace pantanal::demo

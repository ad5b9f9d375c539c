#include "world.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <utility>

#include "random.hpp"

namespace pantanal::synthetic {
namespace {

constexpr std::size_t windows_per_file = 12;
constexpr std::array taxa = {"Aves", "Aves",    "Aves", "Aves",     "Amphibia",
                             "Aves", "Insecta", "Aves", "Mammalia", "Reptilia"};

std::string numbered(const char* format, std::size_t number) {
  char text[64];
  std::snprintf(text, sizeof text, format, number);
  return text;
}

/// How much of its activity is left `hours` before or after the peak.
double activity(double hour, double peak) {
  const double apart = std::remainder(hour - peak, 24.0);
  return std::exp(-apart * apart / 18);
}

void name_unmapped(Species& species, std::size_t i, std::span<const std::string> labels) {
  if (i % 3 == 0) {
    species.label = numbered("%zu", 900 + i) + numbered("son%02zu", i % 100);
    species.scientific_name = numbered("Insecta sonotype%zu", i);
    species.class_name = "Insecta";
  } else if (i % 3 == 1 && !labels.empty()) {
    const std::string& other = labels[i % labels.size()];
    species.scientific_name = other.substr(0, other.find(' ')) + numbered(" novus%zu", i);
    species.class_name = i % 2 == 0 ? "Amphibia" : "Insecta";
  } else {
    species.scientific_name = numbered("Ignotus%zu obscurus", i);
    species.class_name = i % 2 == 0 ? "Insecta" : "Mammalia";
  }
}

}  // namespace

World make_world(std::span<const std::string> perch_labels, std::size_t classes, std::uint64_t seed) {
  World world;
  Random random(seed);
  const std::size_t mapped =
      std::min(perch_labels.size(), classes - std::min(classes, (classes * 3 + 19) / 20));
  for (std::size_t i = 0; i < classes; ++i) {
    Species species;
    species.label = numbered("sp%04zu", i + 1);
    species.class_name = taxa[i % taxa.size()];
    if (i < mapped) {
      species.scientific_name = perch_labels[i * perch_labels.size() / mapped];
    } else {
      name_unmapped(species, i, perch_labels);
    }
    const bool is_texture = species.class_name == "Amphibia" || species.class_name == "Insecta";
    species.pitch = 700 * std::pow(14.0, (static_cast<double>(i) + 0.5) / static_cast<double>(classes));
    species.rate = is_texture ? random.uniform(6, 25) : 0;
    species.frequency = is_texture ? random.uniform(0.3, 0.9) : random.uniform(0.1, 0.5);
    species.peak_hour = is_texture ? random.uniform(18, 28) : random.uniform(4, 12);
    for (std::size_t site = 0; site < world.sites; ++site)
      species.at_home.push_back(random.chance(0.35) ? random.uniform(0.5, 1) : random.chance(0.3) ? 0.1 : 0);
    world.species.push_back(std::move(species));
  }
  std::ranges::sort(world.species, {}, &Species::label);
  return world;
}

Recording make_recording(const World& world, const std::string& kind, std::size_t number,
                         std::uint64_t seed) {
  Random random(seed, 2 * number + (kind == "Test" ? 1 : 0) + 1000);
  Recording recording;
  recording.site = std::min(world.sites - 1, static_cast<std::size_t>(std::pow(random.uniform(), 1.5) *
                                                                      static_cast<double>(world.sites)));
  recording.hour = static_cast<int>(random.below(24));
  char name[96];
  std::snprintf(name, sizeof name, "BC2026_%s_%04zu_S%02zu_2025%02zu%02zu_%02d%02zu%02zu.ogg", kind.c_str(),
                number, recording.site + 1, 1 + random.below(12), 1 + random.below(28), recording.hour,
                random.below(60), random.below(60));
  recording.filename = name;
  recording.windows.resize(windows_per_file);
  for (std::size_t s = 0; s < world.species.size(); ++s) {
    const Species& species = world.species[s];
    const double present = species.frequency * species.at_home[recording.site] *
                           activity(static_cast<double>(recording.hour), species.peak_hour);
    bool heard = random.chance(present);
    for (auto& window : recording.windows) {
      if (heard) window.push_back(s);
      heard = random.chance(heard ? 0.5 + present / 2 : present / 2);
    }
  }
  return recording;
}

}  // namespace pantanal::synthetic

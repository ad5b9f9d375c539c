// World: a made-up competition's species, places and habits, and what is heard when.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace pantanal::synthetic {

/// A class of the competition.
struct Species {
  std::string label, scientific_name, class_name;
  double pitch = 0;             ///< Hz
  double rate = 0;              ///< calls a second, 0 for single calls
  double frequency = 0;         ///< how often it is heard where and when it is at home, 0 to 1
  double peak_hour = 0;         ///< when it calls most
  std::vector<double> at_home;  ///< per site, 0 to 1
};

struct World {
  std::vector<Species> species;
  std::size_t sites = 8;
};

/// One recording: where, when, and which species are in each of its twelve windows.
struct Recording {
  std::string filename;
  std::size_t site = 0;
  int hour = 0;
  std::vector<std::vector<std::size_t>> windows;  ///< species, ascending
};

/// `classes` species: about 17 in 20 have one of Perch's labels, as far as those suffice; of the others some
/// share a label's genus, some are sonotypes of insects, some have nothing in common with any label.
World make_world(std::span<const std::string> perch_labels, std::size_t classes, std::uint64_t seed);

/// `kind` is Train or Test. Recordings of one world, seed, kind and number are the same.
Recording make_recording(const World& world, const std::string& kind, std::size_t number, std::uint64_t seed);

}  // namespace pantanal::synthetic

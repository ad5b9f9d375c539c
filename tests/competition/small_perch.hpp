// A Perch of competition windows, five labels and next to no arithmetic.
#pragma once

#include <cstddef>
#include <string>

#include "pantanal/perch/model.hpp"
#include "perch/random_model.hpp"

namespace pantanal::competition {

inline perch::Model small_perch(std::size_t classes = 5) {
  perch::Architecture architecture;
  architecture.frontend.hop_length = 1600;
  architecture.frontend.mel_bands = 16;
  architecture.stem.channels = 4;
  architecture.head.channels = 9;
  architecture.label = {.classes = classes, .prototypes = 2};
  perch::fixtures::append_stages(architecture, {{1, 4, 3, 2, 2}, {1, 5, 3, 2, 2}});
  perch::Model model = perch::fixtures::random_model(architecture, 3);
  for (std::size_t i = 0; i < model.labels.size(); ++i)
    model.labels[i] = (i % 2 == 0 ? "Exemplum fictum" : "Specimen fictum") + std::to_string(i);
  return model;
}

}  // namespace pantanal::competition

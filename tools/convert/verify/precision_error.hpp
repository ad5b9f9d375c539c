// What a smaller dtype costs: a model's outputs beside those of the same model in float32, on audio.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/perch/model.hpp"
#include "pantanal/perch/session.hpp"

namespace pantanal::convert {

struct PrecisionError {
  std::size_t windows = 0;
  double worst_cosine = 1, mean_cosine = 1;  ///< of the embedding with the one in float32
  double worst_l2 = 0, mean_l2 = 0;          ///< ‖embedding - float32's‖ / ‖float32's‖
  double worst_logit = 0;                    ///< largest difference of a logit
  std::size_t first_changes = 0;             ///< windows whose likeliest class is another
  std::size_t compared_ranks = 0;            ///< of all windows, the five likeliest of each
  std::size_t rank_changes = 0;              ///< of these, where another class stands

  /// One line for people.
  std::string text() const;
};

/// Windows to compare on: those of `recordings`, the first 60 and the last of each filled up with zeros;
/// without recordings eight synthetic ones. Flat, [n, samples].
Result<std::vector<float>> comparison_windows(const std::vector<std::filesystem::path>& recordings,
                                              const perch::Frontend& frontend);

/// `model` run with `precision` beside `wide`, all float32, on `windows`.
Result<PrecisionError> precision_error(const perch::Model& wide, const perch::Model& model,
                                       perch::Precision precision, const std::vector<float>& windows);

}  // namespace pantanal::convert

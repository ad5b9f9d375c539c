// Post-processing, step 1: logits over a temperature, and their sigmoid.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/pipeline/matrix.hpp"

namespace pantanal::pipeline {

/// 1/(1+e^−x), x clipped to ±30: the notebook's, for probabilities, never quite 0.
inline float sigmoid(float x) { return 1.0f / (1.0f + std::exp(-std::clamp(x, -30.0f, 30.0f))); }

/// A temperature per class: `texture_temperature` where `texture` is set, else `event_temperature`. The
/// notebook calls the latter that of birds, but gives it to mammals and reptiles too.
inline std::vector<float> class_temperatures(const std::vector<bool>& texture,
                                             float event_temperature = 1.10f,
                                             float texture_temperature = 0.95f) {
  std::vector<float> temperatures;
  for (const bool is_texture : texture)
    temperatures.push_back(is_texture ? texture_temperature : event_temperature);
  return temperatures;
}

/// sigmoid(logits / temperature of the class), [N, C]. Errors: NaN or infinity, temperatures that are not C
/// positive numbers.
inline Result<Scores> temperature_sigmoid(Scores logits, std::span<const float> temperatures) {
  constexpr const char* where = "temperature_sigmoid";
  PANTANAL_TRY_STATUS(detail::check_size(where, logits, logits.rows, temperatures.size()));
  PANTANAL_TRY_STATUS(detail::check_finite(where, logits));
  for (const float temperature : temperatures)
    if (!(temperature > 0 && std::isfinite(temperature)))
      return Error{ErrorCode::invalid_argument, "temperature", std::to_string(temperature),
                   "a positive number"};
  for (std::size_t i = 0; i < logits.rows; ++i)
    for (std::size_t c = 0; c < logits.columns; ++c) logits(i, c) = sigmoid(logits(i, c) / temperatures[c]);
  return logits;
}

}  // namespace pantanal::pipeline

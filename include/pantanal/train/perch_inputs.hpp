// What a part of Perch is trained on, computed once from audio: spectrograms, or what the frozen blocks give.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/perch/session.hpp"
#include "pantanal/train/perch_state.hpp"

namespace pantanal::train {

/// Turns windows of audio into a part's inputs, PerchData::inputs.
class PerchInputs {
 public:
  /// `model` must be valid. Errors: as perch::Session::create and perch_prefix.
  static Result<PerchInputs> create(const perch::Model& model, const autograd::PerchPart& part,
                                    const perch::SessionOptions& options = {}) {
    perch::Model prefix = model;
    if (!part.stem) {
      PANTANAL_TRY(prefix, perch_prefix(model, part.frozen_blocks));
    }
    PANTANAL_TRY(perch::Session session,
                 perch::Session::create(std::make_shared<const perch::Model>(std::move(prefix)), options));
    return PerchInputs(std::move(session), part.stem);
  }

  /// Floats of one window's input.
  std::size_t size() const {
    return stem_ ? session_.output_sizes().spectrogram : session_.output_sizes().spatial_embedding;
  }

  /// windows [n, samples] -> inputs [n, size()]. Errors: as perch::Session::run.
  Status run(std::span<const float> windows, std::size_t n, std::span<float> inputs) {
    perch::Outputs outputs;
    (stem_ ? outputs.spectrogram : outputs.spatial_embedding) = inputs;
    return session_.run(windows, n, outputs);
  }

 private:
  PerchInputs(perch::Session session, bool stem) : session_(std::move(session)), stem_(stem) {}
  perch::Session session_;
  bool stem_;
};

}  // namespace pantanal::train

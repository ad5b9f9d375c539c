// Batch: the windows that are computed together, of whatever recordings, and their results.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "pantanal/core/aligned_buffer.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/perch/session.hpp"
#include "result_writer.hpp"
#include "window_feed.hpp"

namespace pantanal::infer {

/// Allocated once; filled, run, read and cleared again and again.
class Batch {
 public:
  /// Room for `capacity` windows and, per window, as many floats of each output as `sizes` says (0: that
  /// output is not computed).
  Batch(std::size_t capacity, std::size_t samples, const perch::OutputSizes& sizes)
      : capacity_(capacity),
        samples_per_window_(samples),
        sizes_(sizes),
        samples_(capacity * samples),
        embedding_(capacity * sizes.embedding),
        label_(capacity * sizes.label),
        finite_(capacity) {}

  std::size_t size() const { return places_.size(); }
  bool is_full() const { return size() == capacity_; }
  void clear() { places_.clear(); }

  /// There must be room, and the window must have the session's length.
  void add(const FeedWindow& window) {
    std::copy(window.samples.begin(), window.samples.end(), samples_.data() + size() * samples_per_window_);
    places_.push_back({window.recording, window.start_s, window.end_s, {}, {}});
  }

  Status run(perch::Session& session) {
    return session.run(samples_.span().first(size() * samples_per_window_), size(),
                       {.embedding = embedding_.span().first(size() * sizes_.embedding),
                        .label = label_.span().first(size() * sizes_.label),
                        .finite = std::span(finite_).first(size())});
  }

  /// Whether window i has results that may be used, after run().
  bool is_finite(std::size_t i) const { return finite_[i] != 0; }

  /// Of window i, after run().
  WindowResult result(std::size_t i) const {
    WindowResult result = places_[i];
    result.embedding = embedding_.span().subspan(i * sizes_.embedding, sizes_.embedding);
    result.logits = label_.span().subspan(i * sizes_.label, sizes_.label);
    return result;
  }

 private:
  std::size_t capacity_, samples_per_window_;
  perch::OutputSizes sizes_;
  AlignedBuffer<float> samples_, embedding_, label_;
  std::vector<std::uint8_t> finite_;
  std::vector<WindowResult> places_;
};

}  // namespace pantanal::infer

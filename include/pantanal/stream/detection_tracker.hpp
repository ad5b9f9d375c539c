// DetectionTracker: window after window of class scores as detections, each with a beginning and an end.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace pantanal::stream {

/// A class that was heard in one window or several that follow each other.
struct Detection {
  std::size_t label = 0;          ///< its row in the label head
  double start_s = 0, end_s = 0;  ///< from the first window's beginning to the last one's end
  float peak_logit = 0;           ///< the largest
  double peak_s = 0;              ///< where the window with it begins
  std::uint64_t windows = 0;
};

struct DetectionOptions {
  float threshold = 0;    ///< a window counts from this logit on
  double longest_s = 60;  ///< a detection that lasts is reported in pieces of about this length
};

/// A detection is certain, and given out, with the first window that no longer has it. Memory is fixed.
class DetectionTracker {
 public:
  DetectionTracker(std::size_t classes, const DetectionOptions& options) : options_(options), open_(classes) {
    for (std::size_t k = 0; k < classes; ++k) open_[k].label = k;
    ended_.reserve(classes);
  }

  /// Takes the logits [classes] of the window from `start_s` to `end_s`. Returns the detections that are
  /// certain now, classes in order; they last until the next call.
  std::span<const Detection> update(std::span<const float> logits, double start_s, double end_s) {
    ended_.clear();
    for (std::size_t k = 0; k < open_.size(); ++k) {
      const bool heard = logits[k] >= options_.threshold;
      if (open_[k].windows > 0 && (!heard || end_s - open_[k].start_s > options_.longest_s)) close(open_[k]);
      if (heard) extend(open_[k], logits[k], start_s, end_s);
    }
    return ended_;
  }

  /// The stream stops, or something is lost: what is open ends here.
  std::span<const Detection> interrupt() {
    ended_.clear();
    for (Detection& detection : open_)
      if (detection.windows > 0) close(detection);
    return ended_;
  }

 private:
  void close(Detection& detection) {
    ended_.push_back(detection);
    detection.windows = 0;
  }

  static void extend(Detection& detection, float logit, double start_s, double end_s) {
    if (detection.windows == 0) detection.start_s = start_s;
    if (detection.windows == 0 || logit > detection.peak_logit) {
      detection.peak_logit = logit;
      detection.peak_s = start_s;
    }
    detection.end_s = end_s;
    ++detection.windows;
  }

  DetectionOptions options_;
  std::vector<Detection> open_;  ///< per class; of no windows: not heard
  std::vector<Detection> ended_;
};

}  // namespace pantanal::stream

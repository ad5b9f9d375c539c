// StreamEvents: what a stream has to tell, a line of JSON each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/stream/detection_tracker.hpp"
#include "pantanal/stream/perch_stream.hpp"
#include "text_output.hpp"

namespace pantanal::infer {

class StreamEvents {
 public:
  /// `labels` name the classes and must outlive this; `top` is how many of a window's are told.
  StreamEvents(TextOutput output, std::span<const std::string> labels, std::size_t top)
      : output_(std::move(output)), labels_(labels), top_(top) {}

  /// `rate` is the model's.
  Status window(const stream::StreamWindow& window, std::uint32_t rate);
  Status detections(std::span<const stream::Detection> detections);
  /// Between `start_s` and `end_s`, `lost_s` of them.
  Status gap(double start_s, double end_s, double lost_s, std::string_view reason);
  Status end(double duration_s, double recorded_s, std::uint64_t windows, std::string_view reason);

  /// Puts a file in place.
  Status finish() { return output_.finish(); }

  bool reader_is_gone() const { return output_.reader_is_gone(); }

 private:
  Status write(std::string line);

  TextOutput output_;
  std::span<const std::string> labels_;
  std::size_t top_;
};

}  // namespace pantanal::infer

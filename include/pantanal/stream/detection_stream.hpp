// DetectionStream: sound as it comes in to windows' outputs and the detections that are certain with each.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "pantanal/audio/normalize.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/perch/architecture.hpp"
#include "pantanal/perch/session.hpp"
#include "pantanal/stream/detection_tracker.hpp"
#include "pantanal/stream/perch_stream.hpp"
#include "pantanal/stream/rate_converter.hpp"

namespace pantanal::stream {

struct DetectionStreamOptions {
  std::uint32_t rate = 0;      ///< Hz of what is pushed; 0: the model's
  std::uint32_t channels = 1;  ///< interleaved; mixed to one
  double hop_s = 0;            ///< from one window to the next; 0: a window's length
  audio::Normalize normalize = audio::Normalize::none;
  DetectionOptions detections = {};  ///< of at least a window's length
};

/// A window and the detections that ended before it; both last until the stream is used again.
struct HeardWindow {
  StreamWindow window;
  std::span<const Detection> detections;  ///< classes in order
};

/// A PerchStream and a DetectionTracker of its windows: push() until it takes no more, next() until it gives
/// no more, after finish() the last_detections(). A window without results ends what is open.
class DetectionStream {
 public:
  /// `make_converter(from, to)` returns a Result of a RateConverter, for another rate than the model's; it
  /// may return none, which is an error. Errors: hop_s not 0 and not one sample to a window's length, a
  /// threshold that is not finite, detections shorter than a window, those of PerchStream::create and of
  /// make_converter.
  template <class MakeConverter>
  static Result<DetectionStream> create(perch::Session session, const DetectionStreamOptions& options,
                                        MakeConverter make_converter) {
    const perch::Frontend& frontend = session.model().architecture.frontend;
    const auto model_rate = static_cast<std::uint32_t>(frontend.sample_rate);
    PANTANAL_TRY_STATUS(check(options, frontend));
    const StreamOptions stream_options{
        .rate = options.rate ? options.rate : model_rate,
        .channels = options.channels,
        .hop = static_cast<std::size_t>(std::llround(options.hop_s * static_cast<double>(model_rate))),
        .normalize = options.normalize};
    std::unique_ptr<RateConverter> converter;
    if (stream_options.rate != model_rate) {
      PANTANAL_TRY(converter, make_converter(stream_options.rate, model_rate));
    }
    DetectionTracker tracker(session.model().architecture.label.classes, options.detections);
    PANTANAL_TRY(PerchStream stream,
                 PerchStream::create(std::move(session), stream_options, std::move(converter)));
    return DetectionStream(std::move(stream), std::move(tracker));
  }

  /// What is pushed and what windows there are; push(), mark_gap() and finish() are its own.
  PerchStream& stream() { return stream_; }
  const PerchStream& stream() const { return stream_; }

  /// As PerchStream::next, and the detections that are certain with that window.
  Result<std::optional<HeardWindow>> next() {
    PANTANAL_TRY(const std::optional<StreamWindow> window, stream_.next());
    if (!window) return std::optional<HeardWindow>();
    return std::optional(HeardWindow{
        *window, window->label.empty() ? tracker_.interrupt()
                                       : tracker_.update(window->label, window->start_s, window->end_s)});
  }

  /// Ends what is open, after the last window or where the caller knows that something is lost.
  std::span<const Detection> last_detections() { return tracker_.interrupt(); }

 private:
  DetectionStream(PerchStream stream, DetectionTracker tracker)
      : stream_(std::move(stream)), tracker_(std::move(tracker)) {}

  static Status check(const DetectionStreamOptions& options, const perch::Frontend& frontend) {
    const auto rate = static_cast<double>(frontend.sample_rate),
               length = static_cast<double>(frontend.samples) / rate;
    const auto text = [](double number) {
      char digits[32];
      std::snprintf(digits, sizeof digits, "%g", number);
      return std::string(digits);
    };
    const auto failure = [&](const char* where, const std::string& found, std::string expected) {
      return Error{ErrorCode::invalid_argument, where, found, std::move(expected)};
    };
    if (!(options.hop_s >= 0 && options.hop_s <= length) ||
        (options.hop_s > 0 && std::round(options.hop_s * rate) < 1))
      return failure("hop_s", text(options.hop_s) + " s",
                     "seconds, from one sample to a window's " + text(length));
    if (!std::isfinite(options.detections.threshold))
      return failure("threshold", text(options.detections.threshold), "a finite logit");
    if (!(options.detections.longest_s >= length))
      return failure("longest_s", text(options.detections.longest_s) + " s",
                     "seconds, at least a window's " + text(length));
    return {};
  }

  PerchStream stream_;
  DetectionTracker tracker_;
};

}  // namespace pantanal::stream

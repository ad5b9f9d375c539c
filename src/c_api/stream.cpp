// Streams.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "guard.hpp"
#include "handles.hpp"
#ifdef PANTANAL_HAVE_SOXR
#include "pantanal/stream/soxr_converter.hpp"
#endif

using namespace pantanal;
using c_api::guarded, c_api::required;

struct pantanal_stream {
  stream::PerchStream windows;
  stream::DetectionTracker tracker;
  pantanal_window window = {};
  std::vector<pantanal_detection> detections = {};
  std::vector<float> block = {};  ///< of 16-bit samples, as floats
};

namespace {

Result<std::unique_ptr<stream::RateConverter>> converter([[maybe_unused]] std::uint32_t from,
                                                         [[maybe_unused]] std::uint32_t to) {
#ifdef PANTANAL_HAVE_SOXR
  if (from != to) return stream::SoxrConverter::create(from, to);
#endif
  return std::unique_ptr<stream::RateConverter>();
}

Result<stream::StreamOptions> stream_options(const pantanal_stream_options& given,
                                             const perch::Frontend& frontend) {
  const auto rate = static_cast<double>(frontend.sample_rate),
             longest = static_cast<double>(frontend.samples) / rate;
  if (!(given.hop_s >= 0 && given.hop_s <= longest) ||
      (given.hop_s > 0 && std::round(given.hop_s * rate) < 1))
    return Error{ErrorCode::invalid_argument, "hop_s", std::to_string(given.hop_s) + " s",
                 "0, or one sample to a window's " + std::to_string(longest) + " s"};
  if (!std::isfinite(given.threshold))
    return Error{ErrorCode::invalid_argument, "threshold", std::to_string(given.threshold), "a finite logit"};
  if (!(given.longest_s >= longest))
    return Error{ErrorCode::invalid_argument, "longest_s", std::to_string(given.longest_s) + " s",
                 "at least a window's " + std::to_string(longest) + " s"};
  return stream::StreamOptions{
      .rate = given.sample_rate ? given.sample_rate : static_cast<std::uint32_t>(frontend.sample_rate),
      .channels = given.channels,
      .hop = static_cast<std::size_t>(std::round(given.hop_s * rate)),
      .normalize = given.normalize_peak ? audio::Normalize::peak : audio::Normalize::none};
}

void take(pantanal_stream& stream, std::span<const stream::Detection> ended) {
  stream.detections.clear();
  for (const stream::Detection& d : ended)
    stream.detections.push_back({d.label, d.start_s, d.end_s, d.peak_s, d.peak_logit, d.windows});
}

Status push(pantanal_stream* stream, const void* samples, size_t frames, size_t* taken) {
  PANTANAL_TRY_STATUS(required(stream, "stream"));
  PANTANAL_TRY_STATUS(required(taken, "taken"));
  if (frames > 0) PANTANAL_TRY_STATUS(required(samples, "samples"));
  const std::size_t channels = stream->windows.options().channels;
  if (frames > PTRDIFF_MAX / sizeof(float) / channels)
    return Error{ErrorCode::invalid_argument, "frames", std::to_string(frames), "as many as memory holds"};
  *taken = 0;
  return {};
}

}  // namespace

void pantanal_stream_options_init(pantanal_stream_options* options) {
  if (options) *options = {sizeof *options, 0, 1, 0, 0, 1, 0, 60};
}

pantanal_status pantanal_stream_create(const pantanal_model* model, const pantanal_stream_options* options,
                                       pantanal_stream** stream) {
  return guarded([&]() -> Status {
    PANTANAL_TRY_STATUS(required(model, "model"));
    PANTANAL_TRY_STATUS(required(stream, "stream"));
    PANTANAL_TRY(const pantanal_stream_options given,
                 c_api::read_options(options, pantanal_stream_options_init));
    const perch::Architecture& architecture = model->model->architecture;
    PANTANAL_TRY(const stream::StreamOptions resolved, stream_options(given, architecture.frontend));
    PANTANAL_TRY(auto other_rate,
                 converter(resolved.rate, static_cast<std::uint32_t>(architecture.frontend.sample_rate)));
    PANTANAL_TRY(perch::Session session,
                 perch::Session::create(model->model, {.threads = given.threads, .batch = 1}));
    PANTANAL_TRY(stream::PerchStream windows,
                 stream::PerchStream::create(std::move(session), resolved, std::move(other_rate)));
    stream::DetectionTracker tracker(architecture.label.classes, {given.threshold, given.longest_s});
    auto created = std::make_unique<pantanal_stream>(pantanal_stream{std::move(windows), std::move(tracker)});
    created->detections.reserve(architecture.label.classes);
    created->block.resize(std::size_t{4096} / resolved.channels * resolved.channels);
    *stream = created.release();
    return {};
  });
}

void pantanal_stream_free(pantanal_stream* stream) { delete stream; }

pantanal_status pantanal_stream_push(pantanal_stream* stream, const float* samples, size_t frames,
                                     size_t* taken) {
  return guarded([&]() -> Status {
    PANTANAL_TRY_STATUS(push(stream, samples, frames, taken));
    PANTANAL_TRY(*taken,
                 stream->windows.push(std::span(samples, frames * stream->windows.options().channels)));
    return {};
  });
}

pantanal_status pantanal_stream_push_int16(pantanal_stream* stream, const int16_t* samples, size_t frames,
                                           size_t* taken) {
  return guarded([&]() -> Status {
    PANTANAL_TRY_STATUS(push(stream, samples, frames, taken));
    const std::size_t channels = stream->windows.options().channels, most = stream->block.size() / channels;
    while (*taken < frames) {
      const std::size_t block = std::min(most, frames - *taken);
      std::transform(samples + *taken * channels, samples + (*taken + block) * channels,
                     stream->block.begin(), [](std::int16_t x) { return static_cast<float>(x) * 0x1p-15f; });
      PANTANAL_TRY(const std::size_t done,
                   stream->windows.push(std::span(stream->block).first(block * channels)));
      *taken += done;
      if (done < block) break;
    }
    return {};
  });
}

pantanal_status pantanal_stream_mark_gap(pantanal_stream* stream, uint64_t frames) {
  return guarded([&]() -> Status {
    PANTANAL_TRY_STATUS(required(stream, "stream"));
    return stream->windows.mark_gap(frames);
  });
}

pantanal_status pantanal_stream_finish(pantanal_stream* stream) {
  return guarded([&]() -> Status {
    PANTANAL_TRY_STATUS(required(stream, "stream"));
    stream->windows.finish();
    return {};
  });
}

pantanal_status pantanal_stream_next(pantanal_stream* stream, const pantanal_window** window) {
  return guarded([&]() -> Status {
    PANTANAL_TRY_STATUS(required(stream, "stream"));
    PANTANAL_TRY_STATUS(required(window, "window"));
    *window = nullptr;
    PANTANAL_TRY(const auto next, stream->windows.next());
    if (!next) return {};
    take(*stream, next->label.empty() ? stream->tracker.interrupt()
                                      : stream->tracker.update(next->label, next->start_s, next->end_s));
    const auto pointer = [](std::span<const float> values) {
      return values.empty() ? nullptr : values.data();
    };
    stream->window = {next->index,
                      next->start_s,
                      next->end_s,
                      next->samples,
                      next->recorded,
                      pointer(next->embedding),
                      pointer(next->label),
                      stream->detections.data(),
                      stream->detections.size()};
    *window = &stream->window;
    return {};
  });
}

pantanal_status pantanal_stream_last_detections(pantanal_stream* stream,
                                                const pantanal_detection** detections, size_t* count) {
  return guarded([&]() -> Status {
    PANTANAL_TRY_STATUS(required(stream, "stream"));
    PANTANAL_TRY_STATUS(required(detections, "detections"));
    PANTANAL_TRY_STATUS(required(count, "count"));
    take(*stream, stream->tracker.interrupt());
    *detections = stream->detections.data();
    *count = stream->detections.size();
    return {};
  });
}

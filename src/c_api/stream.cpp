// Streams.
#include <algorithm>
#include <cstddef>
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
#else
#include "pantanal/stream/polyphase_converter.hpp"
#endif

using namespace pantanal;
using c_api::guarded, c_api::required;

struct pantanal_stream {
  stream::DetectionStream heard;
  pantanal_window window = {};
  std::vector<pantanal_detection> detections = {};
  std::vector<float> block = {};  ///< of 16-bit samples, as floats
};

namespace {

/// libsoxr gives what files of another rate give; a build without it does with the library's own.
Result<std::unique_ptr<stream::RateConverter>> converter(std::uint32_t from, std::uint32_t to) {
#ifdef PANTANAL_HAVE_SOXR
  return stream::SoxrConverter::create(from, to);
#else
  return stream::PolyphaseConverter::create(from, to);
#endif
}

stream::DetectionStreamOptions stream_options(const pantanal_stream_options& given) {
  return {.rate = given.sample_rate,
          .channels = given.channels,
          .hop_s = given.hop_s,
          .normalize = given.normalize_peak ? audio::Normalize::peak : audio::Normalize::none,
          .detections = {given.threshold, given.longest_s}};
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
  const std::size_t channels = stream->heard.stream().options().channels;
  if (frames > PTRDIFF_MAX / sizeof(float) / channels)
    return Error{ErrorCode::invalid_argument, "frames", std::to_string(frames), "as many as memory holds"};
  *taken = 0;
  return {};
}

}  // namespace

void pantanal_stream_options_defaults(pantanal_stream_options* options, size_t size) {
  c_api::write_defaults<pantanal_stream_options>(options, size, {0, 0, 1, 0, 0, 1, 0, 60, nullptr});
}

pantanal_status pantanal_stream_create(const pantanal_model* model, const pantanal_stream_options* options,
                                       pantanal_stream** stream) {
  return guarded([&]() -> Status {
    PANTANAL_TRY_STATUS(required(model, "model"));
    PANTANAL_TRY_STATUS(required(stream, "stream"));
    PANTANAL_TRY(
        const pantanal_stream_options given,
        c_api::read_options(
            options, pantanal_stream_options_init,
            {offsetof(pantanal_stream_options, sample_rate), offsetof(pantanal_stream_options, channels),
             offsetof(pantanal_stream_options, hop_s), offsetof(pantanal_stream_options, normalize_peak),
             offsetof(pantanal_stream_options, threads), offsetof(pantanal_stream_options, threshold),
             offsetof(pantanal_stream_options, longest_s),
             offsetof(pantanal_stream_options, packed_weights)}));
    PANTANAL_TRY(
        perch::Session session,
        perch::Session::create(
            model->model,
            {.threads = given.threads, .batch = 1, .packed_weights = c_api::path_of(given.packed_weights)}));
    PANTANAL_TRY(stream::DetectionStream heard,
                 stream::DetectionStream::create(std::move(session), stream_options(given), converter));
    auto created = std::make_unique<pantanal_stream>(pantanal_stream{std::move(heard)});
    created->detections.reserve(model->model->architecture.label.classes);
    created->block.resize(std::size_t{4096} / given.channels * given.channels);
    *stream = created.release();
    return {};
  });
}

pantanal_status pantanal_stream_packed_weights(const pantanal_stream* stream) {
  return guarded([&]() -> Status {
    PANTANAL_TRY_STATUS(required(stream, "stream"));
    return stream->heard.stream().session().packed_weights();
  });
}

void pantanal_stream_free(pantanal_stream* stream) { delete stream; }

pantanal_status pantanal_stream_push(pantanal_stream* stream, const float* samples, size_t frames,
                                     size_t* taken) {
  return guarded([&]() -> Status {
    PANTANAL_TRY_STATUS(push(stream, samples, frames, taken));
    PANTANAL_TRY(*taken, stream->heard.stream().push(
                             std::span(samples, frames * stream->heard.stream().options().channels)));
    return {};
  });
}

pantanal_status pantanal_stream_push_int16(pantanal_stream* stream, const int16_t* samples, size_t frames,
                                           size_t* taken) {
  return guarded([&]() -> Status {
    PANTANAL_TRY_STATUS(push(stream, samples, frames, taken));
    const std::size_t channels = stream->heard.stream().options().channels,
                      most = stream->block.size() / channels;
    while (*taken < frames) {
      const std::size_t block = std::min(most, frames - *taken);
      std::transform(samples + *taken * channels, samples + (*taken + block) * channels,
                     stream->block.begin(), [](std::int16_t x) { return static_cast<float>(x) * 0x1p-15f; });
      PANTANAL_TRY(const std::size_t done,
                   stream->heard.stream().push(std::span(stream->block).first(block * channels)));
      *taken += done;
      if (done < block) break;
    }
    return {};
  });
}

pantanal_status pantanal_stream_mark_gap(pantanal_stream* stream, uint64_t frames) {
  return guarded([&]() -> Status {
    PANTANAL_TRY_STATUS(required(stream, "stream"));
    return stream->heard.stream().mark_gap(frames);
  });
}

pantanal_status pantanal_stream_finish(pantanal_stream* stream) {
  return guarded([&]() -> Status {
    PANTANAL_TRY_STATUS(required(stream, "stream"));
    stream->heard.stream().finish();
    return {};
  });
}

pantanal_status pantanal_stream_next(pantanal_stream* stream, const pantanal_window** window) {
  return guarded([&]() -> Status {
    PANTANAL_TRY_STATUS(required(stream, "stream"));
    PANTANAL_TRY_STATUS(required(window, "window"));
    *window = nullptr;
    PANTANAL_TRY(const auto heard, stream->heard.next());
    if (!heard) return {};
    take(*stream, heard->detections);
    const stream::StreamWindow& next = heard->window;
    const auto pointer = [](std::span<const float> values) {
      return values.empty() ? nullptr : values.data();
    };
    stream->window = {next.index,
                      next.start_s,
                      next.end_s,
                      next.samples,
                      next.recorded,
                      pointer(next.embedding),
                      pointer(next.label),
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
    take(*stream, stream->heard.last_detections());
    *detections = stream->detections.data();
    *count = stream->detections.size();
    return {};
  });
}

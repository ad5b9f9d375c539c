// SoxrConverter: libsoxr at a stream's pace, with the results of pantanal/audio/resample.hpp.
#pragma once

#include <soxr.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "pantanal/audio/source.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/stream/rate_converter.hpp"

namespace pantanal::stream {

class SoxrConverter final : public RateConverter {
 public:
  /// From `from` to `to` Hz. Errors: invalid_argument for a rate out of bounds, internal where soxr cannot do
  /// it.
  static Result<std::unique_ptr<RateConverter>> create(std::uint32_t from, std::uint32_t to) {
    for (const std::uint32_t rate : {from, to})
      if (rate < audio::lowest_rate || rate > audio::highest_rate)
        return Error{
            ErrorCode::invalid_argument, "sample rate", std::to_string(rate) + " Hz",
            std::to_string(audio::lowest_rate) + " to " + std::to_string(audio::highest_rate) + " Hz"};
    const soxr_io_spec_t samples = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
    const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
    const soxr_runtime_spec_t one_thread = soxr_runtime_spec(1);
    soxr_error_t error = nullptr;
    Handle handle(soxr_create(from, to, 1, &error, &samples, &quality, &one_thread));
    if (!handle || error)
      return Error{ErrorCode::internal, "sample rate",
                   "no resampler from " + std::to_string(from) + " to " + std::to_string(to) + " Hz", ""};
    return std::unique_ptr<RateConverter>(new SoxrConverter(std::move(handle)));
  }

  Result<Progress> convert(std::span<const float> in, std::span<float> out) override {
    Progress progress;
    PANTANAL_TRY_STATUS(checked(soxr_process(handle_.get(), in.data(), in.size(), &progress.used, out.data(),
                                             out.size(), &progress.made)));
    return progress;
  }

  Result<std::size_t> drain(std::span<float> out) override {
    std::size_t made = 0;
    PANTANAL_TRY_STATUS(
        checked(soxr_process(handle_.get(), nullptr, 0, nullptr, out.data(), out.size(), &made)));
    return made;
  }

 private:
  struct Delete {
    void operator()(soxr_t handle) const { soxr_delete(handle); }
  };
  using Handle = std::unique_ptr<soxr, Delete>;

  explicit SoxrConverter(Handle handle) : handle_(std::move(handle)) {}

  static Status checked(soxr_error_t error) {
    if (!error) return {};
    return Error{ErrorCode::internal, "sample rate", std::string("soxr: ") + error, ""};
  }

  Handle handle_;
};

}  // namespace pantanal::stream

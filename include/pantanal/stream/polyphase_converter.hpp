// PolyphaseConverter: a RateConverter of the library's own, for builds without libsoxr.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/audio/source.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/stream/polyphase_filter.hpp"
#include "pantanal/stream/rate_converter.hpp"

namespace pantanal::stream {

/// Rates whose ratio is a fraction of small numbers have a row of the filter for every phase; others
/// interpolate between rows close enough that the error stays 115 dB below the signal. At most 2 MB, nothing
/// allocated after create().
class PolyphaseConverter final : public RateConverter {
 public:
  /// From `from` to `to` Hz. Errors: invalid_argument for a rate out of bounds, or one a thousand times the
  /// other.
  static Result<std::unique_ptr<RateConverter>> create(std::uint32_t from, std::uint32_t to) {
    constexpr std::uint32_t largest_ratio = 1000;
    for (const std::uint32_t rate : {from, to})
      if (rate < audio::lowest_rate || rate > audio::highest_rate)
        return Error{
            ErrorCode::invalid_argument, "sample rate", std::to_string(rate) + " Hz",
            std::to_string(audio::lowest_rate) + " to " + std::to_string(audio::highest_rate) + " Hz"};
    if (from / to >= largest_ratio || to / from >= largest_ratio)
      return Error{ErrorCode::invalid_argument, "sample rate",
                   std::to_string(from) + " Hz to be made " + std::to_string(to) + " Hz",
                   "less than " + std::to_string(largest_ratio) + " times the other"};
    return std::unique_ptr<RateConverter>(new PolyphaseConverter(from, to));
  }

  Result<Progress> convert(std::span<const float> in, std::span<float> out) override {
    Progress progress;
    while (progress.made < out.size()) {
      if (const std::size_t made = make(out.subspan(progress.made)); made > 0) {
        progress.made += made;
        continue;
      }
      const std::size_t taken = take(in.subspan(progress.used));
      if (taken == 0) break;
      progress.used += taken;
    }
    return progress;
  }

  Result<std::size_t> drain(std::span<float> out) override {
    constexpr std::array<float, 256> silence{};
    std::size_t made = 0;
    while (made < out.size()) {
      if (const std::size_t more = make(out.subspan(made)); more > 0) {
        made += more;
        continue;
      }
      const std::uint64_t held = taken_ - drained_ + filter_.taps();  // when the filter has left the sound
      if (taken_ >= held) break;
      drained_ += take(std::span(silence).first(
          static_cast<std::size_t>(std::min<std::uint64_t>(silence.size(), held - taken_))));
    }
    return made;
  }

 private:
  static constexpr std::size_t block = 4096;

  PolyphaseConverter(std::uint32_t from, std::uint32_t to)
      : steps_(to / std::gcd(from, to)),
        stride_(from / std::gcd(from, to)),
        filter_(static_cast<double>(to) / from, phases_for(from, to)),
        held_(filter_.taps() + std::max<std::size_t>(block, from / to + 1)),
        end_(filter_.taps() / 2 - 1) {}

  /// All there are, or so many that a straight line between two errs by 2e-6 at most: its second derivative
  /// is at most the filter's band, (pi ratio)^2, of which an eighth counts.
  static std::size_t phases_for(std::uint32_t from, std::uint32_t to) {
    const double band = std::min(1.0, static_cast<double>(to) / from);
    const auto enough = static_cast<std::size_t>(std::ceil(1024 * band));
    const std::size_t all = to / std::gcd(from, to);
    return all <= 2 * enough ? all : enough;
  }

  /// Copies from the front of `in` what has room behind what is held.
  std::size_t take(std::span<const float> in) {
    if (held_.size() - end_ < in.size() && begin_ > 0) {
      std::copy(held_.begin() + static_cast<std::ptrdiff_t>(begin_),
                held_.begin() + static_cast<std::ptrdiff_t>(end_), held_.begin());
      end_ -= begin_;
      sound_end_ -= std::min(sound_end_, begin_);
      begin_ = 0;
    }
    const std::size_t count = std::min(in.size(), held_.size() - end_);
    std::ranges::copy(in.first(count), held_.begin() + static_cast<std::ptrdiff_t>(end_));
    for (std::size_t i = count; i > 0; --i)
      if (in[i - 1] != 0) {
        sound_end_ = end_ + i;
        break;
      }
    end_ += count;
    taken_ += count;
    return count;
  }

  /// Output for which all input is there.
  std::size_t make(std::span<float> out) {
    std::size_t made = 0;
    const std::size_t taps = filter_.taps();
    while (made < out.size()) {
      const std::size_t jump = std::min(jump_, end_ - begin_);  // what is not needed any more
      begin_ += jump;
      jump_ -= jump;
      if (jump_ > 0 || end_ - begin_ < taps) break;
      out[made++] = begin_ >= sound_end_ ? 0.0f : sample(&held_[begin_]);  // gaps are long
      step_ += stride_;
      jump_ = static_cast<std::size_t>(step_ / steps_);
      step_ %= steps_;
    }
    return made;
  }

  float sample(const float* x) const {
    const std::uint64_t position = step_ * filter_.phases();
    const auto phase = static_cast<std::size_t>(position / steps_);
    const float value = dot(filter_.row(phase), x, filter_.taps());
    if (position % steps_ == 0) return value;
    const float after = static_cast<float>(position % steps_) / static_cast<float>(steps_);
    return value + after * (dot(filter_.row(phase + 1), x, filter_.taps()) - value);
  }

  /// In 16 sums, which compilers keep in vectors. `n` is a multiple of 16.
  static float dot(const float* a, const float* b, std::size_t n) {
    std::array<float, 16> sums{};
    for (std::size_t i = 0; i < n; i += sums.size())
      for (std::size_t j = 0; j < sums.size(); ++j) sums[j] += a[i + j] * b[i + j];
    for (std::size_t half = sums.size() / 2; half > 0; half /= 2)
      for (std::size_t j = 0; j < half; ++j) sums[j] += sums[j + half];
    return sums[0];
  }

  std::uint64_t steps_,
      stride_;  ///< an output sample is stride / steps of an input sample after the last one
  PolyphaseFilter filter_;
  std::vector<float> held_;                ///< input, zeros before the first
  std::size_t begin_ = 0, end_;            ///< of what is still needed
  std::size_t sound_end_ = 0;              ///< from there on, what is held is zeros
  std::size_t jump_ = 0;                   ///< input samples that the next output skips
  std::uint64_t step_ = 0;                 ///< of `steps_`: where the next output lies
  std::uint64_t taken_ = 0, drained_ = 0;  ///< samples of input; of them silence after the end
};

}  // namespace pantanal::stream

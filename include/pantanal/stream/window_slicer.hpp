// WindowSlicer: an endless run of samples as windows that may overlap, and what of each was really recorded.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace pantanal::stream {

/// A window, as long as nothing is added to or taken from its slicer.
struct SlicedWindow {
  std::uint64_t index = 0;
  std::uint64_t begin = 0;  ///< its first sample, counted from the stream's
  std::size_t recorded =
      0;  ///< samples that are the recording's; the others, of gaps or after the end, are zeros
  std::span<const float> samples;  ///< [samples]
};

/// Window i is samples [i * hop, i * hop + samples). Holds one window, takes no more than fits it and
/// allocates nothing after its construction: whoever feeds it must take the window that is ready before he
/// can go on.
class WindowSlicer {
 public:
  /// 1 <= hop <= samples.
  WindowSlicer(std::size_t samples, std::size_t hop) : buffer_(samples), hop_(hop) {}

  /// How many samples can be added: none while a window is ready.
  std::size_t room() const { return ended_ ? 0 : buffer_.size() - filled_; }

  /// Samples added so far.
  std::uint64_t position() const { return begin_ + filled_; }

  /// Adds at most room() samples.
  void push(std::span<const float> samples) {
    std::ranges::copy(samples, buffer_.begin() + static_cast<std::ptrdiff_t>(filled_));
    filled_ += samples.size();
  }

  /// Says that samples [begin, end) of the stream stand in for what was lost. Marks come in order and may
  /// reach into the future. Of more than fit, which would take as many gaps in two windows, neighbours are
  /// joined: what was recorded between them counts as lost.
  void mark_gap(std::uint64_t begin, std::uint64_t end) {
    if (begin >= end) return;
    if (gaps_ > 0 && (begin <= gap_[gaps_ - 1].end || gaps_ == gap_.size())) {
      gap_[gaps_ - 1].end = std::max(gap_[gaps_ - 1].end, end);
      return;
    }
    gap_[gaps_++] = {begin, end};
  }

  /// No sample follows: the last window, if there is something that no window had, is filled up with zeros.
  void end() { ended_ = true; }

  bool ready() const { return filled_ == buffer_.size() || (ended_ && filled_ > seen_); }

  /// The window that is ready.
  SlicedWindow window() {
    std::fill(buffer_.begin() + static_cast<std::ptrdiff_t>(filled_), buffer_.end(), 0.0f);
    return {index_, begin_, filled_ - lost_samples(), buffer_};
  }

  /// On to the next window.
  void advance() {
    const std::size_t left = filled_ > hop_ ? filled_ - hop_ : 0;
    std::copy_n(buffer_.begin() + static_cast<std::ptrdiff_t>(filled_ - left), left, buffer_.begin());
    filled_ = seen_ = left;
    begin_ += hop_;
    ++index_;
    forget_gaps();
  }

 private:
  struct Gap {
    std::uint64_t begin = 0, end = 0;
  };

  std::size_t lost_samples() const {
    std::uint64_t lost = 0;
    for (std::size_t i = 0; i < gaps_; ++i) {
      const std::uint64_t first = std::max(gap_[i].begin, begin_), last = std::min(gap_[i].end, position());
      if (first < last) lost += last - first;
    }
    return static_cast<std::size_t>(lost);
  }

  void forget_gaps() {
    const auto kept = std::remove_if(gap_.begin(), gap_.begin() + static_cast<std::ptrdiff_t>(gaps_),
                                     [this](const Gap& gap) { return gap.end <= begin_; });
    gaps_ = static_cast<std::size_t>(kept - gap_.begin());
  }

  std::vector<float> buffer_;
  std::size_t hop_, filled_ = 0;
  std::size_t seen_ = 0;  ///< of the samples held, those that an earlier window had
  std::uint64_t begin_ = 0, index_ = 0;
  std::array<Gap, 64> gap_;
  std::size_t gaps_ = 0;
  bool ended_ = false;
};

}  // namespace pantanal::stream

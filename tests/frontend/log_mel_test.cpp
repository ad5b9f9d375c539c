// LogMel of every instruction set against the direct transform in double.
#include "pantanal/frontend/log_mel.hpp"

#include <cmath>

#include "kernels/guarded.hpp"
#include "pantanal/kernels/reference.hpp"

namespace pantanal::frontend {
namespace {

std::vector<float> hann(std::size_t n) {
  std::vector<float> window(n);
  for (std::size_t i = 0; i < n; ++i) {
    const double phase = 2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(n - 1);
    window[i] = static_cast<float>((0.5 - 0.5 * std::cos(phase)) / (0.5 * static_cast<double>(n - 1)));
  }
  return window;
}

/// Overlapping triangles, the first band empty.
std::vector<float> triangles(std::size_t bins, std::size_t bands) {
  std::vector<float> mel(bins * bands);
  const double step = static_cast<double>(bins) / static_cast<double>(bands + 1);
  for (std::size_t b = 0; b < bins; ++b)
    for (std::size_t m = 1; m < bands; ++m)
      mel[b * bands + m] = static_cast<float>(
          std::max(0.0, 1 - std::abs(static_cast<double>(b) - step * static_cast<double>(m + 1)) / step));
  return mel;
}

std::vector<float> run(const LogMel& log_mel, std::span<const float> samples, std::size_t threads) {
  std::vector<float> padded(log_mel.padded_size());
  std::vector<float> spectrogram(log_mel.options().frames() * log_mel.options().mel_bands);
  std::vector<AlignedBuffer<float>> scratch;
  for (std::size_t t = 0; t < threads; ++t) scratch.emplace_back(log_mel.scratch_size());
  parallel_team(threads, [&](const Team& team) {
    log_mel.run(team, samples, spectrogram.data(), padded.data(), scratch[team.rank()].data());
  });
  return spectrogram;
}

TEST(LogMel, AgreesWithTheDirectTransform) {
  const LogMelOptions shapes[] = {{.samples = 3200, .mel_bands = 20},
                                  {.samples = 1000,
                                   .pad_left = 0,
                                   .pad_right = 7,
                                   .frame_length = 100,
                                   .hop_length = 33,
                                   .fft_size = 128,
                                   .mel_bands = 9},
                                  {.samples = 999,
                                   .pad_left = 20,
                                   .pad_right = 0,
                                   .frame_length = 255,
                                   .hop_length = 255,
                                   .fft_size = 256,
                                   .mel_bands = 5},
                                  {.samples = 64,
                                   .pad_left = 1,
                                   .pad_right = 1,
                                   .frame_length = 4,
                                   .hop_length = 1,
                                   .fft_size = 4,
                                   .mel_bands = 2}};
  for (const LogMelOptions& o : shapes) {
    const std::vector<float> window = hann(o.frame_length), mel = triangles(o.fft_size / 2 + 1, o.mel_bands);
    const std::vector<float> samples = kernels::random_floats(o.samples, 5, 0.1f);
    std::vector<float> padded(o.pad_left);
    padded.insert(padded.end(), samples.begin(), samples.end());
    padded.resize(o.pad_left + o.samples + o.pad_right);
    const std::vector<double> expected =
        kernels::reference::log_mel(padded, o.frames(), o.hop_length, o.fft_size, window, mel, o.mel_bands,
                                    double{o.floor}, double{o.scale});
    for (const kernels::KernelTable* table : kernels::all_tables()) {
      const std::vector<float> found = run(LogMel(*table, o, window, mel), samples, 1);
      ASSERT_EQ(found.size(), expected.size());
      for (std::size_t i = 0; i < found.size(); ++i)
        ASSERT_NEAR(found[i], expected[i], 2e-7)
            << to_string(table->isa) << " fft " << o.fft_size << " at " << i;
      EXPECT_EQ(run(LogMel(*table, o, window, mel), samples, 3), found) << to_string(table->isa);
    }
  }
}

/// A loud tone beside near-silence: what a float transform would drown in its own rounding.
TEST(LogMel, KeepsQuietBandsBesideALoudTone) {
  const LogMelOptions o{.samples = 6400, .mel_bands = 64};
  const std::vector<float> window = hann(o.frame_length), mel = triangles(513, o.mel_bands);
  std::vector<float> samples = kernels::random_floats(o.samples, 5, 1e-5f);
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] += std::sin(0.2f * static_cast<float>(i));
  std::vector<float> padded(160);
  padded.insert(padded.end(), samples.begin(), samples.end());
  padded.resize(o.samples + 320);
  const std::vector<double> expected =
      kernels::reference::log_mel(padded, o.frames(), 320, 1024, window, mel, 64, 1e-5, 0.1);
  for (const kernels::KernelTable* table : kernels::all_tables()) {
    const std::vector<float> found = run(LogMel(*table, o, window, mel), samples, 1);
    for (std::size_t i = 0; i < found.size(); ++i)
      ASSERT_NEAR(found[i], expected[i], 1e-6) << to_string(table->isa);
  }
}

}  // namespace
}  // namespace pantanal::frontend

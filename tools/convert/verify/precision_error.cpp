#include "verify/precision_error.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <numeric>
#include <span>

#include "verify/audio_like_window.hpp"

#if defined(PANTANAL_CONVERT_AUDIO)
#include "pantanal/audio/load_audio.hpp"
#endif

namespace pantanal::convert {
namespace {

constexpr std::size_t synthetic_windows = 8, most_windows = 60, ranks = 5;

struct Answers {
  std::vector<float> embedding, label;
};

Result<Answers> run(const perch::Model& model, perch::Precision precision, const std::vector<float>& windows,
                    std::size_t count) {
  PANTANAL_TRY(perch::Session session,
               perch::Session::create(std::make_shared<const perch::Model>(model), {.precision = precision}));
  const perch::OutputSizes sizes = session.output_sizes();
  Answers answers{std::vector<float>(count * sizes.embedding), std::vector<float>(count * sizes.label)};
  PANTANAL_TRY_STATUS(session.run(windows, count, {.embedding = answers.embedding, .label = answers.label}));
  return answers;
}

/// The likeliest classes, equals in order.
std::vector<std::size_t> likeliest(std::span<const float> logits) {
  std::vector<std::size_t> order(logits.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const std::size_t kept = std::min(ranks, order.size());
  std::partial_sort(
      order.begin(), order.begin() + static_cast<std::ptrdiff_t>(kept), order.end(),
      [&](std::size_t a, std::size_t b) { return logits[a] != logits[b] ? logits[a] > logits[b] : a < b; });
  order.resize(kept);
  return order;
}

void add_embedding(PrecisionError& error, std::span<const float> found, std::span<const float> expected) {
  double product = 0, square = 0, expected_square = 0, difference = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double a = found[i], b = expected[i];
    product += a * b, square += a * a, expected_square += b * b, difference += (a - b) * (a - b);
  }
  const bool silent = square == 0 || expected_square == 0;
  const double cosine = silent ? (square == expected_square) : product / std::sqrt(square * expected_square);
  const double l2 = difference == 0 ? 0 : std::sqrt(difference / expected_square);
  const auto share = 1.0 / static_cast<double>(error.windows);
  error.worst_cosine = std::min(error.worst_cosine, cosine), error.mean_cosine += (cosine - 1) * share;
  error.worst_l2 = std::max(error.worst_l2, l2), error.mean_l2 += l2 * share;
}

void add_label(PrecisionError& error, std::span<const float> found, std::span<const float> expected) {
  for (std::size_t i = 0; i < found.size(); ++i)
    error.worst_logit = std::max(error.worst_logit, std::abs(double{found[i]} - double{expected[i]}));
  const std::vector<std::size_t> a = likeliest(found), b = likeliest(expected);
  error.compared_ranks += b.size();
  for (std::size_t i = 0; i < b.size(); ++i) error.rank_changes += a[i] != b[i];
  if (!b.empty()) error.first_changes += a[0] != b[0];
}

}  // namespace

std::string PrecisionError::text() const {
  char line[320];
  int size = std::snprintf(
      line, sizeof line, "embedding on %zu windows: cosine %.6f (worst %.6f), relative L2 %.1e (worst %.1e)",
      windows, mean_cosine, worst_cosine, mean_l2, worst_l2);
  if (compared_ranks > 0)
    std::snprintf(
        line + size, sizeof line - static_cast<std::size_t>(size),
        "; logits within %.1e, another likeliest class in %zu windows, %zu of %zu first %zu ranks changed",
        worst_logit, first_changes, rank_changes, compared_ranks, ranks);
  return line;
}

Result<std::vector<float>> comparison_windows(const std::vector<std::filesystem::path>& recordings,
                                              const perch::Frontend& frontend) {
  std::vector<float> windows;
  for (std::size_t i = 0; recordings.empty() && i < synthetic_windows; ++i) {
    const std::vector<float> window = audio_like_window(frontend.samples, i + 1);
    windows.insert(windows.end(), window.begin(), window.end());
  }
  for (const std::filesystem::path& path : recordings) {
#if defined(PANTANAL_CONVERT_AUDIO)
    PANTANAL_TRY(const std::vector<float> samples,
                 audio::load_audio(path, static_cast<std::uint32_t>(frontend.sample_rate)));
    windows.insert(windows.end(), samples.begin(), samples.end());
    windows.resize((windows.size() + frontend.samples - 1) / frontend.samples * frontend.samples);
    windows.resize(std::min(windows.size(), most_windows * frontend.samples));
#else
    return Error{ErrorCode::unsupported, path.string(), "a recording, in a build without audio",
                 "PANTANAL_WITH_AUDIO, or no --audio"};
#endif
  }
  return windows;
}

Result<PrecisionError> precision_error(const perch::Model& wide, const perch::Model& model,
                                       perch::Precision precision, const std::vector<float>& windows) {
  PrecisionError error;
  error.windows = windows.size() / wide.architecture.frontend.samples;
  PANTANAL_TRY(const Answers expected, run(wide, perch::Precision::fp32, windows, error.windows));
  PANTANAL_TRY(const Answers found, run(model, precision, windows, error.windows));
  const std::size_t channels = wide.architecture.head.channels, classes = wide.architecture.label.classes;
  for (std::size_t w = 0; w < error.windows; ++w) {
    add_embedding(error, std::span(found.embedding).subspan(w * channels, channels),
                  std::span(expected.embedding).subspan(w * channels, channels));
    add_label(error, std::span(found.label).subspan(w * classes, classes),
              std::span(expected.label).subspan(w * classes, classes));
  }
  return error;
}

}  // namespace pantanal::convert

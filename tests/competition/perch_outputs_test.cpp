#include "pantanal/competition/perch_outputs.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "competition/small_perch.hpp"
#include "core/refused.hpp"

namespace pantanal::competition {
namespace {

using pipeline::Scores;

perch::Session session_of(perch::Model model) {
  return *perch::Session::create(std::make_shared<const perch::Model>(std::move(model)), {.threads = 2});
}

std::vector<float> tones() {
  std::vector<float> samples(soundscape_samples);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double t = static_cast<double>(i) / soundscape_rate, window = std::floor(t / 5);
    samples[i] = static_cast<float>(0.1 * std::sin(t * 6.28 * (400 + 300 * window)));
  }
  return samples;
}

TEST(PerchOutputs, AreTheSessionsWindowByWindow) {
  perch::Session session = session_of(small_perch());
  ASSERT_TRUE(succeeded(check_competition_model(session)));
  const std::vector<float> samples = tones();
  pipeline::PerchMapping mapping{5, {2, pipeline::PerchMapping::no_label, 0}, {{1, "G", {3, 4}}}};
  const auto outputs = perch_outputs(session, samples, "dir/BC2026_Test_1_S07_20250101_230000.ogg", mapping,
                                     pipeline::ProxyReduce::max);
  ASSERT_TRUE(succeeded(outputs));
  EXPECT_EQ(outputs->files(), 1u);
  EXPECT_EQ(outputs->meta[3].row_id, "BC2026_Test_1_S07_20250101_230000_20");
  EXPECT_EQ(outputs->meta[3].place.site, "S07");
  for (std::size_t w = 0; w < 12; ++w) {
    std::vector<float> emb(9), label(5);
    ASSERT_TRUE(succeeded(session.run(std::span(samples).subspan(w * samples_per_window, samples_per_window),
                                      1, {.embedding = emb, .label = label})));
    EXPECT_TRUE(std::ranges::equal(outputs->emb.row(w), emb));
    EXPECT_EQ(outputs->scores(w, 0), label[2]);
    EXPECT_EQ(outputs->scores(w, 1), std::max(label[3], label[4]));
    EXPECT_EQ(outputs->scores(w, 2), label[0]);
  }
  EXPECT_NE(outputs->emb(0, 0), outputs->emb(5, 0));
}

TEST(PerchOutputs, AreTheSameFromTheLabelsThatAreReadAlone) {
  constexpr std::size_t none = pipeline::PerchMapping::no_label;
  const auto whole = std::make_shared<const perch::Model>(small_perch(40));
  const pipeline::PerchMapping mapping{40, {17, none, 3, none}, {{1, "G", {3, 20, 39}}}};
  const auto kept = keep_mapped_labels(whole, mapping);
  ASSERT_TRUE(succeeded(kept));
  EXPECT_EQ(kept->mapping.n_labels, 4u);
  EXPECT_EQ(kept->model->labels[1], whole->labels[17]);
  const auto scores = [&](const perch::Model& model, const pipeline::PerchMapping& by) {
    perch::Session session = session_of(model);
    return perch_outputs(session, tones(), "a.ogg", by, pipeline::ProxyReduce::mean)->scores.values;
  };
  EXPECT_EQ(scores(*kept->model, kept->mapping), scores(*whole, mapping));
  const auto nothing = keep_mapped_labels(whole, {40, {none}, {}});
  ASSERT_TRUE(succeeded(nothing));
  EXPECT_EQ(nothing->model, whole);
  EXPECT_TRUE(refused(keep_mapped_labels(whole, {41, {3}, {}}), ErrorCode::mismatch, {"40", "41"}));
}

TEST(PerchOutputs, AreAppendedFileByFile) {
  PerchOutputs all, one{{{"a_5", "a", {}}}, Scores(1, 2, 3), Scores(1, 4, 5)};
  all.append(one);
  all.append(one);
  EXPECT_EQ(all.meta.size(), 2u);
  EXPECT_EQ(all.scores.rows, 2u);
  EXPECT_EQ(all.emb.values, std::vector<float>(8, 5));
}

TEST(PerchOutputs, RefusesWindowsThatOverflow) {
  perch::Session session = session_of(small_perch());
  std::vector<float> samples = tones();
  for (std::size_t i = 0; i < samples_per_window; ++i)
    samples[3 * samples_per_window + i] = i / 16 % 2 == 0 ? 3e38f : -3e38f;
  EXPECT_TRUE(refused(run_perch(session, samples, "a.ogg"), ErrorCode::unsupported, {"a.ogg: window 3"}));
  samples[5] = std::nanf("");
  EXPECT_FALSE(run_perch(session, samples, "a.ogg"));
}

TEST(PerchOutputs, NeedsAModelWithLabelsAndWindowsOfFiveSeconds) {
  EXPECT_TRUE(
      refused(check_competition_model(session_of(small_perch(0))), ErrorCode::unsupported, {"label"}));
  const auto tiny = perch::fixtures::random_model(perch::fixtures::tiny_architecture(), 1);
  EXPECT_TRUE(
      refused(check_competition_model(session_of(tiny)), ErrorCode::unsupported, {"16000", "160000"}));
}

}  // namespace
}  // namespace pantanal::competition

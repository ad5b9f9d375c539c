// Session against the double reference, on every instruction set of this CPU, and against itself on other
// threads.
#include "pantanal/perch/session.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <vector>

#include "pantanal/perch/reference.hpp"
#include "perch/random_model.hpp"

namespace pantanal::perch {
namespace {

constexpr InstructionSet all_sets[] = {InstructionSet::portable, InstructionSet::avx2,
                                       InstructionSet::avx512};

/// Noise, a tone, silence and clipping, in turn.
std::vector<float> signal(std::size_t windows, std::size_t samples) {
  std::mt19937 random(7);
  std::normal_distribution<float> noise(0, 0.1f);
  std::vector<float> x(windows * samples);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const float t = static_cast<float>(i % samples);
    const std::size_t kind = i / samples % 4;
    if (kind == 0) x[i] = noise(random);
    if (kind == 1) x[i] = 0.3f * std::sin(0.2f * t) + 0.1f * noise(random);
    if (kind == 3) x[i] = std::clamp(20 * noise(random), -1.0f, 1.0f);
  }
  return x;
}

struct OutputValues {
  std::vector<float> embedding, spatial, spectrogram, label;
};

OutputValues run(Session& session, const std::vector<float>& x, std::size_t n) {
  const OutputSizes sizes = session.output_sizes();
  OutputValues r{std::vector<float>(n * sizes.embedding), std::vector<float>(n * sizes.spatial_embedding),
                 std::vector<float>(n * sizes.spectrogram), std::vector<float>(n * sizes.label)};
  const Status status = session.run(x, n, {r.embedding, r.spatial, r.spectrogram, r.label});
  EXPECT_TRUE(status) << status.error().message();
  return r;
}

/// ‖a - b‖ / ‖b‖ of window w.
double relative(const std::vector<float>& a, const std::vector<double>& b, std::size_t w) {
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    difference += std::pow(double{a[w * b.size() + i]} - b[i], 2);
    norm += b[i] * b[i];
  }
  return std::sqrt(difference / norm);
}

double largest(const std::vector<float>& a, const std::vector<double>& b, std::size_t w) {
  double most = 0;
  for (std::size_t i = 0; i < b.size(); ++i)
    most = std::max(most, std::abs(double{a[w * b.size() + i]} - b[i]));
  return most;
}

std::shared_ptr<const Model> tiny_model() {
  return std::make_shared<Model>(fixtures::random_model(fixtures::tiny_architecture(), 3));
}

TEST(Session, AgreesWithTheDoubleReferenceOnEveryInstructionSet) {
  const auto model = tiny_model();
  constexpr std::size_t n = 4;
  const std::size_t samples = model->architecture.frontend.samples;
  const std::vector<float> x = signal(n, samples);
  std::vector<reference::Stages> expected;
  for (std::size_t w = 0; w < n; ++w)
    expected.push_back(reference::run(*model, std::span(x).subspan(w * samples, samples)));
  for (const InstructionSet isa : all_sets) {
    if (!is_supported(isa)) continue;
    SCOPED_TRACE(to_string(isa));
    auto session = Session::create(model, {.threads = 1, .isa = isa});
    ASSERT_TRUE(session) << session.error().message();
    const OutputValues found = run(*session, x, n);
    for (std::size_t w = 0; w < n; ++w) {
      SCOPED_TRACE(w);
      EXPECT_LT(largest(found.spectrogram, expected[w].spectrogram, w), 1e-6);
      EXPECT_LT(relative(found.spatial, expected[w].spatial_embedding, w), 1e-5);
      EXPECT_LT(relative(found.embedding, expected[w].embedding, w), 1e-5);
      EXPECT_LT(largest(found.label, expected[w].label, w), 1e-5);
    }
  }
}

TEST(Session, GivesTheSameBytesForAnyThreadsAndBatch) {
  const auto model = tiny_model();
  constexpr std::size_t n = 5;
  const std::vector<float> x = signal(n, model->architecture.frontend.samples);
  auto one = Session::create(model, {.threads = 1, .batch = n});
  ASSERT_TRUE(one);
  const OutputValues expected = run(*one, x, n);
  for (const std::size_t threads : {2, 3, 4})
    for (const std::size_t batch : {1, 2, 3, 5}) {
      SCOPED_TRACE(testing::Message() << threads << " threads, batch " << batch);
      auto session = Session::create(model, {.threads = threads, .batch = batch});
      ASSERT_TRUE(session);
      const OutputValues found = run(*session, x, n);
      EXPECT_EQ(found.spectrogram, expected.spectrogram);
      EXPECT_EQ(found.spatial, expected.spatial);
      EXPECT_EQ(found.embedding, expected.embedding);
      EXPECT_EQ(found.label, expected.label);
    }
}

TEST(Session, ComputesWhatIsAskedForAlone) {
  const auto model = tiny_model();
  const std::vector<float> x = signal(2, model->architecture.frontend.samples);
  auto session = Session::create(model, {.threads = 2});
  ASSERT_TRUE(session);
  const OutputValues all = run(*session, x, 2);
  std::vector<float> embedding(all.embedding.size()), label(all.label.size()),
      spectrogram(all.spectrogram.size());
  ASSERT_TRUE(session->run(x, 2, {.embedding = embedding}));
  ASSERT_TRUE(session->run(x, 2, {.label = label}));
  ASSERT_TRUE(session->run(x, 2, {.spectrogram = spectrogram}));
  EXPECT_EQ(embedding, all.embedding);
  EXPECT_EQ(label, all.label);
  EXPECT_EQ(spectrogram, all.spectrogram);
  EXPECT_TRUE(session->run({}, 0, {}));
}

TEST(Session, SilenceGivesTheFloorEverywhere) {
  const auto model = tiny_model();
  const Frontend& f = model->architecture.frontend;
  auto session = Session::create(model, {.threads = 1});
  ASSERT_TRUE(session);
  const OutputValues found = run(*session, std::vector<float>(f.samples), 1);
  for (const float x : found.spectrogram) ASSERT_NEAR(x, f.scale * std::log(f.floor), 1e-6);
  for (const float x : found.embedding) ASSERT_TRUE(std::isfinite(x));
}

TEST(Session, RefusesWrongSizesAndNonFiniteSamples) {
  const auto model = tiny_model();
  const std::size_t samples = model->architecture.frontend.samples;
  auto session = Session::create(model, {.threads = 1});
  ASSERT_TRUE(session);
  std::vector<float> x(2 * samples), label(session->output_sizes().label);
  const auto expect_error = [&](std::span<const float> windows, std::size_t n, const Outputs& outputs,
                                const char* part) {
    const Status status = session->run(windows, n, outputs);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::invalid_argument);
    EXPECT_NE(status.error().message().find(part), std::string::npos) << status.error().message();
  };
  expect_error(std::span(x).first(samples), 2, {}, "windows");
  expect_error(x, 2, {.label = label}, "label");
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    x[samples + 3] = bad;
    expect_error(x, 2, {}, "window 1, sample 3");
  }
  EXPECT_FALSE(Session::create(nullptr));
  EXPECT_FALSE(Session::create(model, {.threads = 100000}));
}

TEST(Session, LoudInputStaysFinite) {
  const auto model = tiny_model();
  auto session = Session::create(model, {.threads = 1});
  ASSERT_TRUE(session);
  std::vector<float> x = signal(1, model->architecture.frontend.samples);
  for (float& v : x) v *= 1e6f;
  const OutputValues found = run(*session, x, 1);
  for (const float v : found.spatial) ASSERT_TRUE(std::isfinite(v));
  for (const float v : found.label) ASSERT_TRUE(std::isfinite(v));
}

}  // namespace
}  // namespace pantanal::perch

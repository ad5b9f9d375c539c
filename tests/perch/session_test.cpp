// Session against the double reference, on every instruction set of this CPU, and against itself on other
// threads.
#include "pantanal/perch/session.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "pantanal/perch/reference.hpp"
#include "perch/random_model.hpp"
#include "perch/session_runs.hpp"

namespace pantanal::perch {
namespace {

TEST(Session, AgreesWithTheDoubleReferenceOnEveryInstructionSet) {
  const auto model = shared_tiny_model();
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
  const auto model = shared_tiny_model();
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

/// At the full label head's depth, on a spatial embedding whose positions resemble each other.
TEST(Session, ScreeningChangesNoBitOfTheLabels) {
  Architecture architecture = fixtures::tiny_architecture();
  architecture.head.channels = 1536;
  architecture.label.classes = 100;
  const auto model = std::make_shared<Model>(fixtures::random_model(architecture, 3));
  constexpr std::size_t n = 4;
  const std::vector<float> x = signal(n, architecture.frontend.samples);
  for (const InstructionSet isa : all_sets) {
    if (!is_supported(isa)) continue;
    auto exact = Session::create(model, {.threads = 1, .isa = isa, .screen = LabelScreen::never});
    ASSERT_TRUE(exact);
    const OutputValues expected = run(*exact, x, n);
    for (const std::size_t threads : {1, 2}) {
      auto screened =
          Session::create(model, {.threads = threads, .batch = 3, .isa = isa, .screen = LabelScreen::always});
      ASSERT_TRUE(screened);
      EXPECT_EQ(run(*screened, x, n).label, expected.label)
          << to_string(isa) << ", " << threads << " threads";
    }
  }
}

TEST(Session, ComputesWhatIsAskedForAlone) {
  const auto model = shared_tiny_model();
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
  const auto model = shared_tiny_model();
  const Frontend& f = model->architecture.frontend;
  auto session = Session::create(model, {.threads = 1});
  ASSERT_TRUE(session);
  const OutputValues found = run(*session, std::vector<float>(f.samples), 1);
  for (const float x : found.spectrogram) ASSERT_NEAR(x, f.scale * std::log(f.floor), 1e-6);
  for (const float x : found.embedding) ASSERT_TRUE(std::isfinite(x));
}

TEST(Session, RefusesWrongSizesAndNonFiniteSamples) {
  const auto model = shared_tiny_model();
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
  expect_error({}, std::size_t{1} << 59, {}, "windows");  // times 16000 samples is 0 in 64 bits
  std::vector<std::uint8_t> finite(1);
  expect_error(x, 2, {.finite = finite}, "finite");
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    x[samples + 3] = bad;
    expect_error(x, 2, {}, "window 1, sample 3");
  }
  EXPECT_FALSE(Session::create(nullptr));
  EXPECT_FALSE(Session::create(model, {.threads = 100000}));
}

TEST(Session, AsksBetweenBatchesWhetherItIsCancelled) {
  const auto model = shared_tiny_model();
  auto session = Session::create(model, {.threads = 1, .batch = 2});
  ASSERT_TRUE(session);
  const std::vector<float> x = signal(5, model->architecture.frontend.samples);
  std::vector<float> embedding(5 * session->output_sizes().embedding);
  int asked = 0;
  ASSERT_TRUE(session->run(x, 5, {.embedding = embedding}, [&] { return ++asked > 2; }));
  EXPECT_EQ(asked, 2);
  const Status status = session->run(x, 5, {.embedding = embedding}, [&] { return ++asked > 3; });
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message().find("cancellation after 4 windows"), std::string::npos)
      << status.error().message();
}

TEST(Session, LoudInputStaysFinite) {
  const auto model = shared_tiny_model();
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

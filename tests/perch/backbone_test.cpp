// A Session with a backbone that is not its own.
#include "pantanal/perch/backbone.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/guarded.hpp"
#include "pantanal/perch/session.hpp"
#include "perch/random_model.hpp"

namespace pantanal::perch {
namespace {

/// What a CountingBackbone saw.
struct Calls {
  std::atomic<std::size_t> of_member[2] = {0, 0};
  std::atomic<std::size_t> fails_from = SIZE_MAX;  ///< calls that succeed
};

/// Every embedding is the spectrogram's first value.
class CountingBackbone final : public Backbone {
 public:
  CountingBackbone(const Architecture& architecture, Calls& calls)
      : floats_(architecture.extents().back().positions() * pixel_stride(architecture.head.channels)),
        calls_(&calls) {}

  Status run(std::size_t member, const float* spectrogram, float* spatial) override {
    ++calls_->of_member[member];
    if (calls_->of_member[0] + calls_->of_member[1] > calls_->fails_from)
      return Error{ErrorCode::unsupported, "CountingBackbone", "a call too many", "fewer"};
    std::fill_n(spatial, floats_, spectrogram[0]);
    return {};
  }

 private:
  std::size_t floats_;
  Calls* calls_;
};

class SessionWithBackbone : public ::testing::Test {
 protected:
  SessionOptions options() {
    return {.threads = 2, .batch = 4, .backbone = [this](const Model& model, std::size_t threads) {
              EXPECT_EQ(threads, 2u);
              return Result<std::unique_ptr<Backbone>>(
                  std::make_unique<CountingBackbone>(model.architecture, calls_));
            }};
  }

  std::shared_ptr<const Model> model_ =
      std::make_shared<const Model>(fixtures::random_model(fixtures::smallest_architecture(), 3));
  Calls calls_;
};

TEST_F(SessionWithBackbone, GivesEachMemberWholeWindowsAndTheFirstWhatIsLeft) {
  auto session = Session::create(model_, options());
  ASSERT_TRUE(session) << session.error().message();
  constexpr std::size_t windows = 7;
  const std::vector<float> x = kernels::random_floats(windows * model_->architecture.frontend.samples, 5);
  const OutputSizes sizes = session->output_sizes();
  std::vector<float> embedding(windows * sizes.embedding), spectrogram(windows * sizes.spectrogram);
  ASSERT_TRUE(session->run(x, windows, {.embedding = embedding, .spectrogram = spectrogram}));
  EXPECT_EQ(calls_.of_member[0], 4u);  // 2 of the first four, 1 and the odd one of the last three
  EXPECT_EQ(calls_.of_member[1], 3u);
  for (std::size_t i = 0; i < embedding.size(); ++i)
    EXPECT_FLOAT_EQ(embedding[i], spectrogram[i / sizes.embedding * sizes.spectrogram]) << i;
}

TEST_F(SessionWithBackbone, ReportsItsFailuresAndGoesOnAfterwards) {
  auto session = Session::create(model_, options());
  ASSERT_TRUE(session);
  const std::vector<float> x = kernels::random_floats(2 * model_->architecture.frontend.samples, 5);
  std::vector<float> embedding(2 * session->output_sizes().embedding);
  calls_.fails_from = 1;
  const Status failed = session->run(x, 2, {.embedding = embedding});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().where, "CountingBackbone");
  calls_.fails_from = SIZE_MAX;
  EXPECT_TRUE(session->run(x, 2, {.embedding = embedding}));
}

TEST_F(SessionWithBackbone, IsNotMadeWithoutIt) {
  SessionOptions refused = options();
  refused.backbone = [](const Model&, std::size_t) -> Result<std::unique_ptr<Backbone>> {
    return Error{ErrorCode::unsupported, "nobody", "no backbone", "one"};
  };
  const auto session = Session::create(model_, refused);
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().where, "nobody");
}

}  // namespace
}  // namespace pantanal::perch

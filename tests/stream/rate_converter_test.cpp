#include "pantanal/stream/rate_converter.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "pantanal/stream/perch_stream.hpp"
#include "perch/random_model.hpp"

namespace pantanal::stream {
namespace {

/// Takes every other sample, and none at all from the `stops_after`th on.
class Halving final : public RateConverter {
 public:
  explicit Halving(std::size_t stops_after) : left_(stops_after) {}

  Result<Progress> convert(std::span<const float> in, std::span<float> out) override {
    const std::size_t made = std::min({in.size() / 2, out.size(), left_});
    for (std::size_t i = 0; i < made; ++i) out[i] = in[2 * i];
    left_ -= made;
    return Progress{std::min(in.size(), 2 * made + (made == 0 && left_ > 0 ? 1 : 0)), made};
  }

  Result<std::size_t> drain(std::span<float>) override { return std::size_t{0}; }

 private:
  std::size_t left_;
};

Result<PerchStream> stream(std::size_t stops_after) {
  auto model = std::make_shared<perch::Model>(
      perch::fixtures::random_model(perch::fixtures::smallest_architecture(), 3));
  return PerchStream::create(*perch::Session::create(model, {.threads = 1, .batch = 1}), {.rate = 64000},
                             std::make_unique<Halving>(stops_after));
}

TEST(RateConverter, AnyOneServesAStream) {
  auto live = stream(1000);
  ASSERT_TRUE(live);
  EXPECT_EQ(*live->push(std::vector<float>(128, 0.1f)), 128u);
  const auto window = live->next();
  ASSERT_TRUE(window && *window);
  EXPECT_EQ((*window)->recorded, 64u);
}

TEST(RateConverter, OneThatStandsStillIsAnErrorAndNoEndlessLoop) {
  auto live = stream(10);
  ASSERT_TRUE(live);
  EXPECT_FALSE(live->push(std::vector<float>(128, 0.1f)));

  auto short_of_its_end = stream(1000);
  ASSERT_TRUE(short_of_its_end);
  ASSERT_TRUE(short_of_its_end->push(std::vector<float>(3, 0.1f)));
  short_of_its_end->finish();
  EXPECT_FALSE(short_of_its_end->next());
}

}  // namespace
}  // namespace pantanal::stream

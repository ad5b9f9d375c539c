#include "pantanal/stream/soxr_converter.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

namespace pantanal::stream {
namespace {

TEST(SoxrConverter, KeepsATone) {
  auto converter = *SoxrConverter::create(48000, 32000);
  std::vector<float> in(48000), out(32000);
  for (std::size_t t = 0; t < in.size(); ++t)
    in[t] = static_cast<float>(std::sin(2 * std::numbers::pi * 1000 * static_cast<double>(t) / 48000));
  std::size_t used = 0, made = 0;
  while (used < in.size()) {
    const auto progress =
        converter->convert(std::span(in).subspan(used, std::min<std::size_t>(1001, in.size() - used)),
                           std::span(out).subspan(made));
    ASSERT_TRUE(progress);
    used += progress->used, made += progress->made;
  }
  while (made < out.size()) {
    const auto drained = converter->drain(std::span(out).subspan(made));
    ASSERT_TRUE(drained);
    ASSERT_GT(*drained, 0u);
    made += *drained;
  }
  for (std::size_t t = 2000; t < 30000; ++t)
    ASSERT_NEAR(out[t], std::sin(2 * std::numbers::pi * 1000 * static_cast<double>(t) / 32000), 1e-5) << t;
}

TEST(SoxrConverter, RefusesRatesOutOfBounds) {
  EXPECT_FALSE(SoxrConverter::create(0, 32000));
  EXPECT_FALSE(SoxrConverter::create(48000, 20'000'000));
}

}  // namespace
}  // namespace pantanal::stream

#include "pantanal/core/finite.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <limits>
#include <span>
#include <vector>

namespace pantanal {
namespace {

using Limits = std::numeric_limits<float>;

TEST(AllFinite, AcceptsTheExtremesOfFiniteNumbers) {
  const std::vector<float> values = {0.0f,
                                     -0.0f,
                                     Limits::max(),
                                     Limits::lowest(),
                                     Limits::min(),
                                     Limits::denorm_min(),
                                     -Limits::denorm_min(),
                                     1.0f,
                                     -1.0f,
                                     Limits::max(),
                                     Limits::max()};
  for (std::size_t size = 0; size <= values.size(); ++size)
    EXPECT_TRUE(all_finite(std::span(values).first(size))) << size;
}

TEST(AllFinite, FindsOneBadValueAnywhere) {
  const float bad[] = {Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(), -Limits::quiet_NaN(),
                       Limits::signaling_NaN()};
  for (std::size_t size = 1; size <= 40; ++size)
    for (std::size_t place = 0; place < size; ++place)
      for (const float value : bad) {
        std::vector<float> values(size, -Limits::max());
        values[place] = value;
        EXPECT_FALSE(all_finite(values)) << value << " at " << place << " of " << size;
      }
}

TEST(AllFinite, LooksOnlyAtTheSpan) {
  std::vector<float> values(12, 1.0f);
  values.front() = values.back() = Limits::quiet_NaN();
  EXPECT_TRUE(all_finite(std::span(values).subspan(1, 10)));
}

}  // namespace
}  // namespace pantanal

#include "pantanal/heads/session.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/refused.hpp"

namespace pantanal::heads::detail {
namespace {

constexpr auto code = ErrorCode::invalid_argument;

TEST(ResolveOptions, FillsInThreadsAndBoundsTheBlock) {
  const auto resolved =
      resolve({.threads = 0, .rows_per_block = 0, .isa = InstructionSet::portable}, "Model");
  ASSERT_TRUE(succeeded(resolved));
  EXPECT_GE(resolved->threads, 1u);
  EXPECT_EQ(resolved->rows_per_block, 1u);
  EXPECT_TRUE(refused(resolve({.threads = 4096}, "Model"), code, {"Model", "4096 threads"}));
}

TEST(CheckInput, CountsRowsAndFindsTheOneThatIsNotFinite) {
  std::vector<float> values(6, 1.0f);
  EXPECT_TRUE(succeeded(check_input("x", values, 3, 2)));
  EXPECT_TRUE(succeeded(check_input("x", {}, 3, 2, true)));
  EXPECT_TRUE(refused(check_input("x", {}, 3, 2), code, {"x", "0 floats", "3 x 2"}));
  EXPECT_TRUE(refused(check_input("x", values, 2, 4), code, {"6 floats"}));
  values[5] = INFINITY;
  EXPECT_TRUE(refused(check_input("x", values, 3, 2), code, {"x, window 2"}));
}

TEST(CheckOutput, AllowsNone) {
  EXPECT_TRUE(succeeded(check_output("y", 0, 3, 2)));
  EXPECT_TRUE(succeeded(check_output("y", 6, 3, 2)));
  EXPECT_TRUE(refused(check_output("y", 5, 3, 2), code, {"y", "5 floats", "3 x 2"}));
  EXPECT_TRUE(refused(check_output("y", 5, 3, 0), code, {"3 x 0"}));
}

TEST(CheckExtents, NamesTheField) {
  EXPECT_TRUE(succeeded(check_extents("Config", {{"d", 1}, {"n", 1048576}})));
  EXPECT_TRUE(refused(check_extents("Config", {{"d", 1}, {"n", 0}}), code, {"Config.n", "0"}));
  EXPECT_TRUE(refused(check_extents("Config", {{"d", 1048577}}), code, {"Config.d", "1048577"}));
}

}  // namespace
}  // namespace pantanal::heads::detail

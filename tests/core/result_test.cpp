#include "pantanal/core/result.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace pantanal {
namespace {

Error sample_error() { return {ErrorCode::mismatch, "stem.bias", "shape [3]", "shape [40]"}; }

Result<int> half(int x) {
  if (x % 2) return sample_error();
  return x / 2;
}

Result<int> quarter(int x) {
  PANTANAL_TRY(const int first, half(x));
  PANTANAL_TRY(const int second, half(first));
  return second;
}

Status even(int x) {
  PANTANAL_TRY_STATUS(x % 2 ? Status(sample_error()) : Status());
  return {};
}

TEST(Error, MessageSaysWhereWhatWasFoundAndWhatWasExpected) {
  EXPECT_EQ(sample_error().message(), "stem.bias: mismatch: found shape [3], expected shape [40]");
  EXPECT_EQ((Error{ErrorCode::io, "a.wav", "permission denied", ""}.message()),
            "a.wav: io error: found permission denied");
  EXPECT_EQ((Error{ErrorCode::not_found, "", "", "a file"}.message()), "not found: expected a file");
}

TEST(Result, HoldsAValueOrAnError) {
  EXPECT_TRUE(half(4));
  EXPECT_EQ(*half(4), 2);
  EXPECT_FALSE(half(3));
  EXPECT_EQ(half(3).error().where, "stem.bias");
}

TEST(Result, TryPassesTheFirstErrorOn) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_FALSE(quarter(6));
  EXPECT_EQ(quarter(6).error().code, ErrorCode::mismatch);
  EXPECT_TRUE(even(2));
  EXPECT_EQ(even(3).error().found, "shape [3]");
}

TEST(Result, MovesMoveOnlyValues) {
  Result<std::unique_ptr<int>> result(std::make_unique<int>(7));
  const std::unique_ptr<int> value = *std::move(result);
  EXPECT_EQ(*value, 7);
}

TEST(ErrorCode, EveryCodeHasAName) {
  for (const ErrorCode code :
       {ErrorCode::invalid_argument, ErrorCode::not_found, ErrorCode::io, ErrorCode::corrupt,
        ErrorCode::unsupported, ErrorCode::mismatch, ErrorCode::internal})
    EXPECT_STRNE(to_string(code), "unknown error");
}

}  // namespace
}  // namespace pantanal

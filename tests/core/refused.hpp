// refused(): an assertion that something failed, in the way it should and saying what it should.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>

#include "pantanal/core/result.hpp"

namespace pantanal {

/// Whether `result` is an error of this code whose message holds every one of `words`.
template <class T>
::testing::AssertionResult refused(const Result<T>& result, ErrorCode code,
                                   std::initializer_list<std::string_view> words = {}) {
  if (result) return ::testing::AssertionFailure() << "it succeeded";
  const std::string message = result.error().message();
  if (result.error().code != code)
    return ::testing::AssertionFailure()
           << "\"" << message << "\" is not the error \"" << to_string(code) << "\"";
  for (const std::string_view word : words)
    if (message.find(word) == message.npos)
      return ::testing::AssertionFailure() << "\"" << message << "\" does not say \"" << word << "\"";
  return ::testing::AssertionSuccess() << message;
}

/// Whether `result` holds a value; the failure says what the error is.
template <class T>
::testing::AssertionResult succeeded(const Result<T>& result) {
  if (result) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << result.error().message();
}

}  // namespace pantanal

// Finiteness of whole arrays, at memory speed.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>

namespace pantanal {

/// Whether no element is NaN or infinite. True for an empty span.
///
/// Two floats at a time: an exponent of all ones, and nothing else, carries into the sign bit that the mask
/// cleared when one is added to it. It needs no vector instructions and no fast-math promises.
inline bool all_finite(std::span<const float> values) {
  constexpr std::uint64_t without_signs = 0x7fffffff7fffffff, one_in_exponents = 0x0080000000800000,
                          signs = 0x8000000080000000;
  constexpr std::size_t step = 8;
  const auto carry = [](const float* pair) {
    std::uint64_t bits;
    std::memcpy(&bits, pair, sizeof bits);
    return (bits & without_signs) + one_in_exponents;
  };
  const float* const data = values.data();
  std::uint64_t a = 0, b = 0;
  std::size_t i = 0;
  for (; i + step <= values.size(); i += step) {
    a |= carry(data + i) | carry(data + i + 2);
    b |= carry(data + i + 4) | carry(data + i + 6);
  }
  for (; i < values.size(); ++i) {
    const float pair[2] = {data[i], 0.0f};
    a |= carry(pair);
  }
  return ((a | b) & signs) == 0;
}

}  // namespace pantanal

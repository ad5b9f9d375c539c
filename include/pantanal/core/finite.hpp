// Finiteness of whole arrays, at memory speed.
#pragma once

#include <algorithm>
#include <cstddef>
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
  const auto pair = [](const float* two) {
    std::uint64_t bits;
    std::memcpy(&bits, two, sizeof bits);
    return (bits & without_signs) + one_in_exponents;
  };
  const auto scan = [pair](const float* p) { return pair(p) | pair(p + 2) | pair(p + 4) | pair(p + 6); };
  std::uint64_t carries = 0;
  std::size_t i = 0;
  for (; i + step <= values.size(); i += step) carries |= scan(values.data() + i);
  float rest[step] = {};
  std::copy(values.begin() + static_cast<std::ptrdiff_t>(i), values.end(), rest);
  return ((carries | scan(rest)) & signs) == 0;
}

}  // namespace pantanal

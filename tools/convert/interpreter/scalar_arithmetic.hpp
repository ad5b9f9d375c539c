// Arithmetic of single elements under one name for both kinds of number. Integers wrap around instead of
// overflowing, so that no graph leads to undefined behaviour; real minima and maxima keep NaN.
#pragma once

#include <cmath>
#include <concepts>
#include <cstdint>

namespace pantanal::convert::interpreter {

inline std::uint64_t bits(std::int64_t value) { return static_cast<std::uint64_t>(value); }
inline std::int64_t wrapped(std::uint64_t value) { return static_cast<std::int64_t>(value); }

inline std::int64_t add(std::int64_t a, std::int64_t b) { return wrapped(bits(a) + bits(b)); }
inline std::int64_t subtract(std::int64_t a, std::int64_t b) { return wrapped(bits(a) - bits(b)); }
inline std::int64_t multiply(std::int64_t a, std::int64_t b) { return wrapped(bits(a) * bits(b)); }
inline std::int64_t negate(std::int64_t a) { return wrapped(0 - bits(a)); }
inline std::int64_t smaller(std::int64_t a, std::int64_t b) { return a < b ? a : b; }
inline std::int64_t larger(std::int64_t a, std::int64_t b) { return a > b ? a : b; }

template <std::floating_point Real>
Real add(Real a, Real b) {
  return a + b;
}
template <std::floating_point Real>
Real subtract(Real a, Real b) {
  return a - b;
}
template <std::floating_point Real>
Real multiply(Real a, Real b) {
  return a * b;
}
template <std::floating_point Real>
Real negate(Real a) {
  return -a;
}
template <std::floating_point Real>
Real smaller(Real a, Real b) {
  return a < b || std::isnan(a) ? a : b;
}
template <std::floating_point Real>
Real larger(Real a, Real b) {
  return a > b || std::isnan(a) ? a : b;
}

/// Whether a replaces b as the largest so far: NaN does, and is not replaced.
inline bool exceeds(std::int64_t a, std::int64_t b) { return a > b; }
template <std::floating_point Real>
bool exceeds(Real a, Real b) {
  return a > b || (std::isnan(a) && !std::isnan(b));
}

/// Quotient; of integers rounded towards zero, and b is not 0.
inline std::int64_t divide(std::int64_t a, std::int64_t b) { return b == -1 ? negate(a) : a / b; }
template <std::floating_point Real>
Real divide(Real a, Real b) {
  return a / b;
}

/// a − trunc(a/b)·b, with the sign of a; an integer b is not 0.
inline std::int64_t truncated_remainder(std::int64_t a, std::int64_t b) { return b == -1 ? 0 : a % b; }
template <std::floating_point Real>
Real truncated_remainder(Real a, Real b) {
  return std::fmod(a, b);
}

/// a − floor(a/b)·b, with the sign of b; an integer b is not 0.
inline std::int64_t floored_remainder(std::int64_t a, std::int64_t b) {
  const std::int64_t remainder = truncated_remainder(a, b);
  return remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder;
}
template <std::floating_point Real>
Real floored_remainder(Real a, Real b) {
  const Real remainder = std::fmod(a, b);
  if (remainder == 0) return std::copysign(remainder, b);
  return (remainder < 0) != (b < 0) ? remainder + b : remainder;
}

/// base to a power, of the base's type: an integer one is rounded towards zero, and 0 where it has no value.
inline std::int64_t power(std::int64_t base, std::int64_t exponent) {
  if (exponent < 0 && base == -1) return exponent % 2 == 0 ? 1 : -1;
  if (exponent < 0) return base == 1 ? 1 : 0;
  std::int64_t result = 1;
  for (; exponent > 0; exponent /= 2, base = multiply(base, base))
    if (exponent % 2 == 1) result = multiply(result, base);
  return result;
}
template <std::floating_point Real>
std::int64_t power(std::int64_t base, Real exponent) {
  const double result = std::pow(static_cast<double>(base), static_cast<double>(exponent));
  return result >= -0x1p63 && result < 0x1p63 ? static_cast<std::int64_t>(result) : 0;
}
template <std::floating_point Real>
Real power(Real base, Real exponent) {
  return std::pow(base, exponent);
}
template <std::floating_point Real>
Real power(Real base, std::int64_t exponent) {
  return std::pow(base, static_cast<Real>(exponent));
}

}  // namespace pantanal::convert::interpreter

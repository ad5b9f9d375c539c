// bfloat16 and IEEE binary16: 16-bit floats as bits, and how they become float32 and back.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

namespace pantanal {

/// How a tensor's values are stored.
enum class Dtype {
  f32,
  bf16,
  f16,
  i8,  ///< whole numbers times a float32 scale per output channel
};

/// The format's name in .safetensors files.
inline const char* to_string(Dtype dtype) {
  switch (dtype) {
    case Dtype::f32:
      return "F32";
    case Dtype::bf16:
      return "BF16";
    case Dtype::f16:
      return "F16";
    case Dtype::i8:
      return "I8";
  }
  return "unknown";
}

/// The nearest bfloat16, ties to even; beyond its largest, infinity. A NaN stays one.
inline std::uint16_t to_bfloat16(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  if ((bits & 0x7fffffff) > 0x7f800000) return static_cast<std::uint16_t>(bits >> 16 | 0x40);
  return static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/// Exact.
inline float from_bfloat16(std::uint16_t x) { return std::bit_cast<float>(std::uint32_t{x} << 16); }

/// The nearest binary16, subnormals included, ties to even; beyond its largest, infinity. A NaN stays one.
inline std::uint16_t to_float16(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000);
  const std::uint32_t magnitude = bits & 0x7fffffff;
  const auto with_sign = [&](std::uint32_t half) { return static_cast<std::uint16_t>(sign | half); };
  if (magnitude > 0x7f800000) return with_sign(0x7e00);
  if (magnitude >= 0x477ff000) return with_sign(0x7c00);  // 65520, halfway to 65536, and above
  if (magnitude < 0x38800000)                             // below 2^-14: units of 2^-24
    return with_sign(static_cast<std::uint32_t>(std::nearbyint(std::bit_cast<float>(magnitude) * 0x1p24f)));
  return with_sign((magnitude - 0x38000000 + 0xfff + (magnitude >> 13 & 1)) >> 13);
}

/// Exact.
inline float from_float16(std::uint16_t x) {
  const std::uint32_t sign = std::uint32_t{x & 0x8000u} << 16, magnitude = x & 0x7fffu;
  if (magnitude >= 0x7c00) return std::bit_cast<float>(sign | 0x7f800000 | (magnitude & 0x3ff) << 13);
  if (magnitude < 0x400)
    return std::copysign(static_cast<float>(magnitude) * 0x1p-24f, std::bit_cast<float>(sign));
  return std::bit_cast<float>(sign | ((magnitude << 13) + 0x38000000));
}

/// Of a 16-bit dtype.
inline std::uint16_t to_half(float x, Dtype dtype) {
  return dtype == Dtype::f16 ? to_float16(x) : to_bfloat16(x);
}
inline float from_half(std::uint16_t x, Dtype dtype) {
  return dtype == Dtype::f16 ? from_float16(x) : from_bfloat16(x);
}

/// Whether no element, of a 16-bit dtype, is NaN or infinite.
inline bool all_finite(std::span<const std::uint16_t> values, Dtype dtype) {
  const unsigned exponent = dtype == Dtype::f16 ? 0x7c00 : 0x7f80;
  bool finite = true;
  for (const std::uint16_t x : values) finite &= (x & exponent) != exponent;
  return finite;
}

}  // namespace pantanal

// 2^(j/32), whose vector lookups spare exp2 half of its polynomial.
#pragma once

#include <cstdint>

namespace pantanal::kernels {

/// bits(2^(j/32)) - (j << 18), so that adding s << 18 for s = 32k + j gives the bits of 2^(k + j/32).
alignas(64) inline constexpr std::int32_t power_of_two_32nds[32] = {
    0x3f800000, 0x3f7ecd87, 0x3f7daac3, 0x3f7c980f, 0x3f7b95c2, 0x3f7aa43a, 0x3f79c3d3, 0x3f78f4f0,
    0x3f7837f0, 0x3f778d3a, 0x3f76f532, 0x3f767043, 0x3f75fed7, 0x3f75a15b, 0x3f75583f, 0x3f7523f6,
    0x3f7504f3, 0x3f74fbaf, 0x3f7508a4, 0x3f752c4d, 0x3f75672a, 0x3f75b9be, 0x3f76248c, 0x3f76a81e,
    0x3f7744fd, 0x3f77fbb8, 0x3f78ccdf, 0x3f79b907, 0x3f7ac0c7, 0x3f7be4ba, 0x3f7d257d, 0x3f7e83b3};

/// The same times A of 2^f = A·((f + k)² + b), minimax in relative error on |f| <= 1/64 (5.3e-8); k has 16
/// bits behind the point.
alignas(64) inline constexpr std::int32_t scaled_power_of_two_32nds[32] = {
    0x3e75fd2c, 0x3e77601b, 0x3e78709e, 0x3e77409c, 0x3e76205d, 0x3e75103c, 0x3e741091, 0x3e7321b9,
    0x3e724412, 0x3e7177fd, 0x3e70bddd, 0x3e701615, 0x3e6f810d, 0x3e6eff2d, 0x3e6e90e2, 0x3e6e3699,
    0x3e6df0c2, 0x3e6dbfcf, 0x3e6da437, 0x3e6d9e6f, 0x3e6daef4, 0x3e6dd642, 0x3e6e14d8, 0x3e6e6b39,
    0x3e6ed9ea, 0x3e6f6174, 0x3e700262, 0x3e70bd43, 0x3e7192a7, 0x3e728324, 0x3e738f51, 0x3e74b7c9};
inline constexpr float square_shift = 1.442733765f, square_rest = 2.081307888f;  ///< k and b

/// Every fourth of the first: 2^(j/8), for s << 20 and s = 8k + j.
alignas(32) inline constexpr std::int32_t power_of_two_8ths[8] = {
    0x3f800000, 0x3f7b95c2, 0x3f7837f0, 0x3f75fed7, 0x3f7504f3, 0x3f75672a, 0x3f7744fd, 0x3f7ac0c7};

}  // namespace pantanal::kernels

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

/// Every fourth of them: 2^(j/8), for s << 20 and s = 8k + j.
alignas(32) inline constexpr std::int32_t power_of_two_8ths[8] = {
    0x3f800000, 0x3f7b95c2, 0x3f7837f0, 0x3f75fed7, 0x3f7504f3, 0x3f75672a, 0x3f7744fd, 0x3f7ac0c7};

}  // namespace pantanal::kernels

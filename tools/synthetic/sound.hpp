// What a made-up recording sounds like.
#pragma once

#include <cstdint>
#include <vector>

#include "world.hpp"

namespace pantanal::synthetic {

inline constexpr std::size_t rate = 32000;  ///< Hz

/// 60 s, within ±1: each window has the calls of its species, at random times and levels, over its site's
/// noise.
std::vector<float> make_sound(const World& world, const Recording& recording, std::uint64_t seed);

}  // namespace pantanal::synthetic

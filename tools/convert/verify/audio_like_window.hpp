// Windows of synthetic audio that reach every corner of a front end: noise, tones, sweeps, silence, clipping.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pantanal::convert {

/// `samples` floats: five stretches of equal length, their order, parameters and loudness drawn from `seed`:
/// noise with a falling spectrum, three tones, a sweep over the whole band driven into clipping, exact
/// silence, and clicks. Equal seeds give equal windows on one platform.
///
/// All but silence have noise 34 dB below the peak, and the peak is 0.1 to 0.3. A loud clean tone would leave
/// bands that hold little but the rounding of sample times window to float32, and comparing them would
/// compare rounding.
std::vector<float> audio_like_window(std::size_t samples, std::uint64_t seed);

}  // namespace pantanal::convert

// selective_scan: the shape-checked, multithreaded door to the scan kernel.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <numbers>
#include <span>
#include <string>
#include <utility>

#include "pantanal/core/aligned_buffer.hpp"
#include "pantanal/core/finite.hpp"
#include "pantanal/core/parallel.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/kernels/dispatch.hpp"
#include "pantanal/ops/packed_matrix.hpp"

namespace pantanal::ops {

/// A [D, N] as the scan kernel takes it: A·log2(e), [N, D padded to whole vectors], the padding zero.
struct PackedDecay {
  AlignedBuffer<float> values;
  std::size_t stride = 0;
};

inline PackedDecay pack_decay(std::span<const float> a, std::size_t channels, std::size_t states) {
  PackedDecay packed;
  packed.stride = round_up(channels, channel_padding);
  packed.values = AlignedBuffer<float>(states * packed.stride);
  for (std::size_t d = 0; d < channels; ++d)
    for (std::size_t n = 0; n < states; ++n)
      packed.values[n * packed.stride + d] = a[d * states + n] * std::numbers::log2e_v<float>;
  return packed;
}

/// Sequences, steps, channels and states of a scan.
struct ScanShape {
  std::size_t batch = 0, steps = 0, channels = 0, states = 0;
};

/// A scan's arrays, dense and row-major; the empty ones are left out.
struct ScanInputs {
  std::span<const float> u, dt;               ///< [B, T, D]
  std::span<const float> a;                   ///< [D, N]
  std::span<const float> b, c;                ///< [B, T, N]
  std::span<const float> skip = {};           ///< [D]; empty: zeros
  std::span<const float> initial_state = {};  ///< [B, D, N]; empty: zeros
};

struct ScanOutputs {
  std::span<float> y;                 ///< [B, T, D]
  std::span<float> final_state = {};  ///< [B, D, N]; may be the initial state's memory
};

namespace detail {

inline Status check_scan(const ScanShape& s, const ScanInputs& in, const ScanOutputs& out) {
  const auto mismatch = [](const char* name, std::size_t found, std::string expected) {
    return Error{ErrorCode::invalid_argument, std::string("selective_scan: ") + name,
                 std::to_string(found) + " floats", std::move(expected)};
  };
  constexpr std::size_t most = std::numeric_limits<std::ptrdiff_t>::max() / sizeof(float);
  std::size_t room = most;
  for (const std::size_t extent : {s.batch, s.steps, s.channels, s.states}) {
    if (extent == 0 || extent > room)
      return Error{ErrorCode::invalid_argument, "selective_scan",
                   "the shape (" + std::to_string(s.batch) + ", " + std::to_string(s.steps) + ", " +
                       std::to_string(s.channels) + ", " + std::to_string(s.states) + ")",
                   "positive numbers whose product can be addressed"};
    room /= extent;
  }
  const struct {
    const char* name;
    std::size_t found, expected;
    const char* shape;
    bool optional;
  } arrays[] = {
      {"u", in.u.size(), s.batch * s.steps * s.channels, "[B, T, D]", false},
      {"dt", in.dt.size(), s.batch * s.steps * s.channels, "[B, T, D]", false},
      {"A", in.a.size(), s.channels * s.states, "[D, N]", false},
      {"B", in.b.size(), s.batch * s.steps * s.states, "[B, T, N]", false},
      {"C", in.c.size(), s.batch * s.steps * s.states, "[B, T, N]", false},
      {"skip", in.skip.size(), s.channels, "[D]", true},
      {"initial_state", in.initial_state.size(), s.batch * s.channels * s.states, "[B, D, N]", true},
      {"y", out.y.size(), s.batch * s.steps * s.channels, "[B, T, D]", false},
      {"final_state", out.final_state.size(), s.batch * s.channels * s.states, "[B, D, N]", true},
  };
  for (const auto& array : arrays)
    if (array.found != array.expected && !(array.optional && array.found == 0))
      return mismatch(array.name, array.found, std::to_string(array.expected) + ", " + array.shape);
  return {};
}

inline Status check_scan_is_finite(const ScanInputs& in) {
  const struct {
    const char* name;
    std::span<const float> values;
  } arrays[] = {{"u", in.u},
                {"dt", in.dt},
                {"A", in.a},
                {"B", in.b},
                {"C", in.c},
                {"skip", in.skip},
                {"initial_state", in.initial_state}};
  for (const auto& array : arrays)
    if (!all_finite(array.values))
      return Error{ErrorCode::invalid_argument, std::string("selective_scan: ") + array.name,
                   "NaN or infinity", "finite values"};
  return {};
}

}  // namespace detail

/// This member's share of a scan whose arrays are known to fit: sequences and groups of channels.
inline void scan_share(const Team& team, const kernels::KernelTable& table, const PackedDecay& decay,
                       const ScanShape& shape, const ScanInputs& in, const ScanOutputs& out) {
  constexpr std::size_t group = 4 * channel_padding;  // channels a thread takes at once
  const std::size_t groups = (shape.channels + group - 1) / group;
  const auto channel_stride = static_cast<std::ptrdiff_t>(shape.channels),
             state_stride = static_cast<std::ptrdiff_t>(shape.states);
  const Range items = team.share(shape.batch * groups);
  for (std::size_t i = items.begin, next; i < items.end; i = next) {
    const std::size_t sequence = i / groups, first = i % groups * group;
    next = std::min(items.end, (sequence + 1) * groups);
    const std::size_t row = sequence * shape.steps * shape.channels + first,
                      weights = sequence * shape.steps * shape.states,
                      state = (sequence * shape.channels + first) * shape.states;
    table.selective_scan(
        {.u = in.u.data() + row,
         .u_stride = channel_stride,
         .dt = in.dt.data() + row,
         .dt_stride = channel_stride,
         .decay = decay.values.data() + first,
         .decay_stride = decay.stride,
         .b = in.b.data() + weights,
         .b_stride = state_stride,
         .c = in.c.data() + weights,
         .c_stride = state_stride,
         .skip = in.skip.empty() ? nullptr : in.skip.data() + first,
         .initial_state = in.initial_state.empty() ? nullptr : in.initial_state.data() + state,
         .final_state = out.final_state.empty() ? nullptr : out.final_state.data() + state,
         .output = out.y.data() + row,
         .output_stride = channel_stride,
         .steps = shape.steps,
         .channels = std::min((next - i) * group, shape.channels - first),
         .states = shape.states});
  }
}

/// For every sequence, with h starting at initial_state:
///   h_t = h_{t-1}·exp(dt_t·A) + u_t·dt_t·B_t,   y_t = Σ_n h_t·C_t + u_t·skip.
/// Exponents dt·A are clamped to [-87.3, 88]. Sequences and groups of channels are shared among `threads`
/// threads (0: as many as the hardware has); the bits do not depend on how many. Errors: an array of another
/// size, NaN or infinity in an input, an instruction set that this CPU lacks. Source: Gu and Dao 2023,
/// "Mamba: Linear-Time Sequence Modeling with Selective State Spaces", arXiv:2312.00752.
inline Status selective_scan(const ScanShape& shape, const ScanInputs& in, const ScanOutputs& out,
                             std::size_t threads = 1, InstructionSet isa = best_instruction_set()) {
  PANTANAL_TRY_STATUS(detail::check_scan(shape, in, out));
  PANTANAL_TRY_STATUS(detail::check_scan_is_finite(in));
  if (!is_supported(isa))
    return Error{ErrorCode::unsupported, "selective_scan", std::string("instruction set ") + to_string(isa),
                 "one that this CPU has"};
  const kernels::KernelTable& table = kernels::table(isa);
  const PackedDecay decay = pack_decay(in.a, shape.channels, shape.states);
  parallel_team(threads == 0 ? hardware_threads() : std::min<std::size_t>(threads, 1024),
                [&](const Team& team) { scan_share(team, table, decay, shape, in, out); });
  if (!all_finite(out.y) || !all_finite(out.final_state))
    return Error{ErrorCode::invalid_argument, "selective_scan", "inputs whose result overflows a float",
                 "smaller values, or a negative A and positive dt"};
  return {};
}

}  // namespace pantanal::ops

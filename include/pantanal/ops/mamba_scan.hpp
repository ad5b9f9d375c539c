// mamba_scan: the selective scan with what a Mamba block does right before and right after it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "pantanal/core/finite.hpp"
#include "pantanal/core/parallel.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/kernels/dispatch.hpp"
#include "pantanal/ops/selective_scan.hpp"

namespace pantanal::ops {

/// The empty ones are left out.
struct MambaTerms {
  std::span<const float> z = {};           ///< [B, T, D]; y is multiplied by silu(z)
  std::span<const float> delta_bias = {};  ///< [D], added to dt
  bool delta_softplus = false;             ///< softplus(dt + delta_bias) is the step, not dt
};

namespace detail {

/// Sizes of the terms, and NaN or infinity where a softplus or a gate could hide it.
inline Status check_terms(const ScanShape& s, std::span<const float> dt, const MambaTerms& terms) {
  const struct {
    const char* name;
    std::span<const float> values;
    std::size_t expected;
    const char* shape;
  } arrays[] = {{"z", terms.z, s.batch * s.steps * s.channels, "[B, T, D]"},
                {"delta_bias", terms.delta_bias, s.channels, "[D]"},
                {"dt", dt, dt.size(), "[B, T, D]"}};
  for (const auto& array : arrays) {
    const std::string where = std::string("selective_scan: ") + array.name;
    if (!array.values.empty() && array.values.size() != array.expected)
      return Error{ErrorCode::invalid_argument, where, std::to_string(array.values.size()) + " floats",
                   std::to_string(array.expected) + ", " + array.shape};
    if (!all_finite(array.values))
      return Error{ErrorCode::invalid_argument, where, "NaN or infinity", "finite values"};
  }
  return {};
}

/// dt + delta_bias, through softplus where asked for.
inline std::vector<float> make_steps(const kernels::KernelTable& table, std::size_t threads,
                                     std::span<const float> dt, const MambaTerms& terms) {
  std::vector<float> steps(dt.begin(), dt.end());
  parallel_team(threads, [&](const Team& team) {
    const Range mine = team.share(steps.size(), channel_padding);
    if (!terms.delta_bias.empty())
      for (std::size_t i = mine.begin; i < mine.end; ++i)
        steps[i] += terms.delta_bias[i % terms.delta_bias.size()];
    if (terms.delta_softplus && mine.size() > 0)
      table.map(kernels::Function::softplus, steps.data() + mine.begin, 1, mine.size(), mine.size());
  });
  return steps;
}

/// y *= silu(z).
inline void gate(const kernels::KernelTable& table, std::size_t threads, std::span<const float> z,
                 std::span<float> y) {
  std::vector<float> gates(z.begin(), z.end());
  parallel_team(threads, [&](const Team& team) {
    const Range mine = team.share(gates.size(), channel_padding);
    if (mine.size() == 0) return;
    table.map(kernels::Function::silu, gates.data() + mine.begin, 1, mine.size(), mine.size());
    for (std::size_t i = mine.begin; i < mine.end; ++i) y[i] *= gates[i];
  });
}

}  // namespace detail

/// selective_scan() of dt + delta_bias, through softplus where asked for, and its y times silu(z). Threads,
/// bits and errors as there. Source: Gu and Dao 2023, arXiv:2312.00752, section 3.4; the terms are those of
/// mamba_ssm's selective_scan_fn.
inline Status mamba_scan(const ScanShape& shape, const ScanInputs& in, const MambaTerms& terms,
                         const ScanOutputs& out, std::size_t threads = 1,
                         InstructionSet isa = best_instruction_set()) {
  PANTANAL_TRY_STATUS(detail::check_scan(shape, in, out));
  PANTANAL_TRY_STATUS(detail::check_terms(shape, in.dt, terms));
  if (!is_supported(isa)) return selective_scan(shape, in, out, threads, isa);  // says so
  const kernels::KernelTable& table = kernels::table(isa);
  const std::size_t members = threads == 0 ? hardware_threads() : std::min<std::size_t>(threads, 1024);
  std::vector<float> steps;
  ScanInputs inner = in;
  if (!terms.delta_bias.empty() || terms.delta_softplus) {
    steps = detail::make_steps(table, members, in.dt, terms);
    inner.dt = steps;
  }
  PANTANAL_TRY_STATUS(selective_scan(shape, inner, out, members, isa));
  if (terms.z.empty()) return {};
  detail::gate(table, members, terms.z, out.y);
  if (!all_finite(out.y))
    return Error{ErrorCode::invalid_argument, "selective_scan: z", "values with which the result overflows",
                 "smaller values"};
  return {};
}

}  // namespace pantanal::ops

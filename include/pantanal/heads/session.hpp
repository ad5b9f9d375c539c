// What the heads' sessions share: options, the inputs of a batch of files, and the checks of both.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pantanal/core/cpu.hpp"
#include "pantanal/core/finite.hpp"
#include "pantanal/core/parallel.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/core/shape.hpp"
#include "pantanal/core/tensor.hpp"

namespace pantanal::heads {

struct SessionOptions {
  std::size_t threads = 0;  ///< 0: as many as the hardware has
  std::size_t rows_per_block =
      96;  ///< windows that go through the layers together, whole files, at least one
  InstructionSet isa = best_instruction_set();
};

/// Site and hour of each file; both or neither.
struct FileMeta {
  std::span<const std::int64_t> site_ids = {}, hours = {};  ///< [files]
  bool empty() const { return site_ids.empty() && hours.empty(); }
};

namespace detail {

/// An extent of a model's configuration.
struct NamedExtent {
  const char* name;
  std::size_t value;
};

/// Whether every extent is from 1 to 2^20, which keeps the products of any two far from overflow.
inline Status check_extents(const std::string& where, std::initializer_list<NamedExtent> extents) {
  constexpr std::size_t most = std::size_t{1} << 20;
  for (const NamedExtent& extent : extents)
    if (extent.value == 0 || extent.value > most)
      return Error{ErrorCode::invalid_argument, where + "." + extent.name, std::to_string(extent.value),
                   "1 to " + std::to_string(most)};
  return {};
}

/// Fills in the thread count and refuses what cannot run.
inline Result<SessionOptions> resolve(SessionOptions options, const std::string& where) {
  constexpr std::size_t max_threads = 1024, max_rows = 1 << 16;
  if (!is_supported(options.isa))
    return Error{ErrorCode::unsupported, where, std::string("instruction set ") + to_string(options.isa),
                 "one that this CPU has"};
  if (options.threads > max_threads)
    return Error{ErrorCode::invalid_argument, where, std::to_string(options.threads) + " threads",
                 "at most " + std::to_string(max_threads)};
  if (options.threads == 0) options.threads = std::min(hardware_threads(), max_threads);
  options.rows_per_block = std::clamp<std::size_t>(options.rows_per_block, 1, max_rows);
  return options;
}

/// Whether `values` has `rows` rows of `columns` finite floats, or is empty where that is allowed.
inline Status check_input(std::string_view where, std::span<const float> values, std::size_t rows,
                          std::size_t columns, bool optional = false) {
  if (optional && values.empty()) return {};
  if (values.size() % columns != 0 || values.size() / columns != rows)
    return Error{ErrorCode::invalid_argument, std::string(where), std::to_string(values.size()) + " floats",
                 std::to_string(rows) + " x " + std::to_string(columns)};
  if (all_finite(values)) return {};
  std::size_t row = 0;
  while (all_finite(values.subspan(row * columns, columns))) ++row;
  return Error{ErrorCode::invalid_argument, std::string(where) + ", window " + std::to_string(row),
               "NaN or infinity", "finite values"};
}

/// Whether an output is empty or of the right size.
inline Status check_output(std::string_view where, std::size_t found, std::size_t rows, std::size_t columns) {
  if (found == 0 || (columns != 0 && found % columns == 0 && found / columns == rows)) return {};
  return Error{ErrorCode::invalid_argument, std::string(where), std::to_string(found) + " floats",
               std::to_string(rows) + " x " + std::to_string(columns) + ", or none"};
}

/// Whether `files` files of `steps` windows are some that the model takes.
inline Status check_steps(std::string_view where, std::size_t files, std::size_t steps,
                          std::size_t n_windows) {
  if (steps == 0 || steps > n_windows)
    return Error{ErrorCode::invalid_argument, std::string(where), std::to_string(steps) + " windows per file",
                 "1 to " + std::to_string(n_windows) + ", for as many the model has positions"};
  if (files > (std::size_t{1} << 40) / steps)
    return Error{ErrorCode::invalid_argument, std::string(where), std::to_string(files) + " files", "fewer"};
  return {};
}

/// Whether a result is finite: large enough inputs overflow float32 on their way.
inline Status check_result(std::string_view where, std::span<const float> values) {
  if (all_finite(values)) return {};
  return Error{ErrorCode::invalid_argument, std::string(where), "inputs whose result overflows a float",
               "smaller values"};
}

/// Number of parameters in `specs`.
inline std::size_t count_parameters(const std::vector<TensorSpec>& specs) {
  std::size_t count = 0;
  for (const TensorSpec& spec : specs)
    count += static_cast<std::size_t>(element_count(spec.shape).value_or(0));
  return count;
}

}  // namespace detail

}  // namespace pantanal::heads

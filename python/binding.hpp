// What the module's source files share: arrays as spans, and arguments that more than one of them checks.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <system_error>

#include "failure.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal {

using Array = nanobind::ndarray<float, nanobind::c_contig, nanobind::device::cpu>;
using ConstArray = nanobind::ndarray<const float, nanobind::c_contig, nanobind::device::cpu>;

/// An entry that is missing from a file has the code of a missing file.
inline Error blame_contents(Error error, const std::filesystem::path& path) {
  std::error_code ignored;
  if (error.code == ErrorCode::not_found && std::filesystem::exists(path, ignored))
    error.code = ErrorCode::mismatch;
  return error;
}

/// 0 threads stand for as many as the CPU has.
inline std::size_t thread_count(std::int64_t threads) {
  if (threads < 0)
    throw Failure{{ErrorCode::invalid_argument, "threads", std::to_string(threads), "0 or more"}};
  return static_cast<std::size_t>(threads);
}

template <class ArrayType>
auto span_of(const ArrayType& array) {
  return std::span(array.data(), array.size());
}

template <class... Properties>
auto span_of(const std::optional<nanobind::ndarray<Properties...>>& array) {
  using Span = decltype(span_of(*array));
  return array ? span_of(*array) : Span();
}

/// Adds SelectiveSsm, ProtoSsm, ResidualSsm and selective_scan to the module.
void add_sequence_models(nanobind::module_& module);

}  // namespace pantanal

// The header of a .npy file, of a length that does not depend on the number of rows.
// Source: NumPy Enhancement Proposal 1 and numpy.lib.format, version 1.0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "pantanal/core/shape.hpp"

namespace pantanal::output {

namespace detail {

inline std::string npy_dictionary(std::string_view descr, std::uint64_t rows, const Shape& row) {
  std::string shape = std::to_string(rows) + ",";
  for (std::size_t i = 0; i < row.size(); ++i) shape += (i ? ", " : " ") + std::to_string(row[i]);
  return "{'descr': '" + std::string(descr) + "', 'fortran_order': False, 'shape': (" + shape + "), }";
}

}  // namespace detail

/// The header of a C-ordered array of `rows` rows, each of shape `row` (empty: one element). `descr` is
/// NumPy's name of the element type, e.g. "<f4". Its length is the same for any `rows`, so a header can be
/// reserved first and filled in when the last row is written.
inline std::string npy_header(std::string_view descr, std::uint64_t rows, const Shape& row) {
  constexpr std::size_t alignment = 64;
  const std::string magic("\x93NUMPY\x01\x00", 8);
  const std::size_t longest =
      detail::npy_dictionary(descr, std::numeric_limits<std::uint64_t>::max(), row).size();
  const std::size_t prefix = magic.size() + 2;
  const std::size_t total = (prefix + longest + 1 + alignment - 1) / alignment * alignment;
  const std::size_t length = total - prefix;
  std::string dictionary = detail::npy_dictionary(descr, rows, row);
  dictionary.resize(length - 1, ' ');
  return magic + static_cast<char>(length & 0xff) + static_cast<char>(length >> 8) + dictionary + '\n';
}

}  // namespace pantanal::output

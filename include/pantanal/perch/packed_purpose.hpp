// What a session's packed weights depend on, as the line that a file of them is known by.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>

#include "pantanal/core/crc32c.hpp"
#include "pantanal/io/page_release.hpp"
#include "pantanal/kernels/dispatch.hpp"
#include "pantanal/perch/label_head.hpp"
#include "pantanal/perch/model.hpp"

namespace pantanal::perch {

namespace detail {

inline void update_in_pieces(Crc32c& crc, std::span<const std::byte> bytes, bool is_mapped) {
  constexpr std::size_t piece_bytes = std::size_t{4} << 20;
  while (!bytes.empty()) {
    const std::span<const std::byte> piece = bytes.first(std::min(bytes.size(), piece_bytes));
    crc.update(piece);
    if (is_mapped) release_pages(piece);
    bytes = bytes.subspan(piece.size());
  }
}

}  // namespace detail

/// CRC-32C of every tensor's name, type, shape and values. Of the tensors rather than of their file: they may
/// be some of a file's, or no file's at all. A mapped file's pages are given back behind it.
inline std::uint32_t tensors_crc(const TensorMap& tensors) {
  Crc32c crc;
  const auto update = [&](std::string_view text) { crc.update(std::as_bytes(std::span(text))); };
  for (const auto& [name, tensor] : tensors) {
    update(name + '\n' + to_string(tensor.dtype) + to_string(tensor.shape) + '\n');
    detail::update_in_pieces(crc, tensor.bytes(), tensor.is_mapped);
    crc.update(std::as_bytes(tensor.scales));
  }
  return crc.value();
}

/// For PackedFile: the weights of `model`, which must be valid, for the kernels of `table`, as a session
/// packs them; without blocks where another library computes those.
inline std::string packed_purpose(const Model& model, const kernels::KernelTable& table, Precision precision,
                                  LabelScreen screen, bool has_blocks) {
  const Architecture& a = model.architecture;
  const bool screened = is_screened(screen, a.label, a.extents().back().positions(),
                                    has_narrow_prototypes(model, precision), table.isa);
  char crc[16];
  std::snprintf(crc, sizeof crc, "%08x", tensors_crc(model.tensors));
  return std::string("Perch for ") + to_string(table.isa) + ", panels of " +
         std::to_string(table.panel_floats) + ", precision " + name_of(precision) +
         (screened ? ", screened" : ", not screened") + (has_blocks ? "" : ", without blocks") +
         ", tensors crc32c:" + crc;
}

}  // namespace pantanal::perch

// NpzWriter: NumPy's .npz, row by row, for any number of rows in constant memory. Needs libzip.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/core/shape.hpp"
#include "pantanal/io/atomic_file.hpp"
#include "pantanal/io/spool_file.hpp"
#include "pantanal/output/npy_header.hpp"
#include "pantanal/output/npz_archive.hpp"

namespace pantanal::output {

/// An array of an .npz file: [rows, row...].
struct NpzArray {
  std::string name;
  std::string descr;          ///< NumPy's name of the element type, e.g. "<f4"
  std::size_t element_bytes;  ///< e.g. 4
  Shape row;                  ///< extents after the first; empty: one element per row
};

/// Announce all arrays with create(), append rows to each as they come, and finish(). Until then the rows lie
/// in nameless files beside the destination, which thus needs room for them twice. Move-only.
class NpzWriter {
 public:
  /// Errors: an array without a name, a name twice, a shape whose size overflows, and AtomicFile's.
  static Result<NpzWriter> create(const std::filesystem::path& path, const std::vector<NpzArray>& arrays) {
    static_assert(std::endian::native == std::endian::little, "rows are written as they are in memory");
    PANTANAL_TRY(AtomicFile file, AtomicFile::create(path));
    NpzWriter writer(std::move(file), path.string());
    for (const NpzArray& array : arrays) PANTANAL_TRY_STATUS(writer.add(array, path));
    return writer;
  }

  /// Appends whole rows to array `name`: bytes as in memory, C order.
  Status append(std::string_view name, std::span<const std::byte> rows) {
    Column* const column = find(name);
    if (!column) return refuse(name, "rows", "an array that create() announced");
    if (rows.size() % column->row_bytes != 0)
      return refuse(name, std::to_string(rows.size()) + " bytes",
                    "a multiple of the row's " + std::to_string(column->row_bytes));
    column->rows += rows.size() / column->row_bytes;
    return column->spool.append(rows);
  }

  /// Puts the file in place. `cancelled` is asked now and then; once it returns true, finish() fails. Nothing
  /// may be appended afterwards.
  Status finish(std::function<bool()> cancelled = [] { return false; }) {
    std::vector<ZipMember> members;
    for (Column& column : columns_) {
      const std::string header = npy_header(column.array.descr, column.rows, column.array.row);
      PANTANAL_TRY_STATUS(column.spool.overwrite_front(std::as_bytes(std::span(header))));
      members.push_back({column.array.name + ".npy", std::move(column.spool)});
    }
    columns_.clear();
    return write_zip(std::move(file_), std::move(members), where_, std::move(cancelled));
  }

 private:
  struct Column {
    NpzArray array;
    SpoolFile spool;
    std::size_t row_bytes;
    std::uint64_t rows = 0;
  };

  NpzWriter(AtomicFile file, std::string where) : file_(std::move(file)), where_(std::move(where)) {}

  Status add(const NpzArray& array, const std::filesystem::path& path) {
    Shape bytes = array.row;
    bytes.push_back(static_cast<std::int64_t>(array.element_bytes));
    const std::optional<std::int64_t> row_bytes = element_count(bytes);
    if (!row_bytes || *row_bytes == 0)
      return refuse(array.name, to_string(bytes), "rows of one byte or more");
    if (array.name.empty() || find(array.name)) return refuse(array.name, "this name", "one of its own");
    const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
    PANTANAL_TRY(SpoolFile spool, SpoolFile::create(folder));
    const std::string header = npy_header(array.descr, 0, array.row);
    PANTANAL_TRY_STATUS(spool.append(std::as_bytes(std::span(header))));
    columns_.push_back({array, std::move(spool), static_cast<std::size_t>(*row_bytes)});
    return {};
  }

  Column* find(std::string_view name) {
    for (Column& column : columns_)
      if (column.array.name == name) return &column;
    return nullptr;
  }

  Error refuse(std::string_view name, std::string found, std::string expected) const {
    return {ErrorCode::invalid_argument, where_ + ": " + std::string(name), std::move(found),
            std::move(expected)};
  }

  AtomicFile file_;
  std::string where_;
  std::vector<Column> columns_;
};

}  // namespace pantanal::output

// What a Parquet file says of itself at its end: columns, and where their pages are.
// Source: Apache Parquet format 2.10, README.md "File format" and parquet.thrift.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/io/parquet_values.hpp"
#include "pantanal/io/thrift_compact.hpp"

namespace pantanal {

/// One column of the schema.
struct ParquetColumnSchema {
  std::string name;
  ParquetType type = ParquetType::bytes;
  bool is_optional = false;
};

/// A column's values in one group of rows.
struct ParquetChunk {
  std::string name;
  std::int64_t codec = 0, values = 0, bytes = 0;
  std::int64_t first_page = 0, dictionary_page = 0;  ///< offsets in the file; 0: no dictionary
};

struct ParquetFooter {
  std::int64_t rows = 0;
  std::vector<ParquetColumnSchema> columns;
  std::vector<ParquetChunk> chunks;  ///< of all groups, in the file's order
};

/// Rows that a file may have: a file of few bytes can claim any number.
inline constexpr std::int64_t most_parquet_rows = 1 << 20;

namespace detail {

using ThriftType = ThriftReader::Type;

/// An integer field into `to`; false for one of another type.
template <class T>
bool take_integer(ThriftReader& in, ThriftType type, T& to) {
  if (type != ThriftType::i32 && type != ThriftType::i64 && type != ThriftType::i16) return false;
  to = static_cast<T>(in.read_integer());
  return true;
}

/// One element of the schema, and how many columns are below it.
struct ParquetElement {
  std::string name;
  std::int64_t type = -1, repetition = 0, children = 0;
};

inline ParquetElement read_parquet_element(ThriftReader& in) {
  ParquetElement element;
  in.read_struct([&](std::int64_t id, ThriftType type) {
    if (id == 1) return take_integer(in, type, element.type);
    if (id == 3) return take_integer(in, type, element.repetition);
    if (id == 5) return take_integer(in, type, element.children);
    if (id != 4 || type != ThriftType::binary) return false;
    element.name = in.read_text();
    return true;
  });
  return element;
}

inline ParquetChunk read_parquet_chunk(ThriftReader& in) {
  ParquetChunk chunk;
  const auto read_metadata = [&](std::int64_t id, ThriftType type) {
    if (id == 4) return take_integer(in, type, chunk.codec);
    if (id == 5) return take_integer(in, type, chunk.values);
    if (id == 7) return take_integer(in, type, chunk.bytes);
    if (id == 9) return take_integer(in, type, chunk.first_page);
    if (id == 11) return take_integer(in, type, chunk.dictionary_page);
    if (id != 3 || type != ThriftType::list) return false;
    in.read_list(ThriftType::binary, [&] { chunk.name += (chunk.name.empty() ? "" : ".") + in.read_text(); });
    return true;
  };
  in.read_struct([&](std::int64_t id, ThriftType type) {
    if (id != 3 || type != ThriftType::structure) return false;
    in.read_struct(read_metadata);
    return true;
  });
  return chunk;
}

/// Everything of the footer's structure that is of use; `elements` is the schema, its root first.
inline ParquetFooter read_parquet_metadata(ThriftReader& in, std::vector<ParquetElement>& elements) {
  ParquetFooter footer;
  const auto read_group = [&](std::int64_t id, ThriftType type) {
    if (id != 1 || type != ThriftType::list) return false;
    in.read_list(ThriftType::structure, [&] { footer.chunks.push_back(read_parquet_chunk(in)); });
    return true;
  };
  in.read_struct([&](std::int64_t id, ThriftType type) {
    if (id == 3) return take_integer(in, type, footer.rows);
    if (type != ThriftType::list || (id != 2 && id != 4)) return false;
    if (id == 2) in.read_list(ThriftType::structure, [&] { elements.push_back(read_parquet_element(in)); });
    if (id == 4) in.read_list(ThriftType::structure, [&] { in.read_struct(read_group); });
    return true;
  });
  return footer;
}

/// The text of the magic number at `at`.
inline std::string_view parquet_magic(std::span<const std::byte> file, std::size_t at) {
  return {reinterpret_cast<const char*>(file.data()) + at, 4};
}

}  // namespace detail

/// The footer of a whole file's bytes. Errors: bytes that are no Parquet file, damage (`corrupt`); nested or
/// repeated columns, an encrypted file, more than most_parquet_rows rows (`unsupported`).
inline Result<ParquetFooter> read_parquet_footer(std::span<const std::byte> file, const std::string& where) {
  const Error damaged{ErrorCode::corrupt, where, "no Parquet footer that can be read", "a Parquet file"};
  if (file.size() < 12 || detail::parquet_magic(file, 0) != "PAR1") return damaged;
  if (detail::parquet_magic(file, file.size() - 4) == "PARE")
    return Error{ErrorCode::unsupported, where, "an encrypted footer", "a plain Parquet file"};
  std::uint32_t size = 0;
  std::memcpy(&size, file.data() + file.size() - 8, 4);
  if (detail::parquet_magic(file, file.size() - 4) != "PAR1" || size > file.size() - 12) return damaged;
  ThriftReader in(file.subspan(file.size() - 8 - size, size));
  std::vector<detail::ParquetElement> elements;
  ParquetFooter footer = detail::read_parquet_metadata(in, elements);
  if (in.failed() || elements.empty() || footer.rows < 0) return damaged;
  if (footer.rows > most_parquet_rows)
    return Error{ErrorCode::unsupported, where, std::to_string(footer.rows) + " rows",
                 "at most " + std::to_string(most_parquet_rows)};
  for (const auto& element : std::span(elements).subspan(1)) {
    if (element.children > 0 || element.repetition > 1 || element.type < 0)
      return Error{ErrorCode::unsupported, where + ": " + element.name, "a nested or repeated column",
                   "columns of texts and numbers"};
    if (element.type > 7) return damaged;
    footer.columns.push_back({element.name, static_cast<ParquetType>(element.type), element.repetition == 1});
  }
  return footer;
}

}  // namespace pantanal

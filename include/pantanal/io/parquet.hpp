// Parquet: the columns of a flat table as pandas writes it, texts and numbers, Snappy or uncompressed.
// Source: Apache Parquet format 2.10, README.md, Encodings.md and parquet.thrift.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/io/mapped_file.hpp"
#include "pantanal/io/parquet_footer.hpp"
#include "pantanal/io/parquet_values.hpp"
#include "pantanal/io/snappy.hpp"

namespace pantanal {

/// A column: texts, or numbers as doubles; nothing where the table has a null.
struct ParquetColumn {
  std::string name;
  bool is_text = false;
  std::vector<std::optional<std::string>> texts;  ///< if is_text
  std::vector<std::optional<double>> numbers;     ///< else
};

namespace detail {

inline constexpr std::size_t most_parquet_page = std::size_t{1} << 26,
                             most_parquet_text = std::size_t{1} << 27;

/// What stands before a page's bytes. In a page of version 2 the levels come first, not compressed.
struct ParquetPage {
  std::int64_t kind = -1, size = -1, stored_size = -1;
  std::int64_t values = -1, encoding = -1;
  std::int64_t definition_bytes = 0, repetition_bytes = 0;
  bool is_compressed = true;
};

enum ParquetPageKind : std::int64_t { data_page = 0, dictionary_page = 2, data_page_v2 = 3 };
enum ParquetEncoding : std::int64_t { plain = 0, plain_dictionary = 2, rle_dictionary = 8 };

inline ParquetPage read_parquet_page(ThriftReader& in) {
  ParquetPage page;
  const auto read_kind = [&](std::int64_t id, ThriftType type) {
    const bool v2 = page.kind == data_page_v2;
    if (id == 1) return take_integer(in, type, page.values);
    if (id == (v2 ? 4 : 2)) return take_integer(in, type, page.encoding);
    if (v2 && id == 5) return take_integer(in, type, page.definition_bytes);
    if (v2 && id == 6) return take_integer(in, type, page.repetition_bytes);
    if (v2 && id == 7) page.is_compressed = type == ThriftType::yes;
    return false;
  };
  in.read_struct([&](std::int64_t id, ThriftType type) {
    if (id == 1) return take_integer(in, type, page.kind);
    if (id == 2) return take_integer(in, type, page.size);
    if (id == 3) return take_integer(in, type, page.stored_size);
    if (type != ThriftType::structure || (id != 5 && id != 7 && id != 8)) return false;
    in.read_struct(read_kind);
    return true;
  });
  return page;
}

/// Reads the pages of one column, chunk after chunk.
class ParquetColumnReader {
 public:
  ParquetColumnReader(std::span<const std::byte> file, const ParquetColumnSchema& schema, std::string where)
      : file_(file), schema_(schema), where_(where + ": " + schema.name) {
    column_.name = schema.name;
    column_.is_text = schema.type == ParquetType::bytes;
  }

  Status read(const ParquetChunk& chunk) {
    if (chunk.codec != 0 && chunk.codec != 1)
      return Error{ErrorCode::unsupported, where_, "compression number " + std::to_string(chunk.codec),
                   "Snappy, pandas' own choice, or none"};
    const std::int64_t begin =
        chunk.dictionary_page > 0 ? std::min(chunk.dictionary_page, chunk.first_page) : chunk.first_page;
    // Chunks follow each other: none is read twice.
    if (begin < at_ || chunk.bytes < 0 || begin > size_of(file_) || chunk.bytes > size_of(file_) - begin)
      return damaged("a place of pages outside the file");
    at_ = begin + chunk.bytes;
    std::span<const std::byte> pages =
        file_.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(chunk.bytes));
    const std::size_t end =
        rows() + static_cast<std::size_t>(std::clamp<std::int64_t>(chunk.values, 0, most_parquet_rows));
    dictionary_.reset();
    while (rows() < end) PANTANAL_TRY_STATUS(read_page(pages, chunk.codec == 1, end - rows()));
    return {};
  }

  ParquetColumn take() && { return std::move(column_); }
  std::size_t rows() const { return column_.is_text ? column_.texts.size() : column_.numbers.size(); }

 private:
  static std::int64_t size_of(std::span<const std::byte> bytes) {
    return static_cast<std::int64_t>(bytes.size());
  }

  Error damaged(const std::string& found) const {
    return {ErrorCode::corrupt, where_, found, "pages of a Parquet file"};
  }

  Status read_page(std::span<const std::byte>& pages, bool is_snappy, std::size_t most) {
    ThriftReader in(pages);
    const ParquetPage page = read_parquet_page(in);
    const auto left = size_of(pages) - static_cast<std::int64_t>(in.position());
    const std::int64_t levels = page.definition_bytes + page.repetition_bytes;
    if (in.failed() || page.size < 0 || page.stored_size < 0 || page.stored_size > left ||
        page.size > std::int64_t{most_parquet_page} || page.definition_bytes < 0 ||
        page.repetition_bytes < 0 || levels > std::min(page.stored_size, page.size))
      return damaged("a page header that makes no sense");
    const auto stored = pages.subspan(in.position(), static_cast<std::size_t>(page.stored_size));
    pages = pages.subspan(in.position() + stored.size());
    const auto head = static_cast<std::size_t>(levels);
    std::vector<std::byte> bytes(stored.begin(), stored.begin() + static_cast<std::ptrdiff_t>(head));
    std::span<const std::byte> body = stored.subspan(head);
    std::optional<std::vector<std::byte>> unpacked;
    if (is_snappy && page.is_compressed) {
      unpacked = decompress_snappy(body, static_cast<std::size_t>(page.size) - head);
      if (!unpacked) return damaged("a page that is not compressed as it says");
      body = *unpacked;
    }
    if (page.kind == dictionary_page) return read_dictionary(page, body);
    if (page.kind != data_page && page.kind != data_page_v2) return {};  // an index
    if (page.values < 0 || static_cast<std::size_t>(page.values) > most)
      return damaged("more values than rows");
    return read_values(page, std::span(bytes), body);
  }

  Status read_dictionary(const ParquetPage& page, std::span<const std::byte> body) {
    if (page.values < 0 || page.encoding == rle_dictionary) return damaged("a dictionary that is none");
    dictionary_ = read_parquet_plain(body, schema_.type, static_cast<std::size_t>(page.values));
    return dictionary_ ? Status() : Status(damaged("a dictionary that breaks off"));
  }

  /// `levels` of a page of version 2; in one of version 1 they stand in `body`, their length first.
  Status read_values(const ParquetPage& page, std::span<const std::byte> levels,
                     std::span<const std::byte> body) {
    const auto count = static_cast<std::size_t>(page.values);
    std::vector<std::uint32_t> is_there(count, 1);
    if (schema_.is_optional) {
      std::span<const std::byte> runs;
      if (page.kind == data_page_v2) {
        runs = levels.subspan(static_cast<std::size_t>(page.repetition_bytes));
      } else {
        std::uint32_t size = 0;
        if (body.size() >= 4) std::memcpy(&size, body.data(), 4);
        if (body.size() < 4 || size > body.size() - 4) return damaged("a page without levels");
        runs = body.subspan(4, size), body = body.subspan(4 + size);
      }
      auto found = read_parquet_runs(runs, 1, count);
      if (!found) return damaged("levels that break off");
      is_there = *std::move(found);
    }
    const auto values = static_cast<std::size_t>(std::ranges::count(is_there, 1u));
    if (page.encoding == plain) {
      const auto all = read_parquet_plain(body, schema_.type, values);
      if (!all) return damaged("values that break off");
      return append(is_there, *all, [](std::size_t i) { return i; });
    }
    if (page.encoding != plain_dictionary && page.encoding != rle_dictionary)
      return Error{ErrorCode::unsupported, where_, "encoding number " + std::to_string(page.encoding),
                   "plain values or a dictionary, as pandas writes them"};
    if (!dictionary_ || (body.empty() && values > 0)) return damaged("a page without dictionary");
    const auto width = body.empty() ? 0u : static_cast<unsigned>(body[0]);
    const auto indices = read_parquet_runs(body.subspan(body.empty() ? 0 : 1), width, values);
    if (!indices) return damaged("indices that break off");
    const std::size_t size = column_.is_text ? dictionary_->texts.size() : dictionary_->numbers.size();
    for (const std::uint32_t index : *indices)
      if (index >= size) return damaged("an index beyond the dictionary");
    return append(is_there, *dictionary_, [&](std::size_t i) { return std::size_t{(*indices)[i]}; });
  }

  template <class At>
  Status append(const std::vector<std::uint32_t>& is_there, const ParquetValues& values, At&& at) {
    std::size_t next = 0;
    for (const std::uint32_t there : is_there) {
      if (column_.is_text) {
        std::optional<std::string>& text = column_.texts.emplace_back();
        if (there) text = values.texts[at(next++)];
        text_bytes_ += text ? text->size() : 0;
      } else {
        std::optional<double>& number = column_.numbers.emplace_back();
        if (there) number = values.numbers[at(next++)];
      }
      if (text_bytes_ > most_parquet_text)
        return Error{ErrorCode::unsupported, where_,
                     "more than " + std::to_string(most_parquet_text) + " bytes of text", "shorter texts"};
    }
    return {};
  }

  std::span<const std::byte> file_;
  const ParquetColumnSchema& schema_;
  std::string where_;
  ParquetColumn column_;
  std::optional<ParquetValues> dictionary_;
  std::int64_t at_ = 0;  ///< where the last chunk ended
  std::size_t text_bytes_ = 0;
};

}  // namespace detail

/// The columns `names` of a table's bytes, in that order; `where` names it in errors. Nulls are kept. Errors:
/// as read_parquet_footer; a column that is missing (`not_found`); one that is neither text nor number,
/// another compression or encoding than pandas writes by itself (`unsupported`).
inline Result<std::vector<ParquetColumn>> parse_parquet(std::span<const std::byte> file,
                                                        std::span<const std::string> names,
                                                        const std::string& where) {
  PANTANAL_TRY(const ParquetFooter footer, read_parquet_footer(file, where));
  std::vector<ParquetColumn> columns;
  for (const std::string& name : names) {
    const auto schema = std::ranges::find(footer.columns, name, &ParquetColumnSchema::name);
    if (schema == footer.columns.end())
      return Error{ErrorCode::not_found, where, "no column '" + name + "'", "it among the columns"};
    if (schema->type == ParquetType::boolean || schema->type == ParquetType::int96 ||
        schema->type == ParquetType::fixed)
      return Error{ErrorCode::unsupported, where + ": " + name, "a column of neither texts nor numbers",
                   "either"};
    detail::ParquetColumnReader reader(file, *schema, where);
    for (const ParquetChunk& chunk : footer.chunks)
      if (chunk.name == name) PANTANAL_TRY_STATUS(reader.read(chunk));
    if (reader.rows() != static_cast<std::size_t>(footer.rows))
      return Error{ErrorCode::corrupt, where + ": " + name, std::to_string(reader.rows()) + " values",
                   std::to_string(footer.rows) + ", one per row"};
    columns.push_back(std::move(reader).take());
  }
  return columns;
}

/// The columns `names` of the table in a file.
inline Result<std::vector<ParquetColumn>> read_parquet(const std::filesystem::path& path,
                                                       std::span<const std::string> names) {
  PANTANAL_TRY(const MappedFile file, MappedFile::open(path));
  return parse_parquet(file.bytes(), names, path.string());
}

}  // namespace pantanal

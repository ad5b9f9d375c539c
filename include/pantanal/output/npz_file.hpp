// Reading NumPy's .npz: matrices of floats, compressed or not. Needs libzip.
// Source: NumPy Enhancement Proposal 1 and numpy.lib.format, versions 1.0 to 3.0.
#pragma once

#include <zip.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/core/shape.hpp"

namespace pantanal::output {

/// An array of floats, C order.
struct FloatArray {
  Shape shape;
  std::vector<float> values;
};

namespace detail {

/// What the dictionary of an .npy header says.
struct NpyHeader {
  std::string descr;
  bool fortran_order = false;
  Shape shape;
  std::size_t data_at = 0;  ///< offset of the first element
};

/// The text after `key` and a colon in a header's dictionary, blanks skipped.
inline std::optional<std::string_view> npy_value(std::string_view dictionary, std::string_view key) {
  const std::size_t at = dictionary.find("'" + std::string(key) + "'");
  if (at == dictionary.npos) return std::nullopt;
  std::string_view rest = dictionary.substr(at + key.size() + 2);
  const std::size_t begin = rest.find_first_not_of(": ");
  return begin == rest.npos ? std::nullopt : std::optional(rest.substr(begin));
}

/// "(3, 4)", "(3,)" or "()".
inline std::optional<Shape> parse_npy_shape(std::string_view text) {
  if (!text.starts_with('(')) return std::nullopt;
  Shape shape;
  for (std::size_t i = 1; i < text.size() && text[i] != ')';) {
    if (text[i] == ' ' || text[i] == ',') {
      ++i;
      continue;
    }
    std::int64_t extent = 0;
    const auto [stop, code] = std::from_chars(text.data() + i, text.data() + text.size(), extent);
    if (code != std::errc() || extent < 0 || shape.size() == 8) return std::nullopt;
    shape.push_back(extent);
    i = static_cast<std::size_t>(stop - text.data());
  }
  return shape;
}

inline Result<NpyHeader> parse_npy_header(std::string_view file, const std::string& where) {
  const auto corrupt = [&](std::string found) {
    return Error{ErrorCode::corrupt, where, std::move(found), "an .npy array of version 1 to 3"};
  };
  constexpr std::string_view magic = "\x93NUMPY";
  if (file.size() < 12 || !file.starts_with(magic)) return corrupt("other bytes than NumPy's");
  const auto byte = [&](std::size_t i) {
    return static_cast<std::size_t>(static_cast<unsigned char>(file[i]));
  };
  const std::size_t version = byte(6);
  if (version < 1 || version > 3) return corrupt("version " + std::to_string(version));
  const std::size_t prefix = version == 1 ? 10 : 12;
  const std::size_t length =
      version == 1 ? byte(8) + 256 * byte(9) : byte(8) + (byte(9) << 8) + (byte(10) << 16) + (byte(11) << 24);
  if (length > file.size() - prefix) return corrupt("a header that is cut off");
  const std::string_view dictionary = file.substr(prefix, length);
  const auto descr = npy_value(dictionary, "descr"), order = npy_value(dictionary, "fortran_order"),
             shape_text = npy_value(dictionary, "shape");
  if (!descr || !order || !shape_text || !descr->starts_with('\'')) return corrupt("a header of other keys");
  const auto shape = parse_npy_shape(*shape_text);
  if (!shape) return corrupt("a shape that is none");
  return NpyHeader{std::string(descr->substr(1, descr->find('\'', 1) - 1)), order->starts_with("True"),
                   *shape, prefix + length};
}

/// The elements after the header as floats.
inline Result<FloatArray> parse_npy_floats(std::string_view file, const std::string& where) {
  static_assert(std::endian::native == std::endian::little, "elements are read as they are in the file");
  PANTANAL_TRY(const NpyHeader header, parse_npy_header(file, where));
  const bool is_float = header.descr == "<f4", is_double = header.descr == "<f8";
  if ((!is_float && !is_double) || header.fortran_order)
    return Error{ErrorCode::unsupported, where,
                 "dtype " + header.descr + (header.fortran_order ? " in Fortran's order" : ""),
                 "float32 or float64 in C's order"};
  const std::size_t width = is_float ? sizeof(float) : sizeof(double);
  const std::optional<std::int64_t> count = element_count(header.shape);
  const std::size_t bytes = file.size() - header.data_at;
  if (!count || static_cast<std::size_t>(*count) != bytes / width || bytes % width != 0)
    return Error{ErrorCode::corrupt, where, std::to_string(bytes) + " bytes of elements",
                 "those of shape " + to_string(header.shape)};
  FloatArray array{header.shape, std::vector<float>(static_cast<std::size_t>(*count))};
  const char* const data = file.data() + header.data_at;
  for (std::size_t i = 0; i < array.values.size(); ++i) {
    if (is_float) {
      std::memcpy(&array.values[i], data + i * width, width);
    } else {
      double value;
      std::memcpy(&value, data + i * width, width);
      array.values[i] = static_cast<float>(value);
    }
  }
  return array;
}

struct CloseZipFile {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};

}  // namespace detail

/// An .npz file, open for reading. Move-only.
class NpzFile {
 public:
  /// Errors: no such file (`not_found`), no zip archive (`corrupt`).
  static Result<NpzFile> open(const std::filesystem::path& path) {
    int code = 0;
    zip_t* const archive = zip_open(path.c_str(), ZIP_RDONLY, &code);
    if (archive) return NpzFile(path.string(), archive);
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    Error failure{code == ZIP_ER_NOENT ? ErrorCode::not_found : ErrorCode::corrupt, path.string(),
                  std::string("libzip's \"") + zip_error_strerror(&error) + '"', "an .npz file"};
    zip_error_fini(&error);
    return failure;
  }

  /// The array `name`: float32, or float64 that is rounded. Errors: no such array, another type, damage, more
  /// than 16 GiB.
  Result<FloatArray> floats(const std::string& name) const {
    const std::string where = where_ + ": " + name;
    const zip_int64_t index = zip_name_locate(archive_.get(), (name + ".npy").c_str(), 0);
    if (index < 0) return Error{ErrorCode::not_found, where, "no such array", "it in this file"};
    zip_stat_t stat;
    zip_stat_init(&stat);
    const auto at = static_cast<zip_uint64_t>(index);
    if (zip_stat_index(archive_.get(), at, 0, &stat) != 0 || (stat.valid & ZIP_STAT_SIZE) == 0)
      return failure(where);
    constexpr zip_uint64_t most = zip_uint64_t{16} << 30;
    if (stat.size > most)
      return Error{ErrorCode::unsupported, where, std::to_string(stat.size) + " bytes",
                   "at most " + std::to_string(most)};
    PANTANAL_TRY(const std::string bytes, read(at, stat.size, where));
    return detail::parse_npy_floats(bytes, where);
  }

 private:
  struct Discard {
    void operator()(zip_t* archive) const { zip_discard(archive); }
  };

  NpzFile(std::string where, zip_t* archive) : where_(std::move(where)), archive_(archive) {}

  /// Piece by piece: a size that the archive makes up costs no memory.
  Result<std::string> read(zip_uint64_t index, zip_uint64_t size, const std::string& where) const {
    const std::unique_ptr<zip_file_t, detail::CloseZipFile> member(zip_fopen_index(archive_.get(), index, 0));
    if (!member) return failure(where);
    constexpr zip_uint64_t piece = zip_uint64_t{1} << 24;
    std::string bytes;
    for (;;) {
      const std::size_t before = bytes.size();
      bytes.resize(before + static_cast<std::size_t>(std::min(piece, size - before + 1)));
      const zip_int64_t got = zip_fread(member.get(), bytes.data() + before, bytes.size() - before);
      if (got < 0) return Error{ErrorCode::corrupt, where, "damaged or cut off bytes", "a whole member"};
      bytes.resize(before + static_cast<std::size_t>(got));
      if (bytes.size() > size) return Error{ErrorCode::corrupt, where, "more bytes than stated", "as many"};
      if (got == 0) break;
    }
    if (bytes.size() == size) return bytes;
    return Error{ErrorCode::corrupt, where, std::to_string(bytes.size()) + " bytes", std::to_string(size)};
  }

  Error failure(const std::string& where) const {
    return {ErrorCode::corrupt, where,
            std::string("libzip's \"") + zip_error_strerror(zip_get_error(archive_.get())) + '"', "an array"};
  }

  std::string where_;
  std::unique_ptr<zip_t, Discard> archive_;
};

}  // namespace pantanal::output

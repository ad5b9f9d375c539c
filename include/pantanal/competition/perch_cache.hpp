// The cache of Perch's outputs: full_perch_arrays.npz and full_perch_meta.csv or .parquet. Needs libzip.
#pragma once

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_set>
#include <utility>
#include <vector>

#include "pantanal/competition/perch_outputs.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/io/atomic_file.hpp"
#include "pantanal/io/csv.hpp"
#include "pantanal/io/mapped_file.hpp"
#include "pantanal/io/parquet.hpp"
#include "pantanal/output/npz_file.hpp"
#include "pantanal/output/npz_writer.hpp"
#include "pantanal/pipeline/file_metadata.hpp"

namespace pantanal::competition {

namespace detail {

inline constexpr const char* cache_arrays = "full_perch_arrays.npz";
inline constexpr const char* cache_meta = "full_perch_meta.csv";
inline constexpr const char* cache_parquet = "full_perch_meta.parquet";
inline constexpr const char* cache_origin = "full_perch_origin.txt";

/// A cache of another origin is refused; one without, such as a notebook's, is taken at its word.
inline Status check_cache_origin(const std::filesystem::path& path, const std::string& origin) {
  std::error_code code;
  if (!std::filesystem::exists(path, code)) return {};
  PANTANAL_TRY(const MappedFile file, MappedFile::open(path));
  const std::span<const std::byte> bytes = file.bytes();
  const std::string found(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (found == origin) return {};
  return Error{ErrorCode::mismatch, path.string(),
               "a cache of another model, taxonomy, configuration or --soundfile-compat",
               "this one's: another folder, or none, to compute it"};
}

inline Result<pipeline::Scores> cached_matrix(const output::NpzFile& file, const char* name,
                                              const std::string& where) {
  PANTANAL_TRY(output::FloatArray array, file.floats(name));
  if (array.shape.size() != 2)
    return Error{ErrorCode::mismatch, where + ": " + name, "shape " + pantanal::to_string(array.shape),
                 "two extents"};
  pipeline::Scores matrix;
  matrix.rows = static_cast<std::size_t>(array.shape[0]);
  matrix.columns = static_cast<std::size_t>(array.shape[1]);
  matrix.values = std::move(array.values);
  PANTANAL_TRY_STATUS(pipeline::detail::check_finite(where + ": " + name, matrix));
  return matrix;
}

/// A row's place: an empty site is none; hours may be written as pandas writes floats, "4.0".
inline Result<pipeline::SiteHour> cached_place(const std::string& site, const std::string& hour,
                                               const std::string& where) {
  double value = -1;
  const auto [stop, code] = std::from_chars(hour.data(), hour.data() + hour.size(), value);
  if (code != std::errc() || stop != hour.data() + hour.size() || !(value >= -1 && value <= 99) ||
      value != std::floor(value))
    return Error{ErrorCode::corrupt, where, "hour_utc '" + hour + "'", "-1 to 23"};
  pipeline::SiteHour place{std::nullopt, static_cast<int>(value)};
  if (!site.empty() && site != "None" && site != "nan") place.site = site;
  return place;
}

/// The same of a notebook's full_perch_meta.parquet; what is null there is what is empty in a .csv.
inline Result<std::vector<pipeline::WindowMeta>> read_cache_parquet(const std::filesystem::path& path) {
  const std::vector<std::string> names = {"row_id", "filename", "site", "hour_utc"};
  PANTANAL_TRY(const std::vector<ParquetColumn> columns, read_parquet(path, names));
  for (std::size_t c = 0; c < columns.size(); ++c)
    if (columns[c].is_text != (c < 3))
      return Error{ErrorCode::mismatch, path.string() + ": " + names[c],
                   columns[c].is_text ? "texts" : "numbers", c < 3 ? "texts" : "numbers"};
  std::vector<pipeline::WindowMeta> meta;
  for (std::size_t i = 0; i < columns[0].texts.size(); ++i) {
    const auto text = [&](std::size_t c) { return columns[c].texts[i].value_or(std::string()); };
    const double hour = columns[3].numbers[i].value_or(-1);
    if (!(hour >= -1 && hour <= 99) || hour != std::floor(hour))
      return Error{ErrorCode::corrupt, path.string() + ": row " + std::to_string(i),
                   "hour_utc " + std::to_string(hour), "-1 to 23"};
    meta.push_back({text(0), text(1), {columns[2].texts[i], static_cast<int>(hour)}});
  }
  return meta;
}

inline Result<std::vector<pipeline::WindowMeta>> read_cache_meta(const std::filesystem::path& path) {
  PANTANAL_TRY(const std::vector<CsvRow> rows, read_csv(path));
  const std::string where = path.string();
  if (rows.empty()) return Error{ErrorCode::corrupt, where, "no header", "row_id,filename,site,hour_utc"};
  PANTANAL_TRY(const std::size_t row_id, find_column(rows[0], "row_id", where));
  PANTANAL_TRY(const std::size_t filename, find_column(rows[0], "filename", where));
  PANTANAL_TRY(const std::size_t site, find_column(rows[0], "site", where));
  PANTANAL_TRY(const std::size_t hour, find_column(rows[0], "hour_utc", where));
  std::vector<pipeline::WindowMeta> meta;
  for (const CsvRow& row : std::span(rows).subspan(1)) {
    PANTANAL_TRY(pipeline::SiteHour place,
                 cached_place(row.fields[site], row.fields[hour], where + ":" + std::to_string(row.line)));
    meta.push_back({row.fields[row_id], row.fields[filename], std::move(place)});
  }
  return meta;
}

/// No row_id is empty or there twice.
inline Status check_row_ids(std::span<const pipeline::WindowMeta> meta, const std::string& where) {
  std::unordered_set<std::string_view> seen;
  for (std::size_t i = 0; i < meta.size(); ++i) {
    const std::string& row_id = meta[i].row_id;
    if (row_id.empty() || !seen.insert(row_id).second)
      return Error{ErrorCode::corrupt, where + ": row " + std::to_string(i),
                   row_id.empty() ? "no row_id" : "row_id '" + row_id + "' a second time",
                   "every window's row_id once"};
  }
  return {};
}

inline Status write_cache_meta(const std::filesystem::path& path,
                               std::span<const pipeline::WindowMeta> meta) {
  PANTANAL_TRY(AtomicFile file, AtomicFile::create(path));
  PANTANAL_TRY_STATUS(file.write("row_id,filename,site,hour_utc\n"));
  for (const pipeline::WindowMeta& window : meta) {
    const std::string fields[] = {window.row_id, window.filename, window.place.site.value_or(""),
                                  std::to_string(window.place.hour_utc)};
    PANTANAL_TRY_STATUS(file.write(csv_line(fields)));
  }
  return file.commit();
}

}  // namespace detail

/// Whether `folder` has a cache, complete or not.
inline bool has_perch_cache(const std::filesystem::path& folder) {
  std::error_code code;
  return std::filesystem::exists(folder / detail::cache_arrays, code);
}

/// Reads full_perch_arrays.npz, scores_full_raw [N, n_classes] and emb_full [N, D] as NumPy writes them, and
/// full_perch_meta.csv or, if there is none, full_perch_meta.parquet as pandas writes it, with columns
/// row_id, filename, site and hour_utc. Errors: a file or column that is missing, sizes that do not fit,
/// values that are not finite, windows that are no whole files. `origin` is what write_perch_cache() was
/// given; a cache that says otherwise is a `mismatch`.
inline Result<PerchOutputs> read_perch_cache(const std::filesystem::path& folder, std::size_t n_classes,
                                             const std::string& origin = {}) {
  const std::string where = (folder / detail::cache_arrays).string();
  if (!origin.empty()) PANTANAL_TRY_STATUS(detail::check_cache_origin(folder / detail::cache_origin, origin));
  PANTANAL_TRY(const output::NpzFile file, output::NpzFile::open(where));
  std::error_code code;
  const bool is_parquet = !std::filesystem::exists(folder / detail::cache_meta, code) &&
                          std::filesystem::exists(folder / detail::cache_parquet, code);
  PerchOutputs outputs;
  PANTANAL_TRY(outputs.meta, is_parquet ? detail::read_cache_parquet(folder / detail::cache_parquet)
                                        : detail::read_cache_meta(folder / detail::cache_meta));
  PANTANAL_TRY(outputs.scores, detail::cached_matrix(file, "scores_full_raw", where));
  PANTANAL_TRY(outputs.emb, detail::cached_matrix(file, "emb_full", where));
  const std::size_t n = outputs.meta.size();
  PANTANAL_TRY_STATUS(
      pipeline::detail::check_size(where + ": scores_full_raw", outputs.scores, n, n_classes));
  PANTANAL_TRY_STATUS(
      pipeline::detail::check_size(where + ": emb_full", outputs.emb, n, outputs.emb.columns));
  PANTANAL_TRY_STATUS(pipeline::reshape_to_files(outputs.meta));
  PANTANAL_TRY_STATUS(detail::check_row_ids(
      outputs.meta, (folder / (is_parquet ? detail::cache_parquet : detail::cache_meta)).string()));
  return outputs;
}

/// Writes what read_perch_cache reads, and `origin`, which names what the outputs depend on. The arrays come
/// last, so that an interrupted write is no cache.
inline Status write_perch_cache(const std::filesystem::path& folder, const PerchOutputs& outputs,
                                const std::string& origin = {}) {
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  std::filesystem::remove(folder / detail::cache_arrays, code);  // an older cache's, of another origin
  PANTANAL_TRY(AtomicFile text, AtomicFile::create(folder / detail::cache_origin));
  PANTANAL_TRY_STATUS(text.write(origin));
  PANTANAL_TRY_STATUS(text.commit());
  PANTANAL_TRY_STATUS(detail::write_cache_meta(folder / detail::cache_meta, outputs.meta));
  const auto array = [](const char* name, const pipeline::Scores& matrix) {
    return output::NpzArray{name, "<f4", sizeof(float), {static_cast<std::int64_t>(matrix.columns)}};
  };
  PANTANAL_TRY(output::NpzWriter writer, output::NpzWriter::create(folder / detail::cache_arrays,
                                                                   {array("scores_full_raw", outputs.scores),
                                                                    array("emb_full", outputs.emb)}));
  PANTANAL_TRY_STATUS(writer.append("scores_full_raw", std::as_bytes(std::span(outputs.scores.values))));
  PANTANAL_TRY_STATUS(writer.append("emb_full", std::as_bytes(std::span(outputs.emb.values))));
  return writer.finish();
}

}  // namespace pantanal::competition

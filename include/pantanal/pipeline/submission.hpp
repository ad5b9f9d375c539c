// submission.csv: its classes and rows out of sample_submission.csv, writing it, and checking one.
#pragma once

#include <charconv>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/io/atomic_file.hpp"
#include "pantanal/io/csv.hpp"
#include "pantanal/pipeline/align_rows.hpp"
#include "pantanal/pipeline/matrix.hpp"

namespace pantanal::pipeline {

/// What sample_submission.csv lays down.
struct SampleSubmission {
  std::vector<std::string> classes;  ///< every column but the first, in order
  std::vector<std::string> row_ids;  ///< a few rows of the hidden test set, or none
};

namespace detail {

/// Whether there are classes, none twice.
inline Status check_classes(std::string_view where, std::span<const std::string> classes) {
  const auto corrupt = [&](std::string found, std::string expected) {
    return Error{ErrorCode::corrupt, std::string(where), std::move(found), std::move(expected)};
  };
  if (classes.empty()) return corrupt("no classes", "a column for each");
  std::set<std::string_view> seen;
  for (const std::string& label : classes)
    if (!seen.insert(label).second) return corrupt("class '" + label + "' twice", "each class once");
  return {};
}

}  // namespace detail

/// Classes and rows out of the text of a sample_submission.csv. Errors: a first column that is not row_id, no
/// classes, a class twice (`corrupt`).
inline Result<SampleSubmission> build_sample_submission(std::span<const CsvRow> rows,
                                                        std::string_view where) {
  const auto corrupt = [&](std::string found, std::string expected) {
    return Error{ErrorCode::corrupt, std::string(where), std::move(found), std::move(expected)};
  };
  if (rows.empty()) return corrupt("no header", "row_id and the classes");
  const std::vector<std::string>& header = rows[0].fields;
  if (header[0] != "row_id") return corrupt("a first column '" + header[0] + "'", "row_id");
  SampleSubmission sample{{header.begin() + 1, header.end()}, {}};
  PANTANAL_TRY_STATUS(detail::check_classes(where, sample.classes));
  for (const CsvRow& row : rows.subspan(1)) sample.row_ids.push_back(row.fields[0]);
  return sample;
}

/// The sample submission in a file.
inline Result<SampleSubmission> read_sample_submission(const std::filesystem::path& path) {
  PANTANAL_TRY(const std::vector<CsvRow> rows, read_csv(path));
  return build_sample_submission(rows, path.string());
}

namespace detail {

/// Whether each row holds probabilities; the error names the row and the class.
inline Status check_probabilities(std::string_view where, const Scores& probs,
                                  std::span<const std::string> row_ids,
                                  std::span<const std::string> classes) {
  for (std::size_t i = 0; i < probs.rows; ++i)
    for (std::size_t c = 0; c < probs.columns; ++c)
      if (const float p = probs(i, c); !(p >= 0 && p <= 1))
        return Error{ErrorCode::invalid_argument,
                     std::string(where) + ": row " + row_ids[i] + ", class " + classes[c],
                     std::isnan(p) ? "NaN" : std::to_string(p), "a probability"};
  return {};
}

inline std::string submission_line(std::string_view row_id, std::span<const float> probs) {
  std::string line = csv_field(row_id);
  for (const float p : probs) {
    char digits[32];
    line.push_back(',');
    line.append(digits, std::to_chars(digits, digits + sizeof digits, p).ptr);
  }
  return line += '\n';
}

/// The probabilities of one row of a submission.
inline Status parse_probabilities(const CsvRow& row, std::span<float> probs, std::string_view where) {
  for (std::size_t c = 0; c < probs.size(); ++c) {
    const std::string& field = row.fields[c + 1];
    const char* const end = field.data() + field.size();
    const auto [stop, code] = std::from_chars(field.data(), end, probs[c]);
    if (code != std::errc() || stop != end)
      return Error{ErrorCode::corrupt, std::string(where) + ":" + std::to_string(row.line), "'" + field + "'",
                   "a number that a float holds"};
  }
  return {};
}

}  // namespace detail

/// A submission as it is in a file.
struct Submission {
  std::vector<std::string> row_ids;
  Scores probs;  ///< [row_ids, classes]
};

/// Writes row_id and `classes` as the header, then for each of `expected_row_ids`, in that order, the
/// probabilities of its row: `probs` [row_ids, classes] may hold the rows in another order. Numbers have
/// the fewest digits that are read back as the same float. The file appears whole or not at all (see
/// AtomicFile). Errors, before anything is written: an expected row that is missing or one that is not
/// expected (`not_found`), one that is there twice, no class or one twice (`corrupt`), sizes that differ, NaN
/// or values outside [0, 1], named; then those of writing.
inline Status write_submission(const std::filesystem::path& path, std::span<const std::string> classes,
                               std::span<const std::string> expected_row_ids,
                               std::span<const std::string> row_ids, const Scores& probs) {
  const std::string where = path.string();
  PANTANAL_TRY_STATUS(detail::check_classes(where, classes));
  PANTANAL_TRY_STATUS(detail::check_size(where, probs, row_ids.size(), classes.size()));
  PANTANAL_TRY_STATUS(detail::check_probabilities(where, probs, row_ids, classes));
  PANTANAL_TRY(const std::vector<std::size_t> order, align_rows(expected_row_ids, row_ids, where));
  PANTANAL_TRY_STATUS(align_rows(row_ids, expected_row_ids, where + ", expected rows"));
  PANTANAL_TRY(AtomicFile file, AtomicFile::create(path));
  std::vector<std::string> header{"row_id"};
  header.insert(header.end(), classes.begin(), classes.end());
  PANTANAL_TRY_STATUS(file.write(csv_line(header)));
  for (const std::size_t i : order)
    PANTANAL_TRY_STATUS(file.write(detail::submission_line(row_ids[i], probs.row(i))));
  return file.commit();
}

/// Reads a submission and holds it to what the competition asks: the header row_id and `classes` in order,
/// each of `expected_row_ids` once and no other, finite probabilities. Rows may be in any order. Errors say
/// which line, row or class is wrong.
inline Result<Submission> validate_submission(const std::filesystem::path& path,
                                              std::span<const std::string> classes,
                                              std::span<const std::string> expected_row_ids) {
  const std::string where = path.string();
  PANTANAL_TRY(const std::vector<CsvRow> rows, read_csv(path));
  PANTANAL_TRY(const SampleSubmission header, build_sample_submission(rows, where));
  if (header.classes.size() != classes.size())
    return Error{ErrorCode::mismatch, where, std::to_string(header.classes.size()) + " classes",
                 std::to_string(classes.size())};
  for (std::size_t c = 0; c < classes.size(); ++c)
    if (header.classes[c] != classes[c])
      return Error{ErrorCode::mismatch, where + ": class " + std::to_string(c), "'" + header.classes[c] + "'",
                   "'" + classes[c] + "'"};
  PANTANAL_TRY_STATUS(align_rows(expected_row_ids, header.row_ids, where));
  PANTANAL_TRY_STATUS(align_rows(header.row_ids, expected_row_ids, where + ", expected rows"));
  Submission submission{header.row_ids, Scores(header.row_ids.size(), classes.size())};
  for (std::size_t i = 0; i < submission.row_ids.size(); ++i)
    PANTANAL_TRY_STATUS(detail::parse_probabilities(rows[i + 1], submission.probs.row(i), where));
  PANTANAL_TRY_STATUS(detail::check_probabilities(where, submission.probs, submission.row_ids, classes));
  return submission;
}

}  // namespace pantanal::pipeline

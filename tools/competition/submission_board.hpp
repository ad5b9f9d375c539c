// SubmissionBoard: the rows of submission.csv as they stand, ready to be written at any time.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/io/atomic_file.hpp"
#include "pantanal/pipeline/submission.hpp"
#include "pantanal/pipeline/window_meta.hpp"

namespace pantanal::competition {

/// A soundscape's rows are kept as text: publishing again costs no formatting.
class SubmissionBoard {
 public:
  SubmissionBoard(std::filesystem::path path, std::vector<std::string> classes)
      : path_(std::move(path)), classes_(std::move(classes)) {}

  /// Adds a soundscape below the others. `rows` [12, C]. Error: a value that is no probability.
  Status add(const std::vector<pipeline::WindowMeta>& meta, const pipeline::Scores& rows) {
    std::vector<std::string>& ids = row_ids_.emplace_back();
    for (const pipeline::WindowMeta& window : meta) ids.push_back(window.row_id);
    blocks_.emplace_back();
    return set(blocks_.size() - 1, rows.values);
  }

  /// Replaces the rows of soundscape `index` by `values` [12 · C]. Errors: another number of values, one that
  /// is no probability; the rows then stay as they are.
  Status set(std::size_t index, std::span<const float> values) {
    const std::vector<std::string>& ids = row_ids_[index];
    pipeline::Scores rows(ids.size(), classes_.size());
    if (values.size() != rows.values.size())
      return Error{ErrorCode::mismatch, ids.empty() ? std::string() : ids[0],
                   std::to_string(values.size()) + " values", std::to_string(rows.values.size())};
    rows.values.assign(values.begin(), values.end());
    PANTANAL_TRY_STATUS(pipeline::detail::check_probabilities(path_.string(), rows, ids, classes_));
    std::string text;
    for (std::size_t i = 0; i < rows.rows; ++i)
      text += pipeline::detail::submission_line(ids[i], rows.row(i));
    blocks_[index] = std::move(text);
    is_published_ = false;
    return {};
  }

  /// Puts the file in place: whole, or as it was. Does nothing where that has been done since the last
  /// change. Errors: AtomicFile's.
  Status publish() {
    if (is_published_) return {};
    PANTANAL_TRY(AtomicFile file, AtomicFile::create(path_));
    std::vector<std::string> header{"row_id"};
    header.insert(header.end(), classes_.begin(), classes_.end());
    PANTANAL_TRY_STATUS(file.write(csv_line(header)));
    for (const std::string& block : blocks_) PANTANAL_TRY_STATUS(file.write(block));
    PANTANAL_TRY_STATUS(file.commit());
    is_published_ = true;
    return {};
  }

 private:
  std::filesystem::path path_;
  std::vector<std::string> classes_;
  std::vector<std::vector<std::string>> row_ids_;
  std::vector<std::string> blocks_;
  bool is_published_ = false;
};

}  // namespace pantanal::competition

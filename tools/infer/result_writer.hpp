// ResultWriter: what is computed for each window, as CSV and npz.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "options.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/output/npz_writer.hpp"
#include "pantanal/output/prediction_csv.hpp"
#include "pantanal/perch/model.hpp"
#include "recordings.hpp"
#include "text_output.hpp"

namespace pantanal::infer {

/// One window's place and results.
struct WindowResult {
  std::size_t recording = 0;  ///< its index in the list
  double start_s = 0, end_s = 0;
  std::span<const float> embedding;  ///< empty if wants_embedding() is false
  std::span<const float> logits;     ///< empty if the model has no label head
};

/// A model with a label head gives the CSV; options.embeddings asks for an npz.
class ResultWriter {
 public:
  /// Opens the outputs, so that one that cannot be written is known before any work is done. `recordings`
  /// must outlive the writer.
  static Result<ResultWriter> create(const Options& options, const perch::Model& model,
                                     std::span<const Recording> recordings);

  bool wants_embedding() const { return npz_.has_value(); }

  Status write(const WindowResult& window);

  /// Shows standard output's readers the rows so far.
  Status flush();

  /// Whether that failed because nobody wants more rows.
  bool reader_is_gone() const { return csv_ && csv_->output.reader_is_gone(); }

  /// Puts the files in place. Without finish() there are none. `cancelled` is asked now and then; once it
  /// returns true, finish() fails.
  Status finish(const std::function<bool()>& cancelled);

 private:
  struct Csv {
    output::PredictionCsv table;
    TextOutput output;
    bool has_header = false;  // written with the first row: no results, no output
  };
  struct Npz {
    output::NpzWriter file;
    std::size_t name_length;  // characters, all recordings' names padded to the longest
  };

  explicit ResultWriter(std::span<const Recording> recordings) : recordings_(recordings) {}

  Status open_npz(const Options& options, const perch::Model& model);
  Status write_csv(const WindowResult& window);
  Status write_npz(const WindowResult& window);

  std::span<const Recording> recordings_;
  std::optional<Csv> csv_;
  std::optional<Npz> npz_;
};

}  // namespace pantanal::infer

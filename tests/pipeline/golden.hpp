// The drawn competitions of make_pipeline_golden.py and what its oracle makes of them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "core/refused.hpp"
#include "pantanal/pipeline/fusion_classes.hpp"
#include "pantanal/pipeline/submission.hpp"
#include "pantanal/pipeline/window_labels.hpp"

namespace pantanal::pipeline {

using Lines = std::vector<std::vector<std::string>>;

inline std::filesystem::path golden_folder() {
  return std::filesystem::path(PANTANAL_SOURCE_DIR) / "tests" / "golden" / "pipeline";
}

inline Lines read_lines(const std::filesystem::path& path) {
  const auto rows = read_csv(path);
  EXPECT_TRUE(succeeded(rows));
  Lines lines;
  if (rows)
    for (const CsvRow& row : *rows) lines.push_back(row.fields);
  EXPECT_FALSE(lines.empty()) << path;
  return lines;
}

/// The numbers of "3;9;10" or of several fields.
inline std::vector<std::size_t> indices_of(const std::string& text) {
  std::vector<std::size_t> numbers;
  for (const std::string& word : parse_soundscape_labels(text))
    if (word != "nan") numbers.push_back(std::stoul(word));
  return numbers;
}

/// One drawn competition.
class Golden {
 public:
  explicit Golden(std::filesystem::path folder) : folder_(std::move(folder)) {
    const auto sample = read_sample_submission(folder_ / "sample_submission.csv");
    EXPECT_TRUE(succeeded(sample));
    classes = sample->classes;
    const auto table = read_taxonomy(folder_ / "taxonomy.csv");
    EXPECT_TRUE(succeeded(table));
    taxonomy = *table;
    const auto windows = read_window_labels(folder_ / "labels.csv", classes);
    EXPECT_TRUE(succeeded(windows));
    labels = *windows;
    for (const auto& line : lines("perch_labels")) perch_labels.push_back(line[0]);
    perch_labels.erase(perch_labels.begin());
    for (const auto& line : lines("meta")) {
      const std::string& file = line[1];
      meta.push_back({line[0], file, parse_site_hour(file)});
      folds.push_back(std::stoi(line[2]));
    }
  }

  std::filesystem::path path(const std::string& name) const { return folder_ / (name + ".csv"); }
  Lines lines(const std::string& name) const { return read_lines(path(name)); }

  Scores array(const std::string& name) const {
    const Lines text = lines(name);
    Scores values(text.size(), text[0].size());
    for (std::size_t i = 0; i < values.rows; ++i)
      for (std::size_t c = 0; c < values.columns; ++c)
        values(i, c) = std::strtof(text[i][c].c_str(), nullptr);
    return values;
  }

  std::string text(const std::string& parameter) const {
    for (const auto& line : lines("parameters"))
      if (line[0] == parameter) return line[1];
    ADD_FAILURE() << "no parameter " << parameter;
    return "0";
  }
  double number(const std::string& parameter) const { return std::stod(text(parameter)); }
  float real(const std::string& parameter) const { return std::strtof(text(parameter).c_str(), nullptr); }

  std::vector<SiteHour> places() const {
    std::vector<SiteHour> all;
    for (const WindowMeta& window : meta) all.push_back(window.place);
    return all;
  }

  PerchMapping mapping() const {
    PerchMappingOptions options;
    if (std::filesystem::file_size(path("synonyms")) > 0)
      for (const auto& line : lines("synonyms")) options.synonyms.emplace(line[0], line[1]);
    const auto mapped = map_to_perch(taxonomy, classes, perch_labels, options);
    EXPECT_TRUE(succeeded(mapped));
    return *mapped;
  }
  FusionClasses fusion_classes() const {
    const auto sorted =
        build_fusion_classes(mapping(), *texture_classes(taxonomy, classes), active_classes(labels.y_sc));
    EXPECT_TRUE(succeeded(sorted));
    return *sorted;
  }

  std::vector<std::string> classes, perch_labels;
  Taxonomy taxonomy;
  WindowLabels labels;
  std::vector<WindowMeta> meta;  ///< of the rows of all arrays
  std::vector<int> folds;

 private:
  std::filesystem::path folder_;
};

inline std::vector<std::filesystem::path> golden_cases() {
  return {golden_folder() / "case_1", golden_folder() / "case_2"};
}

/// Runs test(golden) for each drawn competition.
template <class Test>
void for_each_golden(Test&& test) {
  for (const auto& folder : golden_cases()) {
    SCOPED_TRACE(folder.filename().string());
    test(Golden(folder));
  }
}

/// Fails if any value is further from `expected` than 1e-5, absolutely or relatively, whichever is more.
inline void expect_close(const Scores& found, const Scores& expected) {
  ASSERT_EQ(found.rows, expected.rows);
  ASSERT_EQ(found.columns, expected.columns);
  ASSERT_GT(found.values.size(), 0u);
  for (std::size_t i = 0; i < found.values.size(); ++i) {
    const double scale = std::max(1.0, std::abs(double{expected.values[i]}));
    ASSERT_LE(std::abs(double{found.values[i]} - double{expected.values[i]}), 1e-5 * scale)
        << "row " << i / found.columns << ", column " << i % found.columns;
  }
}

inline void expect_close(const Result<Scores>& found, const Scores& expected) {
  ASSERT_TRUE(succeeded(found));
  expect_close(*found, expected);
}

/// One column of a matrix.
inline std::vector<float> column(const Scores& scores, std::size_t c) {
  std::vector<float> values;
  for (std::size_t i = 0; i < scores.rows; ++i) values.push_back(scores(i, c));
  return values;
}

}  // namespace pantanal::pipeline

// Predictions as CSV: one row for each of a window's likeliest classes.
#pragma once

#include <charconv>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pantanal/io/csv.hpp"
#include "pantanal/output/top_classes.hpp"

namespace pantanal::output {

/// Where in which recording a window lies.
struct WindowPosition {
  std::string_view file;  ///< the recording's name, written byte for byte
  double start_s = 0, end_s = 0;
};

/// Text of the table file,start_s,end_s,rank,label,logit,softmax. Ranks count from 1, the likeliest. Numbers
/// have the fewest digits that are read back as the same float (times: double), whatever the locale.
class PredictionCsv {
 public:
  static constexpr std::string_view header = "file,start_s,end_s,rank,label,logit,softmax\n";

  /// `labels` name the classes; `top` is the number of rows per window, if there are as many classes.
  PredictionCsv(std::span<const std::string> labels, std::size_t top) : top_(top) {
    for (const std::string& label : labels) label_fields_.push_back(csv_field(label));
  }

  /// The rows of one window. `logits` must be finite, one per label.
  std::string rows(const WindowPosition& window, std::span<const float> logits) const {
    const std::string place =
        csv_field(window.file) + ',' + seconds(window.start_s) + ',' + seconds(window.end_s) + ',';
    std::string text;
    std::size_t rank = 0;
    for (const ScoredClass& scored : top_classes(logits, top_))
      text += place + std::to_string(++rank) + ',' + label_fields_[scored.index] + ',' +
              shortest(scored.logit) + ',' + shortest(static_cast<float>(scored.softmax)) + '\n';
    return text;
  }

 private:
  static std::string seconds(double value) {
    char digits[400];
    return {digits, std::to_chars(digits, digits + sizeof digits, value, std::chars_format::fixed).ptr};
  }

  static std::string shortest(float value) {
    char digits[32];
    return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
  }

  std::vector<std::string> label_fields_;
  std::size_t top_;
};

}  // namespace pantanal::output

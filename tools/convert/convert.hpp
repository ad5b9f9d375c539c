// The whole conversion: read, recognise, name the classes, verify, select, write.
#pragma once

#include <cstddef>
#include <filesystem>
#include <iosfwd>
#include <optional>
#include <vector>

#include "exit_code.hpp"
#include "pantanal/core/half.hpp"

namespace pantanal::convert {

struct ConvertOptions {
  std::filesystem::path source;  ///< an .onnx file, or a SavedModel's directory
  std::filesystem::path out;
  std::optional<std::filesystem::path> labels;    ///< names of all classes
  std::optional<std::filesystem::path> classes;   ///< those to keep; see select_classes
  std::size_t verify_windows = 2;                 ///< 0: do not verify
  bool trust_graph = false;                       ///< see RecogniseOptions
  Dtype dtype = Dtype::f32;                       ///< of the large weights in the file
  std::vector<std::filesystem::path> audio = {};  ///< recordings to measure the dtype's error on
};

/// Writes `options.out`, complete or not at all. A summary of the model goes to `report`; progress, notes and
/// errors go to `log`.
ExitCode convert(const ConvertOptions& options, std::ostream& report, std::ostream& log);

}  // namespace pantanal::convert

// Verification: the original graph, interpreted operator by operator, against the converted model.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "onnx/graph.hpp"
#include "pantanal/core/result.hpp"
#include "recognise/recognise.hpp"

namespace pantanal::convert {

/// How far one output of the converted model is from the graph's.
struct OutputAgreement {
  std::string output;
  std::string measure;    ///< "relative L2" or "max |difference|"
  double difference = 0;  ///< of the worst window
  double allowed = 0;
};

/// Runs `windows` synthetic windows (see audio_like_window) through the graph in double and through `model`,
/// which was recognised in it, in float32, and compares every output that the graph has.
///
/// Allowed: relative L2 1e-5 for embedding and spatial_embedding, |difference| 1e-5 for spectrogram and 2e-4
/// for label, about ten times what float32 costs on full-size models. The graph's own float32 rounding plays
/// no part.
///
/// Errors (ErrorCode::mismatch): an output that differs by more, with the measured and the allowed
/// difference, or that is not finite. Others: the graph cannot be interpreted, or needs too much memory.
Result<std::vector<OutputAgreement>> verify(const Graph& graph, const Recognised& recognised,
                                            std::shared_ptr<const perch::Model> model, std::size_t windows);

}  // namespace pantanal::convert

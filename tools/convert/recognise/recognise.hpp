// Recognition: a Perch v2 model out of an ONNX graph, however an exporter spelled it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "onnx/graph.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/perch/model.hpp"

namespace pantanal::convert {

struct RecogniseOptions {
  /// Accepts a graph that can be computed but differs from every Perch v2 (see family_deviations); what
  /// differs is then a note.
  bool trust_graph = false;
};

/// A recognised model, without labels and source.
struct Recognised {
  perch::Model model;
  std::string input;  ///< name of the graph's input, [batch, samples]
  /// The graph's name of each of the model's outputs that it gives out: "embedding", "spatial_embedding",
  /// "spectrogram", "label".
  std::map<std::string, std::string> outputs;
  std::vector<std::string> notes;  ///< what a person should know
};

/// Walks the graph from its outputs, never by node names. Outputs are found by the names above, or, if none
/// has one of these, by what they are. Batch norms are folded in double. Errors name the node, its operator
/// and output, what was found and what belongs there.
Result<Recognised> recognise(const Graph& graph, const RecogniseOptions& options = {});

}  // namespace pantanal::convert

// PerchMatch: every part of a Perch v2 graph, recognised, with the nodes it was read from.
#pragma once

#include <optional>
#include <vector>

#include "recognise/folded_layer.hpp"
#include "recognise/frontend.hpp"
#include "recognise/label_head.hpp"
#include "recognise/mbconv.hpp"

namespace pantanal::convert {

/// The values that the graph gives out; null where it does not.
struct OutputFacts {
  const Fact* embedding = nullptr;
  const Fact* spatial_embedding = nullptr;
  const Fact* spectrogram = nullptr;
  const Fact* label = nullptr;
};

/// The first and the last convolution with their activations.
struct EndMatch {
  FoldedLayer layer;
  perch::Activation activation = perch::Activation::none;
};

struct PerchMatch {
  OutputFacts outputs;
  FrontendMatch frontend;
  EndMatch stem, head;
  perch::ConvGeometry stem_geometry;
  std::vector<MbConvMatch> blocks;  ///< in the order of the forward pass
  std::optional<LabelMatch> label;
};

/// Walks the graph from its outputs to its input.
Result<PerchMatch> match_perch(const Analysis& analysis, const OutputFacts& outputs);

/// In what the parts differ from every Perch v2, released or reduced in width: pads that are not SAME, layers
/// of one kind written differently, an activation that changes from block to block, a block without its
/// skip... Such a graph can be computed, but has probably been damaged. In the order of the forward pass;
/// empty for a Perch v2.
std::vector<Error> family_deviations(const PerchMatch& match);

}  // namespace pantanal::convert

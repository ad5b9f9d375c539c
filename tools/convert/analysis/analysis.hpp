// Analysis: a whole graph with everything known about each of its values, before any meaning is attached to
// them.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/fact.hpp"
#include "onnx/graph.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::convert {

/// Facts of every value: constants folded, batch symbolic, axes followed through Transpose and Reshape. Holds
/// pointers into the graph, which must outlive it and stay in its place.
class Analysis {
 public:
  /// Errors: not exactly one input that is no constant, whose shape is not [batch, samples] (extents of 1 may
  /// stand between them); a node that uses a value nothing has made before it. A node that cannot be followed
  /// is no error here: its outputs, and what depends on them, carry the problem.
  static Result<Analysis> create(const Graph& graph);
  static Result<Analysis> create(Graph&&) = delete;

  const Fact& input() const { return facts_.front(); }
  const Axes& axes() const { return axes_; }
  const Axis& axis(int index) const { return axes_[static_cast<std::size_t>(index)]; }
  std::int64_t opset() const { return graph_->opset; }

  /// The value of this name, or null.
  const Fact* find(std::string_view name) const;

  NodeView view(const Fact& fact) const { return NodeView(*fact.node, graph_->opset, fact.inputs); }

 private:
  explicit Analysis(const Graph& graph) : graph_(&graph) {}
  Status add_input();
  Status add_node(std::size_t index);
  void deduce(const NodeView& node, std::vector<Fact*>& outputs);

  const Graph* graph_;
  Axes axes_;
  std::deque<Fact> facts_;  ///< the input first
  std::map<std::string, Fact*, std::less<>> by_name_;
};

}  // namespace pantanal::convert

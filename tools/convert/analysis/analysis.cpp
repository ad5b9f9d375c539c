#include "analysis/analysis.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "analysis/fold_constants.hpp"
#include "analysis/infer_layout.hpp"
#include "pantanal/perch/architecture_validation.hpp"

namespace pantanal::convert {
namespace {

/// The graph's one input that is no constant.
Result<const Value*> only_input(const Graph& graph) {
  if (graph.inputs.size() == 1) return &graph.inputs.front();
  return Error{ErrorCode::unsupported, "the graph", std::to_string(graph.inputs.size()) + " inputs",
               "one, float32 [batch, samples]"};
}

/// Layout of [batch, samples], possibly with extents of 1.
Result<Layout> input_layout(const Value& input) {
  constexpr auto most = static_cast<std::int64_t>(perch::ArchitectureLimits::samples);
  Layout layout;
  std::size_t long_dimensions = 0;
  for (const std::int64_t extent : input.shape) {
    if (layout.empty()) {
      layout.push_back(extent == 1 ? Digits() : Digits{{batch_axis, std::max<std::int64_t>(extent, 0), 1}});
      continue;
    }
    if (extent != 1) ++long_dimensions;
    layout.push_back(whole_axis(time_axis, extent));
    if (extent < 1 || extent > most) long_dimensions = 2;
  }
  if (long_dimensions == 1) return layout;
  return Error{ErrorCode::unsupported, "input " + in_quotes(input.name),
               "the shape " + to_string(input.shape) + " (-1: not said)",
               "[batch, samples], with the number of samples, at most " + std::to_string(most)};
}

/// Whether an output is nothing but another view of the first input.
bool is_same_elements(const NodeView& node, const Layout& output) {
  if (is_view(node)) return true;
  const bool selects = node.is("Slice") || node.is("Split") || node.is("Gather") || node.is("Pad");
  return selects && output == node.inputs().front()->layout;
}

}  // namespace

Result<Analysis> Analysis::create(const Graph& graph) {
  Analysis analysis(graph);
  PANTANAL_TRY_STATUS(analysis.add_input());
  for (const auto& [name, constant] : graph.constants) {
    Fact& fact = analysis.facts_.emplace_back();
    fact.name = name;
    fact.known = known_from(constant);
    analysis.by_name_.emplace(name, &fact);
  }
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) PANTANAL_TRY_STATUS(analysis.add_node(i));
  return analysis;
}

const Fact* Analysis::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

Status Analysis::add_input() {
  PANTANAL_TRY(const Value* const input, only_input(*graph_));
  axes_ = {{AxisKind::batch, 0}, {AxisKind::time, 0}};
  Fact& fact = facts_.emplace_back();
  fact.name = input->name;
  PANTANAL_TRY(fact.layout, input_layout(*input));
  by_name_.emplace(fact.name, &fact);
  return {};
}

Status Analysis::add_node(std::size_t index) {
  const Node& node = graph_->nodes[index];
  std::vector<const Fact*> inputs;
  for (const std::string& name : node.inputs) {
    inputs.push_back(name.empty() ? nullptr : find(name));
    if (!name.empty() && !inputs.back())
      return node_error(node, "the input " + in_quotes(name) + ", which no node before it makes",
                        "nodes in the order in which they are computed", ErrorCode::corrupt);
  }
  std::vector<Fact*> outputs;
  for (const std::string& name : node.outputs) {
    Fact& fact = facts_.emplace_back();
    fact.name = name;
    fact.node = &node;
    fact.order = index + 1;
    fact.inputs = inputs;
    if (!name.empty() && !by_name_.emplace(name, &fact).second)
      return node_error(node, "the output " + in_quotes(name) + " a second time", "one value of each name",
                        ErrorCode::corrupt);
    outputs.push_back(&fact);
  }
  deduce(NodeView(node, graph_->opset, inputs), outputs);
  return {};
}

void Analysis::deduce(const NodeView& node, std::vector<Fact*>& outputs) {
  for (Fact* output : outputs)
    output->problem = node.error("its output " + in_quotes(output->name), "its other outputs only");
  const auto refuse = [&](const Error& problem) {
    for (Fact* output : outputs) output->problem = problem;
  };
  for (const Fact* input : node.inputs())
    if (input && input->problem) return refuse(*input->problem);
  auto folded = node.node().domain.empty() ? fold_constants(node) : std::vector<Known>();
  if (!folded) return refuse(folded.error());
  for (std::size_t i = 0; i < folded->size() && i < outputs.size(); ++i) {
    outputs[i]->known = std::move((*folded)[i]);
    outputs[i]->problem.reset();
  }
  if (!folded->empty()) return;
  const auto is_signal = [](const Fact* input) { return input && !input->known; };
  if (std::none_of(node.inputs().begin(), node.inputs().end(), is_signal))
    return refuse(
        node.error("operator " + operator_name(node.node()) + " on constants, which is not computed here",
                   "constants computed beforehand, as onnxsim does"));
  auto layouts = infer_layout(node, axes_);
  if (!layouts) return refuse(layouts.error());
  for (std::size_t i = 0; i < layouts->size() && i < outputs.size(); ++i) {
    outputs[i]->layout = std::move((*layouts)[i]);
    outputs[i]->problem.reset();
    if (is_same_elements(node, outputs[i]->layout)) outputs[i]->origin = node.inputs().front()->origin;
  }
}

}  // namespace pantanal::convert

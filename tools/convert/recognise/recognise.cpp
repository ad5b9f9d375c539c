#include "recognise/recognise.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>

#include "analysis/analysis.hpp"
#include "onnx/node_message.hpp"
#include "recognise/model_from_match.hpp"
#include "recognise/perch_match.hpp"
#include "recognise/pooling.hpp"

namespace pantanal::convert {
namespace {

constexpr std::array<const char*, 4> output_names = {"embedding", "spatial_embedding", "spectrogram",
                                                     "label"};

const Fact** slot(OutputFacts& outputs, std::size_t i) {
  const Fact** const slots[] = {&outputs.embedding, &outputs.spatial_embedding, &outputs.spectrogram,
                                &outputs.label};
  return slots[i];
}

/// Which output a value is, by its rank, and among matrices by whether it is a mean over positions.
std::size_t kind_of(const Analysis& analysis, const Fact& fact) {
  const std::size_t rank = fact.extents().size();
  if (rank == 4) return 1;
  if (rank == 3) return 2;
  return match_pooling(analysis, fact, Pooling::mean, "the embedding") ? 0 : 3;
}

/// By name where the names are Perch v2's; values of other names are then left alone, with a note.
Result<OutputFacts> find_outputs(const Graph& graph, const Analysis& analysis,
                                 std::vector<std::string>& notes) {
  OutputFacts outputs;
  const auto name_index = [](const std::string& name) {
    return static_cast<std::size_t>(std::find(output_names.begin(), output_names.end(), name) -
                                    output_names.begin());
  };
  const bool named = std::any_of(graph.outputs.begin(), graph.outputs.end(), [&](const Value& output) {
    return name_index(output.name) < output_names.size();
  });
  for (const Value& output : graph.outputs) {
    const Fact* const fact = analysis.find(output.name);
    if (!fact || fact->known)
      return Error{ErrorCode::corrupt, "output " + in_quotes(output.name),
                   fact ? "a constant" : "no node that makes it", "a value computed from the input"};
    if (fact->problem) return *fact->problem;
    const std::size_t kind = named ? name_index(output.name) : kind_of(analysis, *fact);
    if (kind == output_names.size()) {
      notes.push_back("output " + in_quotes(output.name) + " is none of Perch v2's and is left out");
      continue;
    }
    if (*slot(outputs, kind))
      return Error{ErrorCode::unsupported, "output " + in_quotes(output.name),
                   std::string("a second output that looks like ") + output_names[kind],
                   "outputs named embedding, spatial_embedding, spectrogram, label, or one of each kind"};
    *slot(outputs, kind) = fact;
  }
  if (!outputs.embedding) notes.push_back("the graph has no output 'embedding': it cannot be compared");
  return outputs;
}

/// Nodes that compute images but that no output depends on: what is left of a layer that was cut out.
std::vector<Error> unused_convolutions(const Graph& graph) {
  std::set<std::string_view> used;
  for (const Value& output : graph.outputs) used.insert(output.name);
  std::vector<Error> unused;
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    const bool is_used = std::any_of(node->outputs.begin(), node->outputs.end(),
                                     [&](const std::string& output) { return used.contains(output); });
    if (is_used)
      used.insert(node->inputs.begin(), node->inputs.end());
    else if (node->op == "Conv")
      unused.push_back(node_error(*node, "a convolution that no output depends on",
                                  "one whose result is used", ErrorCode::mismatch));
  }
  std::reverse(unused.begin(), unused.end());
  return unused;
}

/// The first departure, what the others are, and what a person can do about them.
Error untrusted(std::vector<Error> departures) {
  constexpr std::size_t most_named = 8;
  Error error = std::move(departures.front());
  error.expected += "; Perch v2 has nothing else there. ";
  if (departures.size() > 1)
    error.expected += "It departs from Perch v2 in " + std::to_string(departures.size()) + " places";
  for (std::size_t i = 1; i < std::min(departures.size(), most_named); ++i)
    error.expected += "\n  also " + departures[i].message();
  if (departures.size() > most_named)
    error.expected += "\n  and " + std::to_string(departures.size() - most_named) + " more";
  error.expected += std::string(departures.size() > 1 ? "\n" : "") +
                    "If this file is meant to be so, convert it with --trust-graph";
  return error;
}

}  // namespace

Result<Recognised> recognise(const Graph& graph, const RecogniseOptions& options) {
  PANTANAL_TRY(const Analysis analysis, Analysis::create(graph));
  Recognised result;
  result.input = analysis.input().name;
  PANTANAL_TRY(OutputFacts outputs, find_outputs(graph, analysis, result.notes));
  PANTANAL_TRY(PerchMatch match, match_perch(analysis, outputs));
  std::vector<Error> departures = family_deviations(match);
  for (Error& unused : unused_convolutions(graph)) departures.push_back(std::move(unused));
  if (!departures.empty() && !options.trust_graph) return untrusted(std::move(departures));
  for (const Error& departure : departures) result.notes.push_back("trusted: " + departure.message());
  for (std::size_t i = 0; i < output_names.size(); ++i)
    if (const Fact* const fact = *slot(outputs, i)) result.outputs.emplace(output_names[i], fact->name);
  result.model = model_from_match(std::move(match));
  PANTANAL_TRY_STATUS(perch::validate(result.model.architecture, "the graph"));
  return result;
}

}  // namespace pantanal::convert

#include "recognise/recognise.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "analysis/analysis.hpp"
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

/// With what a person can do about it.
Error untrusted(Error error) {
  error.expected +=
      "; Perch v2 has nothing else there. If this file is meant to be so, convert it with --trust-graph";
  return error;
}

}  // namespace

Result<Recognised> recognise(const Graph& graph, const RecogniseOptions& options) {
  PANTANAL_TRY(const Analysis analysis, Analysis::create(graph));
  Recognised result;
  result.input = analysis.input().name;
  PANTANAL_TRY(OutputFacts outputs, find_outputs(graph, analysis, result.notes));
  PANTANAL_TRY(PerchMatch match, match_perch(analysis, outputs));
  for (Error& deviation : family_deviations(match)) {
    if (!options.trust_graph) return untrusted(std::move(deviation));
    result.notes.push_back("trusted: " + deviation.message());
  }
  for (std::size_t i = 0; i < output_names.size(); ++i)
    if (const Fact* const fact = *slot(outputs, i)) result.outputs.emplace(output_names[i], fact->name);
  result.model = model_from_match(std::move(match));
  PANTANAL_TRY_STATUS(perch::validate(result.model.architecture, "the graph"));
  return result;
}

}  // namespace pantanal::convert

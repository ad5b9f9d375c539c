#include "recognise/elementwise_region.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace pantanal::convert {
namespace {

constexpr std::size_t most_nodes = 32;

/// Whether every operand is a value or a constant scalar.
bool has_scalar_constants(const Fact& fact) {
  return std::all_of(fact.inputs.begin(), fact.inputs.end(), [](const Fact* input) {
    if (!input || !input->known) return true;
    return input->known->size() == 1 &&
           (input->known->is_real() || input->known->integers().front().is_fixed());
  });
}

double constant_value(const Known& known) {
  return known.is_real() ? known.real(0) : static_cast<double>(known.integers().front().fixed);
}

}  // namespace

ElementwiseRegion::ElementwiseRegion(const Analysis& analysis, const Fact& result)
    : analysis_(&analysis), result_(result.origin), frontier_{result.origin} {}

bool ElementwiseRegion::grow() {
  const auto latest = std::max_element(frontier_.begin(), frontier_.end(),
                                       [](const Fact* a, const Fact* b) { return a->order < b->order; });
  const Fact* const fact = *latest;
  const bool elementwise = fact->node && fact->node->domain.empty() && is_elementwise(fact->node->op);
  if (!elementwise || steps_.size() == most_nodes || !has_scalar_constants(*fact)) return false;
  auto function = scalar_function(analysis_->view(*fact));
  if (!function) return false;
  frontier_.erase(latest);
  for (const Fact* input : fact->inputs)
    if (input && !input->known &&
        std::find(frontier_.begin(), frontier_.end(), input->origin) == frontier_.end())
      frontier_.push_back(input->origin);
  steps_.push_back({fact, std::move(*function)});
  return true;
}

std::vector<double> ElementwiseRegion::operator()(const std::vector<double>& xs) const {
  std::map<const Fact*, std::vector<double>> values{{frontier_.front(), xs}};
  for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
    std::vector<const std::vector<double>*> operands;  // null where a constant stands
    std::vector<double> arguments;
    for (const Fact* input : step->fact->inputs) {
      operands.push_back(input && !input->known ? &values.at(input->origin) : nullptr);
      arguments.push_back(input && input->known ? constant_value(*input->known) : std::nan(""));
    }
    std::vector<double>& results = values[step->fact];
    results.reserve(xs.size());
    for (std::size_t i = 0; i < xs.size(); ++i) {
      for (std::size_t k = 0; k < operands.size(); ++k)
        if (operands[k]) arguments[k] = (*operands[k])[i];
      results.push_back(step->function(arguments));
    }
  }
  return values.at(result_);
}

std::string ElementwiseRegion::operators() const {
  std::string text;
  for (const Step& step : steps_) text += (text.empty() ? "" : ", ") + step.fact->node->op;
  return text;
}

}  // namespace pantanal::convert

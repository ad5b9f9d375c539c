// The one list of operators.
#include <map>

#include "interpreter/operator.hpp"

namespace pantanal::convert::interpreter {
namespace {

template <class Real>
std::map<std::string_view, Operator<Real>> all_operators() {
  std::map<std::string_view, Operator<Real>> all;
  for (const auto& family : {unary_operators<Real>, arithmetic_operators<Real>, comparison_operators<Real>,
                             reduction_operators<Real>, shape_operators<Real>, selection_operators<Real>,
                             joining_operators<Real>, pad_operators<Real>, creation_operators<Real>,
                             conv_operators<Real>, pooling_operators<Real>, matrix_product_operators<Real>,
                             einsum_operators<Real>, dft_operators<Real>, normalization_operators<Real>})
    for (Operator<Real>& entry : family()) all.emplace(entry.name, std::move(entry));
  return all;
}

}  // namespace

template <class Real>
const Operator<Real>* find_operator(std::string_view name) {
  static const std::map<std::string_view, Operator<Real>> all = all_operators<Real>();
  const auto it = all.find(name);
  return it == all.end() ? nullptr : &it->second;
}

template const Operator<float>* find_operator<float>(std::string_view);
template const Operator<double>* find_operator<double>(std::string_view);

}  // namespace pantanal::convert::interpreter

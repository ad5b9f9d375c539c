// A model with fewer classes: the label head costs in proportion to them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/perch/model.hpp"

namespace pantanal::perch {

namespace detail {

/// The given rows of `tensor`, its first extent counting them.
inline Tensor select_rows(const Tensor& tensor, std::span<const std::size_t> rows) {
  const std::size_t width = tensor.size() / static_cast<std::size_t>(tensor.shape.front());
  Shape shape = tensor.shape;
  shape.front() = static_cast<std::int64_t>(rows.size());
  if (tensor.dtype == Dtype::i8) {
    const std::size_t each = tensor.scales.size() / static_cast<std::size_t>(tensor.shape.front());
    std::vector<std::int8_t> quanta;
    std::vector<float> scales;
    for (const std::size_t row : rows) {
      const auto some = tensor.quanta.subspan(row * width, width);
      const auto factors = tensor.scales.subspan(row * each, each);
      quanta.insert(quanta.end(), some.begin(), some.end());
      scales.insert(scales.end(), factors.begin(), factors.end());
    }
    return make_int8_tensor(std::move(shape), std::move(quanta), std::move(scales));
  }
  std::vector<float> values;
  values.reserve(rows.size() * width);
  for (const std::size_t row : rows)
    for (std::size_t i = 0; i < width; ++i) values.push_back(tensor.at(row * width + i));
  return convert_tensor(make_tensor(std::move(shape), std::move(values)), tensor.dtype);  // exact
}

}  // namespace detail

/// `model` with only the given rows of its label head, bit for bit, in the order given; a row may be given
/// more than once. All else is shared with `model`. Errors: no row, a row that does not exist, a model that
/// is not valid.
inline Result<Model> keep_classes(const Model& model, std::span<const std::size_t> rows) {
  PANTANAL_TRY_STATUS(validate(model));
  const std::size_t classes = model.architecture.label.classes;
  if (rows.empty() || rows.size() > ArchitectureLimits::classes)
    return Error{ErrorCode::invalid_argument, "keep_classes",
                 std::to_string(rows.size()) + " classes to keep",
                 "1 to " + std::to_string(ArchitectureLimits::classes)};
  Model kept = model;
  kept.labels.clear();
  for (const std::size_t row : rows) {
    if (row >= classes)
      return Error{ErrorCode::invalid_argument, "keep_classes", "row " + std::to_string(row),
                   "less than the model's " + std::to_string(classes) + " classes"};
    kept.labels.push_back(model.labels[row]);
  }
  kept.architecture.label.classes = rows.size();
  for (const std::string_view name : {"label.prototypes", "label.scale", "label.bias"}) {
    Tensor& tensor = kept.tensors.find(name)->second;
    tensor = detail::select_rows(tensor, rows);
  }
  return kept;
}

}  // namespace pantanal::perch

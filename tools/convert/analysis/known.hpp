// Known: a value that does not depend on the model's input, computed at conversion time.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "analysis/dim.hpp"
#include "onnx/graph.hpp"

namespace pantanal::convert {

/// Elements are float or double for real numbers, Dim for integers and booleans. They are stored without the
/// axes along which they only repeat: extents[i] is shape[i], or shape[i] is 1 and extents[i] says how often,
/// which may depend on the batch. Copies share the elements.
struct Known {
  using Floats = std::shared_ptr<const std::vector<float>>;
  using Doubles = std::shared_ptr<const std::vector<double>>;
  using Integers = std::shared_ptr<const std::vector<Dim>>;

  Shape shape;
  Dims extents;
  std::variant<Floats, Doubles, Integers> elements;

  std::size_t size() const {
    return std::visit([](const auto& values) { return values->size(); }, elements);
  }
  bool is_real() const { return elements.index() != 2; }
  bool repeats() const { return extents != fixed_dims(shape); }
  const std::vector<Dim>& integers() const { return *std::get<Integers>(elements); }

  /// Element i of a real value.
  double real(std::size_t i) const {
    if (const auto* floats = std::get_if<Floats>(&elements)) return (**floats)[i];
    return (*std::get<Doubles>(elements))[i];
  }

  /// The one real number it consists of, if it does.
  std::optional<double> scalar() const {
    return is_real() && size() == 1 ? std::optional(real(0)) : std::nullopt;
  }
};

template <class T>
Known make_known(Shape shape, std::vector<T> values) {
  Dims extents = fixed_dims(shape);
  return {std::move(shape), std::move(extents), std::make_shared<const std::vector<T>>(std::move(values))};
}

/// A view of a graph's constant, which must outlive it; integers are copied.
inline Known known_from(const Constant& constant) {
  const auto view = [](const auto& values) {
    return std::shared_ptr<const std::remove_cvref_t<decltype(values)>>(std::shared_ptr<const void>(),
                                                                        &values);
  };
  Known known{constant.shape, fixed_dims(constant.shape), {}};
  if (constant.type == DataType::float32)
    known.elements = view(constant.floats);
  else if (constant.type == DataType::float64)
    known.elements = view(constant.doubles);
  else
    known.elements = std::make_shared<const Dims>(fixed_dims(constant.ints));
  return known;
}

/// f(elements) for whatever type they have; f returns a vector of the same type. The result has this shape.
template <class F>
Known with_elements(const Known& known, Shape shape, F&& f) {
  return std::visit([&](const auto& values) { return make_known(std::move(shape), f(*values)); },
                    known.elements);
}

/// All elements written out, unless they are more than `most` or their number depends on the batch.
std::optional<Known> written_out(const Known& known, std::int64_t most = std::int64_t{1} << 24);

}  // namespace pantanal::convert

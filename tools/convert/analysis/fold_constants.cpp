#include "analysis/fold_constants.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>

#include "analysis/shape_rules.hpp"
#include "analysis/strided.hpp"

namespace pantanal::convert {
namespace {

/// The single element of known input i as an integer of a shape computation.
std::optional<Dim> integer_scalar(const NodeView& node, std::size_t i) {
  const Fact* fact = node.optional_input(i);
  if (!fact || !fact->known || fact->known->is_real() || fact->known->size() != 1) return std::nullopt;
  return fact->known->integers().front();
}

Folded shape_of(const NodeView& node) {
  PANTANAL_TRY(const Fact* const input, node.input(0));
  const Dims extents = input->extents();
  const auto rank = static_cast<std::int64_t>(extents.size());
  PANTANAL_TRY(const std::int64_t start, node.integer("start", 0));
  PANTANAL_TRY(const std::int64_t end, node.integer("end", rank));
  const auto bound = [rank](std::int64_t at) {
    return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank);
  };
  const std::int64_t first = bound(std::max(start, -rank)),
                     last = std::max(first, bound(std::max(end, -rank)));
  return std::vector{make_known({last - first}, Dims(extents.begin() + first, extents.begin() + last))};
}

Folded size_of(const NodeView& node) {
  PANTANAL_TRY(const Fact* const input, node.input(0));
  const auto size = product(input->extents());
  return size ? Folded(std::vector{make_known({}, Dims{*size})}) : unknown();
}

Folded constant_of_shape(const NodeView& node) {
  PANTANAL_TRY(const auto extents, node.dims(0));
  PANTANAL_TRY(const Constant* const value, node.constant("value"));
  if (!extents || !product(*extents)) return unknown();
  Known known = value ? known_from(*value) : make_known({1}, std::vector<float>{0});
  if (known.size() != 1) return node.error("a value of several elements", "one element", ErrorCode::corrupt);
  known = with_elements(known, Shape(extents->size(), 1), [](const auto& values) { return values; });
  known.extents = *extents;
  return std::vector{std::move(known)};
}

Folded range(const NodeView& node) {
  constexpr std::int64_t most = 1 << 24;
  std::array<double, 3> real = {};
  std::array<Dim, 3> integer = {};
  bool is_integer = true;
  for (std::size_t i = 0; i < 3; ++i) {
    PANTANAL_TRY(const Fact* const input, node.input(i));
    const auto dim = integer_scalar(node, i);
    const auto scalar = input->known->scalar();
    if ((!dim && !scalar) || (dim && !dim->is_fixed())) return unknown();
    is_integer = is_integer && dim;
    integer[i] = dim.value_or(Dim{});
    real[i] = dim ? static_cast<double>(dim->fixed) : *scalar;
  }
  const auto [start, limit, delta] = real;
  const double steps = std::ceil((limit - start) / delta);
  if (!(steps <= most)) return unknown();  // NaN too
  const auto count = static_cast<std::int64_t>(std::max(steps, 0.0));
  std::vector<double> reals;
  Dims integers;
  for (std::int64_t i = 0; i < count; ++i) {
    if (is_integer)
      integers.push_back({integer[0].fixed + i * integer[2].fixed});
    else
      reals.push_back(start + static_cast<double>(i) * delta);
  }
  return std::vector{is_integer ? make_known({count}, std::move(integers))
                                : make_known({count}, std::move(reals))};
}

}  // namespace

std::optional<Known> written_out(const Known& known, std::int64_t most) {
  if (!known.repeats()) return known;
  const auto shape = fixed_shape(known.extents);
  const auto count = shape ? element_count(*shape) : std::nullopt;
  if (!count || *count > most) return std::nullopt;
  return with_elements(known, *shape, [&](const auto& values) {
    return strided_copy(values, *shape, broadcast_strides(known.shape, *shape));
  });
}

Folded fold_constants(const NodeView& node) {
  if (node.is("Shape")) return shape_of(node);
  if (node.is("Size")) return size_of(node);
  for (const Fact* input : node.inputs())
    if (input && !input->known) return unknown();
  if (node.is("ConstantOfShape")) return constant_of_shape(node);
  if (node.is("Range")) return range(node);
  PANTANAL_TRY(std::vector<Known> moved, fold_movement(node));
  return moved.empty() ? fold_arithmetic(node) : Folded(std::move(moved));
}

}  // namespace pantanal::convert

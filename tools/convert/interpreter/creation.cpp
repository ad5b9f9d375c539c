// Operators that make tensors from nothing but numbers, and Cast, which makes one kind from another.
#include <cmath>
#include <cstdint>

#include "interpreter/operator.hpp"
#include "interpreter/scalar_arithmetic.hpp"

namespace pantanal::convert::interpreter {
namespace {

/// ceil((limit − start) / delta), at least 0.
std::uint64_t range_count(std::int64_t start, std::int64_t limit, std::int64_t delta) {
  const auto a = static_cast<std::uint64_t>(start), b = static_cast<std::uint64_t>(limit);
  const auto step = static_cast<std::uint64_t>(delta);
  if (delta > 0) return limit > start ? (b - a - 1) / step + 1 : 0;
  return limit < start ? (a - b - 1) / (0 - step) + 1 : 0;
}

template <class Real>
Result<Tensors<Real>> integer_range(const Call<Real>& call) {
  std::int64_t ends[3] = {};
  for (std::size_t i = 0; i < 3; ++i) {
    PANTANAL_TRY(ends[i], call.integer_scalar(i));
  }
  if (ends[2] == 0) return call.error(ErrorCode::mismatch, "delta 0", "any other");
  const auto count = static_cast<std::int64_t>(range_count(ends[0], ends[1], ends[2]));
  PANTANAL_TRY_STATUS(call.size_of({count}));
  std::vector<std::int64_t> values;
  for (std::int64_t i = 0; i < count; ++i) values.push_back(add(ends[0], multiply(i, ends[2])));
  return Tensors<Real>{integer_tensor<Real>(Kind::integer, {count}, std::move(values))};
}

template <class Real>
Result<Tensors<Real>> real_range(const Call<Real>& call) {
  Real ends[3] = {};
  for (std::size_t i = 0; i < 3; ++i) {
    PANTANAL_TRY_STATUS(call.expect(i, Kind::real));
    if (call.input(i).size() != 1) return call.error(ErrorCode::mismatch, call.describe(i), "a scalar");
    ends[i] = call.input(i).reals->front();
  }
  const Real steps = std::ceil((ends[1] - ends[0]) / ends[2]);
  constexpr Real most = 0x1p40;
  if (!(steps < most))  // also where it is not a number
    return call.error(ErrorCode::mismatch, std::to_string(steps) + " elements", "a finite number of them");
  const std::int64_t count = steps > 0 ? static_cast<std::int64_t>(steps) : 0;
  PANTANAL_TRY_STATUS(call.size_of({count}));
  std::vector<Real> values;
  for (std::int64_t i = 0; i < count; ++i) values.push_back(ends[0] + static_cast<Real>(i) * ends[2]);
  return Tensors<Real>{real_tensor<Real>({count}, std::move(values))};
}

template <class Real>
Result<Tensors<Real>> range(const Call<Real>& call) {
  return call.input(0).kind == Kind::real ? real_range(call) : integer_range(call);
}

template <class Real>
Result<Tensors<Real>> constant_of_shape(const Call<Real>& call) {
  PANTANAL_TRY(const Shape shape, call.integer_list(0));
  PANTANAL_TRY(const std::size_t size, call.size_of(shape));
  PANTANAL_TRY(const Constant* value, call.constant("value"));
  if (!value) return Tensors<Real>{real_tensor(shape, std::vector<Real>(size, 0))};
  if (value->floats.size() + value->doubles.size() + value->ints.size() != 1)
    return call.attribute_error("value", "a tensor of shape " + to_string(value->shape), "one element");
  if (!value->ints.empty()) {
    const Kind kind = value->type == DataType::boolean ? Kind::boolean : Kind::integer;
    return Tensors<Real>{
        integer_tensor<Real>(kind, shape, std::vector<std::int64_t>(size, value->ints.front()))};
  }
  const Real fill = value->floats.empty() ? static_cast<Real>(value->doubles.front())
                                          : static_cast<Real>(value->floats.front());
  return Tensors<Real>{real_tensor(shape, std::vector<Real>(size, fill))};
}

/// ONNX's TensorProto.DataType, as far as Cast can make it.
enum class ElementType : std::int64_t {
  float32 = 1,
  uint8,
  int8,
  uint16,
  int16,
  int32,
  int64,
  boolean = 9,
  float64 = 11,
  uint32,
  uint64
};

/// The value as an integer type of fewer bits holds it: higher bits are dropped.
std::int64_t narrowed(std::int64_t value, ElementType type) {
  switch (type) {
    case ElementType::uint8:
      return static_cast<std::uint8_t>(value);
    case ElementType::int8:
      return static_cast<std::int8_t>(value);
    case ElementType::uint16:
      return static_cast<std::uint16_t>(value);
    case ElementType::int16:
      return static_cast<std::int16_t>(value);
    case ElementType::int32:
      return static_cast<std::int32_t>(value);
    case ElementType::uint32:
      return static_cast<std::uint32_t>(value);
    default:
      return value;
  }
}

template <class Real>
Result<Tensors<Real>> cast_to_reals(const Call<Real>& call) {
  const Tensor<Real>& input = call.input(0);
  if (input.kind == Kind::real) return Tensors<Real>{input};
  std::vector<Real> values;
  for (const std::int64_t value : *input.integers) values.push_back(static_cast<Real>(value));
  return Tensors<Real>{real_tensor(input.shape, std::move(values))};
}

template <class Real>
Result<Tensors<Real>> cast_to_booleans(const Call<Real>& call) {
  const Tensor<Real>& input = call.input(0);
  std::vector<std::int64_t> values;
  if (input.kind == Kind::real)
    for (const Real value : *input.reals) values.push_back(value != 0);
  else
    for (const std::int64_t value : *input.integers) values.push_back(value != 0);
  return Tensors<Real>{integer_tensor<Real>(Kind::boolean, input.shape, std::move(values))};
}

/// Reals are rounded towards zero; those no int64 can hold have no defined result and are an Error.
template <class Real>
Result<Tensors<Real>> cast_to_integers(const Call<Real>& call, ElementType type) {
  const Tensor<Real>& input = call.input(0);
  std::vector<std::int64_t> values;
  if (input.kind != Kind::real)
    for (const std::int64_t value : *input.integers) values.push_back(narrowed(value, type));
  else
    for (const Real value : *input.reals) {
      if (!(value >= Real(-0x1p63) && value < Real(0x1p63)))
        return call.error(ErrorCode::mismatch, std::to_string(value) + " cast to an integer",
                          "a value it can hold");
      values.push_back(narrowed(static_cast<std::int64_t>(value), type));
    }
  return Tensors<Real>{integer_tensor<Real>(Kind::integer, input.shape, std::move(values))};
}

template <class Real>
Result<Tensors<Real>> cast(const Call<Real>& call) {
  PANTANAL_TRY(const std::int64_t to, call.required_integer("to"));
  PANTANAL_TRY_STATUS(call.size_of(call.input(0).shape));
  const auto type = static_cast<ElementType>(to);
  switch (type) {
    case ElementType::float32:
    case ElementType::float64:
      return cast_to_reals(call);
    case ElementType::boolean:
      return cast_to_booleans(call);
    case ElementType::uint8:
    case ElementType::int8:
    case ElementType::uint16:
    case ElementType::int16:
    case ElementType::int32:
    case ElementType::int64:
    case ElementType::uint32:
      return cast_to_integers(call, type);
    default:
      return call.attribute_error("to", std::to_string(to),
                                  "float, double, bool or an integer of at most 64 bits");
  }
}

template <class Real>
Result<Tensors<Real>> cast_like(const Call<Real>& call) {
  PANTANAL_TRY_STATUS(call.size_of(call.input(0).shape));
  switch (call.input(1).kind) {
    case Kind::real:
      return cast_to_reals(call);
    case Kind::boolean:
      return cast_to_booleans(call);
    case Kind::integer:
      break;
  }
  return cast_to_integers(call, ElementType::int64);
}

}  // namespace

template <class Real>
Operators<Real> creation_operators() {
  // saturate and round_mode speak of 8-bit floats only, stash_type of 16-bit ones.
  return {
      {"Cast", cast<Real>, 1, 1, 1, {"round_mode", "saturate", "to"}},
      {"CastLike", cast_like<Real>, 2, 2, 1, {"round_mode", "saturate"}},
      {"ConstantOfShape", constant_of_shape<Real>, 1, 1, 1, {"value"}},
      {"Range", range<Real>, 3, 3, 1, {"stash_type"}},
  };
}

template Operators<float> creation_operators<float>();
template Operators<double> creation_operators<double>();

}  // namespace pantanal::convert::interpreter

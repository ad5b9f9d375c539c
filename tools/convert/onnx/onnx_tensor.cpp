#include "onnx/onnx_tensor.hpp"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

namespace pantanal::convert {
namespace {

using Proto = onnx::TensorProto;

/// Bits of an IEEE binary16 as a float.
float from_half(std::uint16_t bits) {
  const int exponent = bits >> 10 & 0x1f, mantissa = bits & 0x3ff;
  float magnitude =
      std::ldexp(static_cast<float>(exponent ? mantissa | 0x400 : mantissa), std::max(exponent, 1) - 25);
  if (exponent == 31)
    magnitude = mantissa ? std::numeric_limits<float>::quiet_NaN() : std::numeric_limits<float>::infinity();
  return bits & 0x8000 ? -magnitude : magnitude;
}

/// Bits of a bfloat16, the upper half of a float.
float from_bfloat(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

/// Reads one tensor's elements from raw_data (little-endian) or from the typed field of its kind.
class ElementReader {
 public:
  ElementReader(const Proto& tensor, std::size_t count, const std::string& where)
      : tensor_(tensor), count_(count), where_(where) {}

  /// Elements stored as `Raw` in raw_data or as the entries of `field`, each turned into an `Out` by
  /// `convert`.
  template <class Raw, class Out, class Field, class Convert>
  Status read(const Field& field, std::vector<Out>& out, Convert convert) const {
    static_assert(std::endian::native == std::endian::little);
    const bool raw = tensor_.has_raw_data() && !tensor_.raw_data().empty();
    const std::size_t stored = raw ? tensor_.raw_data().size() : static_cast<std::size_t>(field.size());
    const std::size_t size = raw ? sizeof(Raw) : 1;
    if (stored % size != 0 || stored / size != count_)
      return Error{ErrorCode::corrupt, where_, std::to_string(stored) + (raw ? " bytes of data" : " values"),
                   std::to_string(count_ * size) + ", for " + std::to_string(count_) + " elements"};
    out.resize(count_);
    if constexpr (std::is_same_v<Raw, Out>) {
      if (raw && count_) std::memcpy(out.data(), tensor_.raw_data().data(), stored);
      if (raw) return {};
    }
    for (std::size_t i = 0; i < count_; ++i) {
      Raw element;
      if (raw)
        std::memcpy(&element, tensor_.raw_data().data() + i * sizeof(Raw), sizeof(Raw));
      else
        element = static_cast<Raw>(field.Get(static_cast<int>(i)));
      out[i] = convert(element);
    }
    return {};
  }

  template <class Raw, class Field>
  Status integers(const Field& field, Constant& constant, DataType type = DataType::int64) const {
    constant.type = type;
    return read<Raw>(field, constant.ints, [](Raw value) { return static_cast<std::int64_t>(value); });
  }

 private:
  const Proto& tensor_;
  std::size_t count_;
  const std::string& where_;
};

std::string type_name(int type) {
  const std::string& name = Proto::DataType_IsValid(type)
                                ? Proto::DataType_Name(static_cast<Proto::DataType>(type))
                                : std::string();
  return "elements of type " + (name.empty() ? "number " + std::to_string(type) : name);
}

Status read_elements(const Proto& tensor, std::size_t count, const std::string& where, Constant& constant) {
  const ElementReader reader(tensor, count, where);
  const auto same = [](auto value) { return value; };
  switch (tensor.data_type()) {
    case Proto::FLOAT:
      return reader.read<float>(tensor.float_data(), constant.floats, same);
    case Proto::FLOAT16:
      return reader.read<std::uint16_t>(tensor.int32_data(), constant.floats, from_half);
    case Proto::BFLOAT16:
      return reader.read<std::uint16_t>(tensor.int32_data(), constant.floats, from_bfloat);
    case Proto::DOUBLE:
      constant.type = DataType::float64;
      return reader.read<double>(tensor.double_data(), constant.doubles, same);
    case Proto::INT64:
      return reader.integers<std::int64_t>(tensor.int64_data(), constant);
    case Proto::INT32:
      return reader.integers<std::int32_t>(tensor.int32_data(), constant);
    case Proto::INT16:
      return reader.integers<std::int16_t>(tensor.int32_data(), constant);
    case Proto::INT8:
      return reader.integers<std::int8_t>(tensor.int32_data(), constant);
    case Proto::UINT64:
      return reader.integers<std::uint64_t>(tensor.uint64_data(), constant);
    case Proto::UINT32:
      return reader.integers<std::uint32_t>(tensor.uint64_data(), constant);
    case Proto::UINT16:
      return reader.integers<std::uint16_t>(tensor.int32_data(), constant);
    case Proto::UINT8:
      return reader.integers<std::uint8_t>(tensor.int32_data(), constant);
    case Proto::BOOL:
      return reader.integers<std::uint8_t>(tensor.int32_data(), constant, DataType::boolean);
    default:
      return Error{ErrorCode::unsupported, where, type_name(tensor.data_type()),
                   "real numbers, integers or booleans"};
  }
}

}  // namespace

Result<Constant> constant_from(const Proto& tensor, const std::string& where) {
  if (tensor.data_location() == Proto::EXTERNAL || tensor.external_data_size() > 0)
    return Error{ErrorCode::unsupported, where, "data in another file",
                 "data inside the model; save it once more as a single file, in Python "
                 "onnx.save_model(onnx.load(SOURCE), OUT, save_as_external_data=False)"};
  if (tensor.has_segment())
    return Error{ErrorCode::unsupported, where, "a tensor in segments", "a whole tensor"};
  Constant constant;
  constant.shape.assign(tensor.dims().begin(), tensor.dims().end());
  const auto count = element_count(constant.shape);
  if (!count || static_cast<std::uint64_t>(*count) > std::numeric_limits<int>::max())
    return Error{ErrorCode::corrupt, where, "the shape " + to_string(constant.shape),
                 "extents of 0 or more, of less "
                 "than 2^31 elements"};
  PANTANAL_TRY_STATUS(read_elements(tensor, static_cast<std::size_t>(*count), where, constant));
  return constant;
}

}  // namespace pantanal::convert

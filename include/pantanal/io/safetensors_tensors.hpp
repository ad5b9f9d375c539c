// The float tensors of a .safetensors file as Tensors that keep the file mapped.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "pantanal/core/result.hpp"
#include "pantanal/core/tensor.hpp"
#include "pantanal/io/safetensors.hpp"

namespace pantanal {

/// What becomes of BF16, F16 and I8 tensors.
enum class NarrowTensors { refused, kept };

/// The name of an I8 tensor's scales, a tensor of its own in the file.
inline std::string scales_name(std::string_view name) { return std::string(name) + ".scale"; }

namespace detail {

/// I8 tensor `name` with its scales, which are F32 [count_scales()].
inline Result<Tensor> map_int8_tensor(const std::shared_ptr<const SafetensorsFile>& file,
                                      const std::string& name, const Shape& shape) {
  PANTANAL_TRY(const std::span<const std::int8_t> quanta, file->int8s(name));
  PANTANAL_TRY(const std::span<const float> scales, file->floats(scales_name(name)));
  const Shape& found = file->tensors().find(scales_name(name))->second.shape;
  const Shape expected{static_cast<std::int64_t>(count_scales(shape))};
  if (found != expected)
    return Error{ErrorCode::mismatch, file->path().string() + ": " + scales_name(name), to_string(found),
                 to_string(expected)};
  return Tensor{shape, {}, file, true, Dtype::i8, {}, quanta, scales};
}

/// Whether `name` is that of an I8 tensor's scales.
inline bool holds_scales(const SafetensorsFile& file, std::string_view name) {
  if (!name.ends_with(scales_name({}))) return false;
  const auto of = file.tensors().find(name.substr(0, name.size() - scales_name({}).size()));
  return of != file.tensors().end() && of->second.dtype == "I8";
}

}  // namespace detail

/// Every tensor of `file`, in place; each shares the ownership of the file. Tensors named in `unread`, e.g.
/// integer buffers, are left out. Errors: a tensor that is not F32, or, where `narrow` keeps them, BF16, F16
/// or I8 with its scales, which then are part of it.
inline Result<TensorMap> map_tensors(const std::shared_ptr<const SafetensorsFile>& file,
                                     std::span<const std::string_view> unread = {},
                                     NarrowTensors narrow = NarrowTensors::refused) {
  TensorMap tensors;
  for (const auto& [name, entry] : file->tensors()) {
    if (std::find(unread.begin(), unread.end(), name) != unread.end()) continue;
    if (narrow == NarrowTensors::kept && detail::holds_scales(*file, name)) continue;
    if (narrow == NarrowTensors::kept && entry.dtype == "I8") {
      PANTANAL_TRY(Tensor tensor, detail::map_int8_tensor(file, name, entry.shape));
      tensors.emplace(name, std::move(tensor));
      continue;
    }
    if (narrow == NarrowTensors::kept && entry.dtype != "F32") {
      PANTANAL_TRY(const std::span<const std::uint16_t> halves, file->halves(name));
      const Dtype dtype = entry.dtype == "F16" ? Dtype::f16 : Dtype::bf16;
      tensors.emplace(name, Tensor{entry.shape, {}, file, true, dtype, halves});
      continue;
    }
    PANTANAL_TRY(const std::span<const float> values, file->floats(name));
    tensors.emplace(name, Tensor{entry.shape, values, file, true, Dtype::f32, {}});
  }
  return tensors;
}

}  // namespace pantanal

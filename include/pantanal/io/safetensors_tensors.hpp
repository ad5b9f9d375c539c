// The float tensors of a .safetensors file as Tensors that keep the file mapped.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "pantanal/core/result.hpp"
#include "pantanal/core/tensor.hpp"
#include "pantanal/io/safetensors.hpp"

namespace pantanal {

/// What becomes of BF16 and F16 tensors.
enum class NarrowTensors { refused, kept };

/// Every tensor of `file`, in place; each shares the ownership of the file. Tensors named in `unread`, e.g.
/// integer buffers, are left out. Errors: a tensor that is not F32, or, where `narrow` keeps them, BF16 or
/// F16.
inline Result<TensorMap> map_tensors(const std::shared_ptr<const SafetensorsFile>& file,
                                     std::span<const std::string_view> unread = {},
                                     NarrowTensors narrow = NarrowTensors::refused) {
  TensorMap tensors;
  for (const auto& [name, entry] : file->tensors()) {
    if (std::find(unread.begin(), unread.end(), name) != unread.end()) continue;
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

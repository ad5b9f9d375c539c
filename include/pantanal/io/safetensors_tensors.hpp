// The float tensors of a .safetensors file as Tensors that keep the file mapped.
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <string_view>

#include "pantanal/core/result.hpp"
#include "pantanal/core/tensor.hpp"
#include "pantanal/io/safetensors.hpp"

namespace pantanal {

/// Every tensor of `file`, in place; each shares the ownership of the file. Tensors named in `unread`, e.g.
/// integer buffers, are left out. Errors: a tensor that is not F32.
inline Result<TensorMap> map_tensors(const std::shared_ptr<const SafetensorsFile>& file,
                                     std::span<const std::string_view> unread = {}) {
  TensorMap tensors;
  for (const auto& [name, entry] : file->tensors()) {
    if (std::find(unread.begin(), unread.end(), name) != unread.end()) continue;
    PANTANAL_TRY(const std::span<const float> values, file->floats(name));
    tensors.emplace(name, Tensor{entry.shape, values, file, true});
  }
  return tensors;
}

}  // namespace pantanal

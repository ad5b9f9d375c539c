// A module's parameters from a .safetensors file.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/core/tensor.hpp"
#include "pantanal/io/safetensors.hpp"
#include "pantanal/io/safetensors_tensors.hpp"
#include "pantanal/nn/state_dict.hpp"

namespace pantanal::nn {

/// The parameters in the .safetensors file at `path`, as safetensors.torch.save_file(module.state_dict(),
/// path) writes them, in place in the mapped file. They must be exactly those of `specs`, float32 and finite;
/// an error names the one that is missing, too many, of another shape or type, or not finite. `buffers` names
/// tensors that may be there and are not read: what a module registers as a buffer only to train with.
inline Result<StateDict> load_state_dict(const std::filesystem::path& path,
                                         const std::vector<TensorSpec>& specs,
                                         std::span<const std::string_view> buffers = {}) {
  PANTANAL_TRY(SafetensorsFile opened, SafetensorsFile::open(path));
  const auto file = std::make_shared<const SafetensorsFile>(std::move(opened));
  PANTANAL_TRY(StateDict state, map_tensors(file, buffers));
  PANTANAL_TRY_STATUS(validate(state, specs, path.string()));
  return state;
}

}  // namespace pantanal::nn

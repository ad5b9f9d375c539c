// StateDict: a module's parameters under the names of PyTorch's state_dict.
#pragma once

#include "pantanal/core/tensor.hpp"

namespace pantanal::nn {

using StateDict = TensorMap;

}  // namespace pantanal::nn

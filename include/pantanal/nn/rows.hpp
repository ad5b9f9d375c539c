// What layers share: how rows of features lie in memory, sequences of them, and scratch.
#pragma once

#include <cstddef>
#include <string>

#include "pantanal/ops/packed_matrix.hpp"

namespace pantanal::nn {

/// Between layers a row of features takes this many floats, whole vectors of any target, the padding finite
/// and without influence on any result.
constexpr std::size_t row_stride(std::size_t columns) { return ops::round_up(columns, ops::channel_padding); }

/// `count` sequences of `steps` rows each, one after the other.
struct Sequences {
  std::size_t count = 0, steps = 0;
  std::size_t rows() const { return count * steps; }
};

/// Memory that a layer hands out to itself and to the layers in it, front to back. Passed by value: what a
/// callee takes is free again when it returns.
class Scratch {
 public:
  explicit Scratch(float* memory) : memory_(memory) {}

  /// `floats` floats, rounded up to a cache line.
  float* take(std::size_t floats) {
    float* taken = memory_;
    memory_ += size_of(floats);
    return taken;
  }

  /// Floats that take(floats) uses up.
  static constexpr std::size_t size_of(std::size_t floats) {
    return ops::round_up(floats, ops::channel_padding);
  }

 private:
  float* memory_;
};

/// "PREFIX.NAME", or NAME at the top, as PyTorch names a module's parameters.
inline std::string parameter_name(const std::string& prefix, const char* name) {
  return prefix.empty() ? std::string(name) : prefix + "." + name;
}

}  // namespace pantanal::nn

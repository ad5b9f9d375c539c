// What every kernel test needs: the instruction sets of this CPU, random arrays, and arrays that notice stray
// stores.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <random>
#include <vector>

#include "pantanal/kernels/dispatch.hpp"

namespace pantanal::kernels {

/// Kernels of every instruction set this CPU runs.
inline std::vector<const KernelTable*> all_tables() {
  std::vector<const KernelTable*> tables;
  for (const InstructionSet isa : {InstructionSet::portable, InstructionSet::avx2, InstructionSet::avx512})
    if (is_supported(isa)) tables.push_back(&table(isa));
  return tables;
}

inline std::vector<float> random_floats(std::size_t size, unsigned seed, float scale = 1.0f) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0f, scale);
  std::vector<float> values(size);
  for (float& v : values) v = normal(random);
  return values;
}

/// `size` floats that start one float off any alignment, between guards whose change fails the test.
class Guarded {
 public:
  explicit Guarded(std::size_t size) : size_(size), values_(size + 2 * guard, sentinel) {}
  ~Guarded() {
    for (std::size_t i = 0; i < guard; ++i) {
      EXPECT_EQ(values_[i], sentinel) << "stray store " << guard - i << " floats before the output";
      EXPECT_EQ(values_[guard + size_ + i], sentinel) << "stray store " << i << " floats after the output";
    }
  }
  float* data() { return values_.data() + guard; }
  std::size_t size() const { return size_; }
  float operator[](std::size_t i) const { return values_[guard + i]; }

 private:
  static constexpr std::size_t guard = 65;
  static constexpr float sentinel = -12345.678f;
  std::size_t size_;
  std::vector<float> values_;
};

}  // namespace pantanal::kernels

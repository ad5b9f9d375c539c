// The kernels of every instruction set of this target, chosen at run time.
//
// The same text is compiled once per instruction set, each time in a namespace of its own inside a target
// region, so one binary for the baseline CPU also holds the AVX2 and AVX-512 kernels. By default that happens
// in every translation unit that includes this header; with PANTANAL_COMPILED_KERNELS defined (CMake target
// pantanal::kernels) the table is only declared here and compiled once, in src/kernels.cpp.
#pragma once

#include "pantanal/kernels/table.hpp"

#if !defined(PANTANAL_COMPILED_KERNELS) || defined(PANTANAL_COMPILE_KERNELS)
#include "pantanal/kernels/targets.hpp"
#endif

namespace pantanal::kernels {

#if !defined(PANTANAL_COMPILED_KERNELS) || defined(PANTANAL_COMPILE_KERNELS)
#if !defined(PANTANAL_COMPILE_KERNELS)
inline
#endif
    /// The kernels of `isa`, which the CPU must support (is_supported); the portable ones where this target
    /// has none.
    const KernelTable&
    table(InstructionSet isa) {
#if defined(__x86_64__)
  if (isa == InstructionSet::avx512) return avx512::kernel_table;
  if (isa == InstructionSet::avx2) return avx2::kernel_table;
#endif
  static_cast<void>(isa);
  return portable::kernel_table;
}

#if !defined(PANTANAL_COMPILE_KERNELS)
inline
#endif
    /// The bfloat16 kernels beside those of `isa`, or null where that or this CPU has none.
    const Bfloat16Table*
    bfloat16_table(InstructionSet isa) {
#if defined(__x86_64__)
  if (isa == InstructionSet::avx512 && has_bfloat16()) return &avx512_bf16::bfloat16_table;
#endif
  static_cast<void>(isa);
  return nullptr;
}

#if !defined(PANTANAL_COMPILE_KERNELS)
inline
#endif
    /// The kernels of 16-bit integers beside those of `isa`, or null where that or this CPU has none.
    const Int16Table*
    int16_table(InstructionSet isa) {
#if defined(__x86_64__)
  if (isa == InstructionSet::avx512 && has_integer_dot_products()) return &avx512::int16_table;
#endif
  static_cast<void>(isa);
  return nullptr;
}

#if !defined(PANTANAL_COMPILE_KERNELS)
inline
#endif
    /// The kernels of bytes beside those of `isa`, or null where that or this CPU has none.
    const Int8Table*
    int8_table(InstructionSet isa) {
#if defined(__x86_64__)
  if (isa == InstructionSet::avx512 && has_integer_dot_products()) return &avx512_vnni::int8_table;
#elif defined(__aarch64__)
  if (isa == InstructionSet::portable && has_integer_dot_products()) return &neon_dotprod::int8_table;
#endif
  static_cast<void>(isa);
  return nullptr;
}
#else
/// The kernels of `isa`, which the CPU must support (is_supported); the portable ones where this target has
/// none.
const KernelTable& table(InstructionSet isa);

/// The bfloat16 kernels beside those of `isa`, or null where that or this CPU has none.
const Bfloat16Table* bfloat16_table(InstructionSet isa);

/// The kernels of 16-bit integers beside those of `isa`, or null where that or this CPU has none.
const Int16Table* int16_table(InstructionSet isa);

/// The kernels of bytes beside those of `isa`, or null where that or this CPU has none.
const Int8Table* int8_table(InstructionSet isa);
#endif

}  // namespace pantanal::kernels

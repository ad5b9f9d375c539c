// The kernels of every instruction set of this target, chosen at run time.
//
// The same text is compiled once per instruction set, each time in a namespace of its own inside a target
// region, so one binary for the baseline CPU also holds the AVX2 and AVX-512 kernels. By default that happens
// in every translation unit that includes this header; with PANTANAL_COMPILED_KERNELS defined (CMake target
// pantanal::kernels) the table is only declared here and compiled once, in src/kernels.cpp.
#pragma once

#include <type_traits>

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

/// The kernels of a kind that not every CPU has, beside those of `isa`; null where that or this CPU has none.
template <class Table>
const Table* extension_table(InstructionSet isa) {
  const Table* found = nullptr;
#if defined(__x86_64__)
  if (isa != InstructionSet::avx512) return nullptr;
  if constexpr (std::is_same_v<Table, Bfloat16Table>) {
    if (has_bfloat16()) found = &avx512_bf16::bfloat16_table;
  } else if constexpr (std::is_same_v<Table, Int16Table>) {
    if (has_integer_dot_products()) found = &avx512::int16_table;
  } else {
    if (has_integer_dot_products()) found = &avx512_vnni::int8_table;
  }
#elif defined(__aarch64__)
  if constexpr (std::is_same_v<Table, Int8Table>)
    if (isa == InstructionSet::portable && has_integer_dot_products()) found = &neon_dotprod::int8_table;
#endif
  static_cast<void>(isa);
  return found;
}
#if defined(PANTANAL_COMPILE_KERNELS)
template const Bfloat16Table* extension_table(InstructionSet isa);
template const Int16Table* extension_table(InstructionSet isa);
template const Int8Table* extension_table(InstructionSet isa);
#endif
#else
/// The kernels of `isa`, which the CPU must support (is_supported); the portable ones where this target has
/// none.
const KernelTable& table(InstructionSet isa);

/// The kernels of a kind that not every CPU has, beside those of `isa`; null where that or this CPU has none.
template <class Table>
const Table* extension_table(InstructionSet isa);
#endif

inline const Bfloat16Table* bfloat16_table(InstructionSet isa) { return extension_table<Bfloat16Table>(isa); }
inline const Int16Table* int16_table(InstructionSet isa) { return extension_table<Int16Table>(isa); }
inline const Int8Table* int8_table(InstructionSet isa) { return extension_table<Int8Table>(isa); }

}  // namespace pantanal::kernels

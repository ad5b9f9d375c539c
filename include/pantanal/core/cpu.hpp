// Which instruction sets this build has kernels for, and which of them this CPU can run.
#pragma once

#include <cstdlib>
#include <string_view>

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace pantanal {

/// One variant of the kernels. `portable` is what the compiler makes of the target's baseline: SSE4.2 on
/// x86-64-v2, NEON on aarch64.
enum class InstructionSet { portable, avx2, avx512 };

inline const char* to_string(InstructionSet isa) {
  switch (isa) {
    case InstructionSet::portable:
      return "portable";
    case InstructionSet::avx2:
      return "avx2";
    case InstructionSet::avx512:
      return "avx512";
  }
  return "unknown";
}

/// Whether this CPU and its operating system run `isa`.
inline bool is_supported(InstructionSet isa) {
  if (isa == InstructionSet::portable) return true;
#if defined(__x86_64__)
  if (isa == InstructionSet::avx2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
#else
  return false;
#endif
}

/// Whether this CPU multiplies bfloat16 (AVX512-BF16).
inline bool has_bfloat16() {
#if defined(__x86_64__)
  return is_supported(InstructionSet::avx512) && __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

/// The name of what has_integer_dot_products() looks for.
#if defined(__aarch64__)
inline constexpr const char* integer_dot_products = "asimddp (dot products)";
#else
inline constexpr const char* integer_dot_products = "AVX512_VNNI";
#endif

/// Whether this CPU adds up products of bytes in 32 bits: AVX512_VNNI, which has those of 16-bit integers too
/// and which not every CPU with AVX-512 has, or the dot products that 64-bit ARM may have from Armv8.2 on.
inline bool has_integer_dot_products() {
#if defined(__x86_64__)
  return is_supported(InstructionSet::avx512) && __builtin_cpu_supports("avx512vnni");
#elif defined(__ARM_FEATURE_DOTPROD)
  return true;
#elif defined(__aarch64__) && defined(__linux__)
  return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#else
  return false;
#endif
}

/// The widest supported set, or the one the environment variable PANTANAL_ISA names (portable, avx2, avx512),
/// if the CPU supports it; a name that is unknown or unsupported is ignored.
inline InstructionSet best_instruction_set() {
  constexpr InstructionSet widest_first[] = {InstructionSet::avx512, InstructionSet::avx2,
                                             InstructionSet::portable};
  if (const char* wanted = std::getenv("PANTANAL_ISA"))
    for (const InstructionSet isa : widest_first)
      if (std::string_view(wanted) == to_string(isa) && is_supported(isa)) return isa;
  for (const InstructionSet isa : widest_first)
    if (is_supported(isa)) return isa;
  return InstructionSet::portable;
}

}  // namespace pantanal

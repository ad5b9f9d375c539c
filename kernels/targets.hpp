// The kernel text, once per instruction set. Everything it includes must have been included before the target
// regions.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "pantanal/kernels/power_table.hpp"
#include "pantanal/kernels/table.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define PANTANAL_INLINE [[gnu::always_inline]] inline
#define PANTANAL_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define PANTANAL_BEGIN_TARGET(isa) \
  PANTANAL_PRAGMA(clang attribute push(__attribute__((target(isa))), apply_to = function))
#define PANTANAL_END_TARGET PANTANAL_PRAGMA(clang attribute pop)
#else
#define PANTANAL_BEGIN_TARGET(isa) _Pragma("GCC push_options") PANTANAL_PRAGMA(GCC target(isa))
#define PANTANAL_END_TARGET _Pragma("GCC pop_options")
#endif

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"
#pragma GCC diagnostic ignored "-Wpedantic"

namespace pantanal::kernels::portable {
#include "pantanal/kernels/vector_portable.inc"

#include "pantanal/kernels/kernels.inc"
}  // namespace pantanal::kernels::portable

#if defined(__x86_64__)
PANTANAL_BEGIN_TARGET("avx2,fma")
namespace pantanal::kernels::avx2 {
#include "pantanal/kernels/vector_avx2.inc"

#include "pantanal/kernels/kernels.inc"
}  // namespace pantanal::kernels::avx2
PANTANAL_END_TARGET

PANTANAL_BEGIN_TARGET("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")
namespace pantanal::kernels::avx512 {
#include "pantanal/kernels/vector_avx512.inc"

#include "pantanal/kernels/kernels.inc"
}  // namespace pantanal::kernels::avx512
PANTANAL_END_TARGET

PANTANAL_BEGIN_TARGET("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")
namespace pantanal::kernels::avx512_coarse {
#include "pantanal/kernels/vector_avx512.inc"
#include "pantanal/kernels/vector_common.inc"

#include "pantanal/kernels/coarse.inc"
}  // namespace pantanal::kernels::avx512_coarse
PANTANAL_END_TARGET

PANTANAL_BEGIN_TARGET("avx512bf16,avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")
namespace pantanal::kernels::avx512_bf16 {
using namespace avx512_coarse;
#include "pantanal/kernels/bfloat16.inc"
}  // namespace pantanal::kernels::avx512_bf16
PANTANAL_END_TARGET

PANTANAL_BEGIN_TARGET("avx512vnni,avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")
namespace pantanal::kernels::avx512 {
#include "pantanal/kernels/prototype_screen.inc"
}  // namespace pantanal::kernels::avx512

namespace pantanal::kernels::avx512_vnni {
using namespace avx512_coarse;
#include "pantanal/kernels/int8_vnni.inc"
#include "pantanal/kernels/waiting_sums.inc"

#include "pantanal/kernels/int8.inc"
}  // namespace pantanal::kernels::avx512_vnni
PANTANAL_END_TARGET

#elif defined(__aarch64__)
#if defined(__clang__)
PANTANAL_BEGIN_TARGET("dotprod")
#else
PANTANAL_BEGIN_TARGET("arch=armv8.2-a+dotprod")
#endif
namespace pantanal::kernels::neon_dotprod {
#include "pantanal/kernels/vector_neon.inc"

#include "pantanal/kernels/vector_common.inc"

#include "pantanal/kernels/coarse.inc"
#include "pantanal/kernels/int8_dotprod.inc"
#include "pantanal/kernels/waiting_sums.inc"

#include "pantanal/kernels/int8.inc"
}  // namespace pantanal::kernels::neon_dotprod
PANTANAL_END_TARGET
#endif

#pragma GCC diagnostic pop

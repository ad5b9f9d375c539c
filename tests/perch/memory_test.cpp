// What a session is reckoned to take beside what it takes of the heap.
#include "pantanal/perch/memory.hpp"

#include <gtest/gtest.h>
#include <malloc.h>

#include <memory>

#include "pantanal/perch/session.hpp"
#include "perch/random_model.hpp"

namespace pantanal::perch {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool has_other_heap = true;
#else
constexpr bool has_other_heap = false;
#endif

std::size_t heap_bytes() {
  const struct mallinfo2 info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

TEST(SessionMemory, IsWhatASessionAllocates) {
  if (has_other_heap) GTEST_SKIP() << "a sanitizer's heap is not glibc's";
  const Model wide = fixtures::random_model(fixtures::perch_v2_architecture(40), 1);
  for (const Dtype dtype : {Dtype::f32, Dtype::bf16, Dtype::f16, Dtype::i8}) {
    const auto model = std::make_shared<Model>(with_dtype(wide, dtype));
    for (const SessionOptions& options :
         {SessionOptions{.threads = 1, .batch = 7}, SessionOptions{.threads = 3, .batch = 7},
          SessionOptions{.threads = 1, .batch = 7, .precision = Precision::bf16},
          SessionOptions{.threads = 3, .batch = 7, .precision = Precision::bf16},
          SessionOptions{.threads = 1, .batch = 7, .precision = Precision::int8},
          SessionOptions{.threads = 3, .batch = 7, .precision = Precision::int8},
          SessionOptions{.threads = 2, .batch = 7, .screen = LabelScreen::always}}) {
      const std::size_t before = heap_bytes();
      const auto session = Session::create(model, options);
      if (!session) continue;  // no such products here
      const auto taken = static_cast<double>(heap_bytes() - before);
      const auto reckoned =
          static_cast<double>(session_memory(model->architecture, dtype, options).total(options.threads, 7));
      SCOPED_TRACE(testing::Message() << to_string(dtype) << ", " << options.threads << " threads, precision "
                                      << static_cast<int>(options.precision) << ", screened "
                                      << (options.screen == LabelScreen::always));
      EXPECT_LE(taken, reckoned + 256 * 1024);  // glibc may round each of a hundred arrays up to a page
      EXPECT_GE(taken, 0.95 * reckoned);
    }
  }
}

}  // namespace
}  // namespace pantanal::perch

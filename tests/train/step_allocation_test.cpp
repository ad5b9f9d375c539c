// A training step allocates nothing after the first ones: this program's operator new counts.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include "pantanal/train/residual_ssm_step.hpp"
#include "train/small_training.hpp"

namespace {
std::atomic<std::size_t> allocations{0};

void* counted(std::size_t size, std::size_t alignment) {
  ++allocations;
  if (void* p = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment)) return p;
  throw std::bad_alloc();
}
}  // namespace

[[gnu::noinline]] void* operator new(std::size_t size) { return counted(size, alignof(std::max_align_t)); }
[[gnu::noinline]] void* operator new[](std::size_t size) { return counted(size, alignof(std::max_align_t)); }
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t a) {
  return counted(size, static_cast<std::size_t>(a));
}
[[gnu::noinline]] void* operator new[](std::size_t size, std::align_val_t a) {
  return counted(size, static_cast<std::size_t>(a));
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete[](void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete[](void* p, std::align_val_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

namespace pantanal::train {
namespace {

TEST(ProtoSsmStep, AllocatesNothingAfterTheFirstMixedStep) {
  const SmallTraining t;
  ProtoSsmStep step(t.config, t.data(), {.dropout = 0.2f, .threads = 1});
  ASSERT_TRUE(step.model().parameters().load(t.state).ok());
  const FileMix none, mix = mixup_files(t.files, 0.4, {.seed = 1});
  step.step(0, none, {.lr = 1e-3}), step.step(1, mix, {.lr = 1e-3});
  const std::size_t before = allocations;
  ASSERT_GT(before, 0u) << "the counter counts";
  step.step(2, none, {.lr = 1e-3}), step.step(3, mix, {.lr = 1e-3});
  EXPECT_EQ(allocations - before, 0u);
}

TEST(ResidualSsmStep, AllocatesNothingAfterTheFirst) {
  const SmallTraining t;
  heads::ResidualSsmConfig c;
  c.d_input = 24, c.d_scores = 5, c.d_model = 16, c.n_classes = 5, c.n_windows = 6;
  ResidualSsmStep step(c, {t.emb, t.logits, t.labels, {}, {}, t.files, 6}, {.dropout = 0.2f, .threads = 1});
  ASSERT_TRUE(step.model().parameters().load(initial_state(heads::required_tensors(c), 1)).ok());
  step.step(0, {.lr = 1e-3});
  const std::size_t before = allocations;
  step.step(1, {.lr = 1e-3});
  EXPECT_EQ(allocations - before, 0u);
}

}  // namespace
}  // namespace pantanal::train

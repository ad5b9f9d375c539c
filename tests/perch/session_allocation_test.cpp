// Session::run allocates nothing: this program's operator new counts.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include "pantanal/perch/session.hpp"
#include "perch/random_model.hpp"

namespace {
std::atomic<std::size_t> allocations{0};

void* counted(std::size_t size, std::size_t alignment) {
  ++allocations;
  if (void* p = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment)) return p;
  throw std::bad_alloc();
}
}  // namespace

void* operator new(std::size_t size) { return counted(size, alignof(std::max_align_t)); }
void* operator new[](std::size_t size) { return counted(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t a) {
  return counted(size, static_cast<std::size_t>(a));
}
void* operator new[](std::size_t size, std::align_val_t a) {
  return counted(size, static_cast<std::size_t>(a));
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

namespace pantanal::perch {
namespace {

TEST(Session, RunAllocatesNothing) {
  auto model = std::make_shared<Model>(fixtures::random_model(fixtures::tiny_architecture(), 3));
  auto session = Session::create(model, {.threads = 1});
  ASSERT_TRUE(session);
  const OutputSizes sizes = session->output_sizes();
  const std::size_t n = 14;  // more than one batch
  const std::vector<float> x(n * model->architecture.frontend.samples, 0.01f);
  std::vector<float> embedding(n * sizes.embedding), label(n * sizes.label);
  const std::size_t before = allocations;
  ASSERT_GT(before, 0u) << "the counter counts";
  const Status status = session->run(x, n, {.embedding = embedding, .label = label});
  EXPECT_EQ(allocations - before, 0u);
  EXPECT_TRUE(status);
}

}  // namespace
}  // namespace pantanal::perch

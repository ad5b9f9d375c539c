// Session::run allocates nothing: this program's operator new counts.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "core/counted_allocations.hpp"
#include "pantanal/perch/session.hpp"
#include "perch/random_model.hpp"

namespace pantanal::perch {
namespace {

TEST(Session, RunAllocatesNothing) {
  auto model = std::make_shared<Model>(fixtures::random_model(fixtures::tiny_architecture(), 3));
  auto session = Session::create(model, {.threads = 1, .screen = LabelScreen::always});
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

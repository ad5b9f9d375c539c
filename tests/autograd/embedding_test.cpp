// Embedding's gradient is the sum of its rows'.
#include "pantanal/autograd/embedding.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace pantanal::autograd {
namespace {

TEST(Embedding, SumsTheGradientsOfEachId) {
  ParameterSet p({{"table.weight", {4, 2}}});
  for (std::size_t i = 0; i < 8; ++i) p.values()[i] = static_cast<float>(i), p.gradients()[i] = 99;
  const Embedding table(p, "table", 2);
  EXPECT_EQ(table.num_embeddings(), 4u);
  float y[2];
  table.forward(3, y);
  EXPECT_EQ(y[0], 6);
  EXPECT_EQ(y[1], 7);
  const std::vector<std::int64_t> ids{2, 0, 2};
  const std::vector<float> dy{1,  2,   -1,  10, 20,
                              -1, 100, 200, -1};  // rows of 3, the last column someone else's
  table.weight_gradient(ids, dy.data(), 3);
  EXPECT_EQ(std::vector<float>(p.gradients().begin(), p.gradients().end()),
            (std::vector<float>{10, 20, 0, 0, 101, 202, 0, 0}));
}

}  // namespace
}  // namespace pantanal::autograd

#include "pantanal/nn/embedding.hpp"

#include "nn/fixtures.hpp"

namespace pantanal::nn {
namespace {

TEST(Embedding, AgreesWithPyTorch) {
  for_each_case("embedding", [](const kernels::KernelTable&, const FixtureCase& c) {
    const std::size_t dim = c.size("dim");
    TensorList list;
    Embedding::require(list, "", c.size("num_embeddings"), dim);
    expect_parameters(std::move(list), c.state);
    const Embedding layer(c.state, "", dim);
    const std::vector<std::int64_t> ids = c.ids("ids");
    EXPECT_TRUE(succeeded(layer.check(ids, "Model", "ids")));
    std::vector<float> y(ids.size() * dim);
    for (std::size_t i = 0; i < ids.size(); ++i) layer.run(ids[i], y.data() + i * dim);
    expect_close(y, c.output("y"));
  });
}

TEST(Embedding, SaysWhichIdIsOutOfRange) {
  StateDict state;
  state.emplace("weight", make_tensor({3, 2}, std::vector<float>(6)));
  const Embedding layer(state, "", 2);
  const std::int64_t high[] = {0, 3}, low[] = {-1}, good[] = {0, 2};
  EXPECT_TRUE(succeeded(layer.check(good, "Model", "site_ids")));
  EXPECT_TRUE(refused(layer.check(high, "Model", "site_ids"), ErrorCode::invalid_argument,
                      {"Model.site_ids[1]", "3", "0 to 2"}));
  EXPECT_TRUE(refused(layer.check(low, "Model", "site_ids"), ErrorCode::invalid_argument,
                      {"Model.site_ids[0]", "-1"}));
}

}  // namespace
}  // namespace pantanal::nn

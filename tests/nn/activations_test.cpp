#include "pantanal/nn/activations.hpp"

#include "nn/fixtures.hpp"

namespace pantanal::nn {
namespace {

TEST(Activations, AgreeWithPyTorch) {
  for_each_case("activations", [](const kernels::KernelTable& table, const FixtureCase& c) {
    const std::size_t features = c.size("features"), rows = c.input("x").size() / features;
    for (const auto& [name, function] :
         {std::pair{"gelu", &gelu}, {"silu", &silu}, {"softplus", &softplus}}) {
      std::vector<float> x(c.input("x").begin(), c.input("x").end());
      function(table, x.data(), rows, features, features);
      expect_close(x, c.output(name), name);
    }
  });
}

}  // namespace
}  // namespace pantanal::nn

#include "pantanal/ml/mlp_options.hpp"

#include <functional>
#include <utility>

#include "core/refused.hpp"

namespace pantanal::ml {
namespace {

TEST(MlpOptions, AcceptsTheDefaultsAndTheNotebooks) {
  EXPECT_TRUE(succeeded(validate(MlpOptions{})));
  MlpOptions probe;
  probe.hidden_layer_sizes = {256, 128};
  probe.validation_fraction = 0.15;
  probe.beta_1 = 0;
  EXPECT_TRUE(succeeded(validate(probe)));
}

TEST(MlpOptions, NamesWhatIsOutOfRange) {
  using Change = std::function<void(MlpOptions&)>;
  const std::pair<const char*, Change> changes[] = {
      {"hidden_layer_sizes",
       [](MlpOptions& o) {
         o.hidden_layer_sizes = {3, 0};
       }},
      {"alpha", [](MlpOptions& o) { o.alpha = -1; }},
      {"learning_rate_init", [](MlpOptions& o) { o.learning_rate_init = 0; }},
      {"power_t", [](MlpOptions& o) { o.power_t = -1; }},
      {"max_iter", [](MlpOptions& o) { o.max_iter = 0; }},
      {"tol", [](MlpOptions& o) { o.tol = NAN; }},
      {"momentum", [](MlpOptions& o) { o.momentum = 1.5; }},
      {"validation_fraction", [](MlpOptions& o) { o.validation_fraction = 1; }},
      {"beta_1", [](MlpOptions& o) { o.beta_1 = 1; }},
      {"beta_2", [](MlpOptions& o) { o.beta_2 = -0.1; }},
      {"epsilon", [](MlpOptions& o) { o.epsilon = 0; }},
      {"n_iter_no_change", [](MlpOptions& o) { o.n_iter_no_change = 0; }},
  };
  for (const auto& [name, change] : changes) {
    MlpOptions options;
    change(options);
    EXPECT_TRUE(refused(validate(options), ErrorCode::invalid_argument, {name}));
  }
}

}  // namespace
}  // namespace pantanal::ml

// Options that make no sense are refused by name.
#include "pantanal/train/training.hpp"

#include <cmath>

#include "core/refused.hpp"

namespace pantanal::train {
namespace {

TEST(TrainingOptions, AreChecked) {
  EXPECT_TRUE(succeeded(validate(TrainingOptions{}, "train")));
  const auto check = [](auto&& change, const char* name) {
    TrainingOptions o;
    change(o);
    EXPECT_TRUE(refused(validate(o, "train"), ErrorCode::invalid_argument, {std::string("train.") + name}));
  };
  check([](auto& o) { o.n_epochs = 0; }, "n_epochs");
  check([](auto& o) { o.lr = 0; }, "lr");
  check([](auto& o) { o.lr = NAN; }, "lr");
  check([](auto& o) { o.weight_decay = -1; }, "weight_decay");
  check([](auto& o) { o.clip_norm = 0; }, "clip_norm");
  check([](auto& o) { o.dropout = 1; }, "dropout");
  check([](auto& o) { o.swa_start_frac = -0.1; }, "swa_start_frac");
  check([](auto& o) { o.ema_decay = 1; }, "ema_decay");
  check([](auto& o) { o.threads = 5000; }, "threads");
}

}  // namespace
}  // namespace pantanal::train

// An epoch of ProtoSSM's training in the published configuration: 59 files of 12 windows, d 320, 4 layers,
// 5,776,250 parameters, dropout 0.12, mixed files. Prints one JSON object. compare_training.py runs it beside
// PyTorch.
//
//     [PANTANAL_ISA=avx2] proto_ssm_training [--threads N] [--epochs N]
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "kernels/guarded.hpp"
#include "pantanal/train/initial_state.hpp"
#include "pantanal/train/train_proto_ssm.hpp"

namespace pantanal::train {
namespace {

struct Arguments {
  std::size_t threads = 2, epochs = 20;
};

Arguments parse(int argc, char** argv) {
  Arguments a;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const auto value = static_cast<std::size_t>(std::strtoul(argv[i + 1], nullptr, 10));
    if (name == "--threads") a.threads = value;
    if (name == "--epochs") a.epochs = value;
  }
  return a;
}

int run(const Arguments& a) {
  constexpr std::size_t files = 59, steps = 12, rows = files * steps;
  const heads::ProtoSsmConfig config;
  const std::vector<float> emb = kernels::random_floats(rows * config.d_input, 1),
                           logits = kernels::random_floats(rows * config.n_classes, 2, 2.0f);
  std::vector<float> labels = kernels::random_floats(rows * config.n_classes, 3);
  for (float& y : labels) y = y > 1.5f ? 1.0f : 0.0f;
  const std::vector<std::int64_t> ids(files, 3);
  const ProtoSsmData data{emb, logits, labels, ids, ids, {}, files, steps};
  ProtoSsmTraining options;
  options.training.n_epochs = a.epochs, options.training.pct_start = 0.3,
  options.training.threads = a.threads;
  options.mixup_from_epoch = 0;
  std::vector<double> seconds;
  options.training.progress = [&](const EpochReport& r) { seconds.push_back(r.seconds); };
  const auto model =
      train_proto_ssm(initial_state(heads::required_tensors(config), 1), config, data, nullptr, options);
  if (!model) {
    std::fprintf(stderr, "%s\n", model.error().message().c_str());
    return 1;
  }
  std::sort(seconds.begin(), seconds.end());
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf(
      "{\"threads\": %zu, \"epochs\": %zu, \"best_s\": %.4f, \"median_s\": %.4f, \"loss\": %.6f, "
      "\"training_mb\": %.0f, \"peak_rss_mb\": %.0f}\n",
      a.threads, a.epochs, seconds.front(), seconds[seconds.size() / 2], model->history.train_loss.back(),
      static_cast<double>(model->memory_bytes) / 1e6, static_cast<double>(usage.ru_maxrss) / 1e3);
  return 0;
}

}  // namespace
}  // namespace pantanal::train

int main(int argc, char** argv) { return pantanal::train::run(pantanal::train::parse(argc, argv)); }

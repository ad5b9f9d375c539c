// An epoch of ProtoSSM's training in the published configuration: 59 files of 12 windows, d 320, 4 layers,
// 5,776,250 parameters, dropout 0.12, mixed files; or the whole out-of-fold run of as many epochs. Prints one
// JSON object. compare_training.py runs it beside PyTorch.
//
//     [PANTANAL_ISA=avx2] proto_ssm_training [--threads N] [--epochs N] [--folds N] [--seed N] [--data FILE]
//
// FILE, of tests/train/make_training_fixtures.py --full, replaces the random files; then prototypes start
// from them.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kernels/guarded.hpp"
#include "pantanal/io/safetensors.hpp"
#include "pantanal/io/safetensors_tensors.hpp"
#include "pantanal/train/initial_state.hpp"
#include "pantanal/train/out_of_fold.hpp"
#include "pantanal/train/prototypes.hpp"
#include "pantanal/train/train_proto_ssm.hpp"

namespace pantanal::train {
namespace {

struct Arguments {
  std::size_t threads = 2, epochs = 20, seed = 1, folds = 0;
  std::string data;
};

Arguments parse(int argc, char** argv) {
  Arguments a;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const auto value = static_cast<std::size_t>(std::strtoul(argv[i + 1], nullptr, 10));
    if (name == "--threads") a.threads = value;
    if (name == "--epochs") a.epochs = value;
    if (name == "--folds") a.folds = value;
    if (name == "--seed") a.seed = value;
    if (name == "--data") a.data = argv[i + 1];
  }
  return a;
}

constexpr std::size_t files = 59, steps = 12, rows = files * steps;

/// Random windows, or a file's.
struct Inputs {
  explicit Inputs(const heads::ProtoSsmConfig& config)
      : emb(kernels::random_floats(rows * config.d_input, 1)),
        logits(kernels::random_floats(rows * config.n_classes, 2, 2.0f)),
        labels(kernels::random_floats(rows * config.n_classes, 3)) {
    for (float& y : labels) y = y > 1.5f ? 1.0f : 0.0f;
  }
  Status read(const std::string& path) {
    PANTANAL_TRY(SafetensorsFile opened, SafetensorsFile::open(path));
    const auto file = std::make_shared<const SafetensorsFile>(std::move(opened));
    PANTANAL_TRY(const TensorMap tensors, map_tensors(file, {}));
    for (const auto& [name, to] : {std::pair{"emb", &emb}, {"logits", &logits}, {"labels", &labels}}) {
      const auto values = tensor_values(tensors, name);
      to->assign(values.begin(), values.end());
    }
    return {};
  }
  ProtoSsmData data() const { return {emb, logits, labels, ids, ids, {}, files, steps}; }

  std::vector<float> emb, logits, labels;
  std::vector<std::int64_t> ids = std::vector<std::int64_t>(files, 3);
};

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

void report(const Arguments& a, const std::vector<double>& losses, std::size_t memory_bytes,
            std::vector<double> seconds, double best_cpu) {
  std::sort(seconds.begin(), seconds.end());
  const std::size_t last = std::min<std::size_t>(10, losses.size());
  double loss = 0;
  for (std::size_t i = losses.size() - last; i < losses.size(); ++i)
    loss += losses[i] / static_cast<double>(last);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf(
      "{\"threads\": %zu, \"epochs\": %zu, \"best_s\": %.4f, \"median_s\": %.4f, \"best_cpu_s\": %.4f, "
      "\"loss\": %.6f, "
      "\"training_mb\": %.0f, \"peak_rss_mb\": %.0f}\n",
      a.threads, losses.size(), seconds.front(), seconds[seconds.size() / 2], best_cpu, loss,
      static_cast<double>(memory_bytes) / 1e6, static_cast<double>(usage.ru_maxrss) / 1e3);
}

Status run_folds(const Arguments& a, const heads::ProtoSsmConfig& config, const ProtoSsmData& data,
                 const ProtoSsmTraining& training) {
  std::vector<std::string> groups;
  for (std::size_t f = 0; f < files; ++f) groups.push_back(std::to_string(f % a.folds));
  const auto start = std::chrono::steady_clock::now();
  const double start_cpu = cpu_seconds();
  PANTANAL_TRY(const OutOfFold found,
               run_proto_ssm_oof(config, data, groups, {.training = training, .n_splits = a.folds}));
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  report(a, found.histories.back().val_loss, 0, {seconds.count()}, cpu_seconds() - start_cpu);
  return {};
}

Status run(const Arguments& a) {
  const heads::ProtoSsmConfig config;
  Inputs inputs(config);
  nn::StateDict start = initial_state(heads::required_tensors(config), a.seed);
  ProtoSsmTraining options;
  options.training.n_epochs = a.epochs, options.training.threads = a.threads, options.training.seed = a.seed;
  options.training.patience = 0;
  if (a.data.empty()) {
    options.training.pct_start = 0.3, options.mixup_from_epoch = 0;
  } else {
    PANTANAL_TRY_STATUS(inputs.read(a.data));
    start = start_prototypes(std::move(start), config, inputs.data(), options.training.dropout, a.seed);
  }
  if (a.folds != 0) return run_folds(a, config, inputs.data(), options);
  std::vector<double> seconds;
  double last = cpu_seconds(), best_cpu = 1e9;
  options.training.progress = [&](const EpochReport& r) {
    seconds.push_back(r.seconds);
    best_cpu = std::min(best_cpu, cpu_seconds() - last), last = cpu_seconds();
  };
  PANTANAL_TRY(const TrainedModel model, train_proto_ssm(start, config, inputs.data(), nullptr, options));
  report(a, model.history.train_loss, model.memory_bytes, std::move(seconds), best_cpu);
  return {};
}

}  // namespace
}  // namespace pantanal::train

int main(int argc, char** argv) {
  const auto status = pantanal::train::run(pantanal::train::parse(argc, argv));
  if (!status) std::fprintf(stderr, "%s\n", status.error().message().c_str());
  return status ? 0 : 1;
}

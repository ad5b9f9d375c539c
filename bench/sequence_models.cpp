// The attention block, ProtoSSM and ResidualSSM at the sizes of their published run, 59 and 700 files of 12
// windows, ProtoSSM also with five shifts; one thread and two. Random weights. Named what/files/threads.
//
// What bounds them: fused multiply-adds of the matrix products. GFLOP/s counts those alone, 2 per
// multiply-add, and `peak_%` is their share of the peak that the same run measured. Gexp/s counts the
// exponentials of the scans and of softmax, which come on top. GB/s counts inputs, outputs and weights once.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>
#include <vector>

#include "heads/random_state.hpp"
#include "kernels/guarded.hpp"
#include "pantanal/core/cpu.hpp"
#include "pantanal/heads/proto_ssm.hpp"
#include "pantanal/heads/residual_ssm.hpp"
#include "pantanal/nn/temporal_cross_attention.hpp"
#include "peak.hpp"

namespace pantanal {
namespace {

constexpr std::size_t windows = 12;
constexpr int shifts[] = {0, 1, -1, 2, -2};

/// Per window: multiply-adds of matrix products, exponentials, floats in and out.
struct Work {
  double products = 0, exponentials = 0, floats = 0;

  Work times(double n) const { return {products * n, exponentials * n, floats * n}; }
  Work operator+(const Work& o) const {
    return {products + o.products, exponentials + o.exponentials, floats + o.floats};
  }
};

Work attention_work(double d, double heads) {
  return {4 * d * d + 2 * windows * d + 4 * d * d, windows * heads + 2 * d, 2 * d};
}

/// in_proj without its gate half, which the notebook's form does not use; dt_proj, B_proj, C_proj; merge.
Work bidirectional_work(double d, double states) {
  return {2 * (2 * d * d + 2 * d * states) + 2 * d * d, 2 * (d * states + 2 * d), 0};
}

Work proto_work(const heads::ProtoSsmConfig& c, double passes) {
  const double d = static_cast<double>(c.d_model), k = static_cast<double>(c.n_classes),
               input = static_cast<double>(c.d_input);
  Work pass =
      bidirectional_work(d, static_cast<double>(c.d_state)).times(static_cast<double>(c.n_ssm_layers)) +
      attention_work(d, static_cast<double>(c.cross_attn_heads)) + Work{d * k, 0, 0};
  pass.floats = 0;
  return pass.times(passes) + Work{input * d, d, input + 2 * k};
}

Work residual_work(const heads::ResidualSsmConfig& c) {
  const double d = static_cast<double>(c.d_model), k = static_cast<double>(c.n_classes),
               input = static_cast<double>(c.d_input + c.d_scores);
  return bidirectional_work(d, static_cast<double>(c.d_state)) + Work{input * d + d * k, d, input + k};
}

void report(benchmark::State& state, const Work& per_window, std::size_t files, std::size_t threads,
            double peak_gflops) {
  const Work all =
      per_window.times(static_cast<double>(files * windows * static_cast<std::size_t>(state.iterations())));
  const auto rate = [](double x) { return benchmark::Counter(x, benchmark::Counter::kIsRate); };
  state.counters["GFLOP/s"] = rate(2 * all.products / 1e9);
  state.counters["Gexp/s"] = rate(all.exponentials / 1e9);
  state.counters["GB/s"] = rate(4 * all.floats / 1e9);
  state.counters["peak_%"] =
      rate(100 * 2 * all.products / 1e9 / (peak_gflops * static_cast<double>(threads)));
}

void bench_attention(benchmark::State& state, std::size_t files, std::size_t threads, double peak) {
  constexpr std::size_t d = 320, heads = 8, block = 8;  // files that one thread takes at a time
  TensorList list;
  nn::TemporalCrossAttention::require(list, "", d);
  const nn::StateDict parameters = heads::random_state(std::move(list).take());
  const nn::TemporalCrossAttention layer(kernels::table(best_instruction_set()), parameters, "", d, heads);
  std::vector<float> x = kernels::random_floats(files * windows * nn::row_stride(d), 1);
  std::vector<AlignedBuffer<float>> scratch;
  for (std::size_t i = 0; i < threads; ++i)
    scratch.emplace_back(layer.scratch_size(block * windows, windows));
  for (auto _ : state) {
    parallel_team(threads, [&](const Team& team) {
      const Range mine = team.share(files);
      for (std::size_t f = mine.begin; f < mine.end; f += block)
        layer.run(x.data() + f * windows * nn::row_stride(d), {std::min(block, mine.end - f), windows},
                  nn::Scratch(scratch[team.rank()].data()));
    });
    benchmark::ClobberMemory();
  }
  report(state, attention_work(d, heads), files, threads, peak);
}

struct Recordings {
  explicit Recordings(std::size_t files, std::size_t d_input, std::size_t classes)
      : emb(kernels::random_floats(files * windows * d_input, 1)),
        scores(kernels::random_floats(files * windows * classes, 2)),
        logits(files * windows * classes) {
    for (std::size_t f = 0; f < files; ++f)
      site_ids.push_back(static_cast<std::int64_t>(f % 20)),
          hours.push_back(static_cast<std::int64_t>(f % 24));
  }
  std::vector<float> emb, scores, logits;
  std::vector<std::int64_t> site_ids, hours;
};

void bench_proto(benchmark::State& state, std::size_t files, bool tta, std::size_t threads, double peak) {
  const heads::ProtoSsmConfig config;
  auto model = heads::ProtoSsm::create(heads::random_state(heads::required_tensors(config)), config,
                                       {.threads = threads});
  if (!model) return state.SkipWithError(model.error().message().c_str());
  Recordings r(files, config.d_input, config.n_classes);
  const heads::ProtoSsm::Inputs inputs{r.emb, r.scores, {r.site_ids, r.hours}};
  for (auto _ : state) {
    const Status status = tta ? model->temporal_shift_tta(inputs, files, windows, shifts, r.logits)
                              : model->run(inputs, files, windows, {.species_logits = r.logits});
    if (!status) return state.SkipWithError(status.error().message().c_str());
  }
  report(state, proto_work(config, tta ? std::size(shifts) : 1), files, threads, peak);
}

void bench_residual(benchmark::State& state, std::size_t files, std::size_t threads, double peak) {
  const heads::ResidualSsmConfig config;
  auto model = heads::ResidualSsm::create(heads::random_state(heads::required_tensors(config)), config,
                                          {.threads = threads});
  if (!model) return state.SkipWithError(model.error().message().c_str());
  Recordings r(files, config.d_input, config.n_classes);
  for (auto _ : state) {
    const Status status =
        model->run({.emb = r.emb, .first_pass_scores = r.scores, .meta = {r.site_ids, r.hours}}, files,
                   windows, r.logits);
    if (!status) return state.SkipWithError(status.error().message().c_str());
  }
  report(state, residual_work(config), files, threads, peak);
}

void register_all() {
  const double peak = bench::peak_gflops(kernels::table(best_instruction_set()).isa);
  benchmark::AddCustomContext(
      std::string(to_string(kernels::table(best_instruction_set()).isa)) + " peak GFLOP/s per core",
      std::to_string(peak));
  for (const std::size_t files : {59, 700})
    for (const std::size_t threads : {1, 2}) {
      const auto add = [&](const char* name, auto function) {
        benchmark::RegisterBenchmark(
            (std::string(name) + "/" + std::to_string(files) + "/" + std::to_string(threads)).c_str(),
            function)
            ->Unit(benchmark::kMillisecond)
            ->UseRealTime();
      };
      add("attention", [=](benchmark::State& s) { bench_attention(s, files, threads, peak); });
      add("proto_ssm", [=](benchmark::State& s) { bench_proto(s, files, false, threads, peak); });
      add("proto_ssm_5_shifts", [=](benchmark::State& s) { bench_proto(s, files, true, threads, peak); });
      add("residual_ssm", [=](benchmark::State& s) { bench_residual(s, files, threads, peak); });
    }
}

}  // namespace
}  // namespace pantanal

int main(int argc, char** argv) {
  pantanal::register_all();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}

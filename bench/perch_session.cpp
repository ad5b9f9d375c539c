// Perch v2 from samples to outputs: whole model, 234 classes, embedding only; 1 and 2 threads; batch 1
// and 12. Random weights of the released shapes. Named what/threads/batch; prints ms per window and times
// real time.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "kernels/guarded.hpp"
#include "pantanal/perch/session.hpp"
#include "perch/random_model.hpp"

namespace pantanal {
namespace {

void bench_session(benchmark::State& state, const std::shared_ptr<const perch::Model>& model,
                   std::size_t threads, std::size_t batch) {
  auto session = perch::Session::create(model, {.threads = threads, .batch = batch});
  if (!session) return state.SkipWithError(session.error().message().c_str());
  const perch::OutputSizes sizes = session->output_sizes();
  const std::vector<float> windows =
      kernels::random_floats(batch * model->architecture.frontend.samples, 1, 0.1f);
  std::vector<float> embedding(batch * sizes.embedding), label(batch * sizes.label);
  for (auto _ : state)
    if (!session->run(windows, batch, {.embedding = embedding, .label = label}))
      return state.SkipWithError("run failed");
  const double done = static_cast<double>(state.iterations() * static_cast<std::int64_t>(batch));
  state.counters["ms/window"] =
      benchmark::Counter(done / 1e3, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["x_real_time"] = benchmark::Counter(5 * done, benchmark::Counter::kIsRate);
}

}  // namespace
}  // namespace pantanal

int main(int argc, char** argv) {
  using namespace pantanal;
  const std::pair<const char*, std::size_t> heads[] = {
      {"embedding", 0}, {"classes234", 234}, {"classes14795", 14795}};
  for (const auto& [name, classes] : heads)
    for (const std::size_t threads : {1, 2})
      for (const std::size_t batch : {1, 12})
        benchmark::RegisterBenchmark(
            (std::string(name) + "/threads" + std::to_string(threads) + "/batch" + std::to_string(batch))
                .c_str(),
            [=, classes = classes](benchmark::State& state) {
              static std::size_t cached = 1;
              static std::shared_ptr<const perch::Model> model;
              if (cached != classes)
                model = std::make_shared<perch::Model>(
                    perch::fixtures::random_model(perch::fixtures::perch_v2_architecture(classes), 1));
              cached = classes;
              bench_session(state, model, threads, batch);
            })
            ->UseRealTime()
            ->Unit(benchmark::kMillisecond);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}

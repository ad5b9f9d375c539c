// The selective scan at five shapes (batch, steps, channels, states), beside a plain scalar loop and a
// straightforward Eigen version, one thread and two. Named implementation/shape/threads.
//
// What bounds it. Per state, step and vector the kernel issues 9 multiplications or fused multiply-adds
// (dt·A; the power's polynomial, 5; dt·u·B; state; output), 3 additions and 2 integer operations. Where
// additions have ports of their own (Zen 4), the multiplication ports are the limit: `peak_%` is the share of
// 9 operations per vector at the rate of the fused multiply-adds that the same run measured, 100 % being
// 9/lanes · B·T·D·N operations back to back. Where they share ports (Intel) the same loop can reach 9/12 of
// that. Memory is far from binding: 12 bytes per step and channel against 9·N/lanes operations.
//
// GFLOP/s counts the recurrence itself: 7 per state and step (2 products for dt·u·B and dt·A, 2 operations
// each for state and output, 1 exponential); exps/s counts the exponentials.
#include <benchmark/benchmark.h>

#include <cmath>
#include <string>
#include <vector>

#include "kernels/guarded.hpp"
#include "pantanal/ops/selective_scan.hpp"
#include "peak.hpp"
#include "scan_peers.hpp"

namespace pantanal {
namespace {

bench::ScanProblem make_problem(const ops::ScanShape& s) {
  using kernels::random_floats;
  bench::ScanProblem p{.batch = s.batch,
                       .steps = s.steps,
                       .channels = s.channels,
                       .states = s.states,
                       .u = random_floats(s.batch * s.steps * s.channels, 1),
                       .dt = random_floats(s.batch * s.steps * s.channels, 2, 0.3f),
                       .a = random_floats(s.channels * s.states, 3),
                       .b = random_floats(s.batch * s.steps * s.states, 4),
                       .c = random_floats(s.batch * s.steps * s.states, 5),
                       .skip = random_floats(s.channels, 6),
                       .y = std::vector<float>(s.batch * s.steps * s.channels)};
  for (float& x : p.dt) x = std::abs(x);
  for (float& x : p.a) x = -std::abs(x) - 0.1f;
  return p;
}

void report(benchmark::State& state, const ops::ScanShape& s, double peak, double lanes) {
  const double runs = static_cast<double>(state.iterations()),
               updates = static_cast<double>(s.batch * s.steps * s.channels * s.states),
               bytes = 4.0 * static_cast<double>(s.batch * s.steps * (3 * s.channels + 2 * s.states));
  const double fused_per_second = peak * 1e9 / 2 / lanes;
  const auto rate = [&](double x) { return benchmark::Counter(x * runs, benchmark::Counter::kIsRate); };
  state.counters["GFLOP/s"] = rate(7 * updates / 1e9);
  state.counters["Gexp/s"] = rate(updates / 1e9);
  state.counters["GB/s"] = rate(bytes / 1e9);
  state.counters["peak_%"] = rate(100 * 9 * updates / lanes / fused_per_second);
}

void bench_ours(benchmark::State& state, const ops::ScanShape& shape, std::size_t threads, InstructionSet isa,
                double peak, double lanes) {
  bench::ScanProblem p = make_problem(shape);
  const kernels::KernelTable& table = kernels::table(isa);
  const ops::PackedDecay decay = ops::pack_decay(p.a, shape.channels, shape.states);
  for (auto _ : state) {
    parallel_team(threads, [&](const Team& team) {
      ops::scan_share(team, table, decay, shape, {p.u, p.dt, p.a, p.b, p.c, p.skip}, {p.y});
    });
    benchmark::ClobberMemory();
  }
  report(state, shape, peak * static_cast<double>(threads), lanes);
}

void bench_plain(benchmark::State& state, const ops::ScanShape& shape, void (*scan)(bench::ScanProblem&),
                 double peak, double lanes) {
  bench::ScanProblem p = make_problem(shape);
  for (auto _ : state) {
    scan(p);
    benchmark::ClobberMemory();
  }
  report(state, shape, peak, lanes);
}

std::string name_of(const ops::ScanShape& s) {
  return std::to_string(s.batch) + "x" + std::to_string(s.steps) + "x" + std::to_string(s.channels) + "x" +
         std::to_string(s.states);
}

/// Shape by shape, all implementations, so that one run compares them under the same load.
void register_all() {
  const std::vector<const kernels::KernelTable*> tables = kernels::all_tables();
  std::vector<double> peaks;
  for (const kernels::KernelTable* table : tables) {
    peaks.push_back(bench::peak_gflops(table->isa));
    benchmark::AddCustomContext(std::string(to_string(table->isa)) + " peak GFLOP/s per core",
                                std::to_string(peaks.back()));
  }
  const double peak = peaks.back(), lanes = static_cast<double>(tables.back()->vector_floats);
  for (const ops::ScanShape& shape : {ops::ScanShape{1, 12, 320, 32},
                                      {59, 12, 256, 32},
                                      {700, 12, 320, 32},
                                      {1, 4096, 1024, 16},
                                      {8, 2048, 768, 16}}) {
    const auto add = [&](const std::string& name, auto function, auto... arguments) {
      benchmark::RegisterBenchmark(name.c_str(),
                                   [=](benchmark::State& s) { function(s, shape, arguments...); })
          ->Unit(benchmark::kMicrosecond)
          ->UseRealTime();
    };
    add("scalar/" + name_of(shape) + "/1", bench_plain, &bench::scan_scalar, peak, lanes);
    add("eigen/" + name_of(shape) + "/1", bench_plain, &bench::scan_eigen, peak, lanes);
    for (std::size_t i = 0; i < tables.size(); ++i)
      for (const std::size_t threads : {1, 2})
        add(std::string(to_string(tables[i]->isa)) + "/" + name_of(shape) + "/" + std::to_string(threads),
            bench_ours, threads, tables[i]->isa, peaks[i], static_cast<double>(tables[i]->vector_floats));
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

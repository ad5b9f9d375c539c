// The selective scan at eight shapes (batch, steps, channels, states), beside a plain scalar loop and a
// straightforward Eigen version, one thread and two. Named implementation/shape/threads.
//
// What bounds it. Per state, step and vector the kernel issues 8 multiplications or fused multiply-adds
// (AVX-512; dt·A twice, as whole and fractional part; the power, 3; dt·u·B; state; output), 9 with AVX2 and
// 10 without either, whose shorter tables leave longer polynomials; and 4 more operations (an addition, a
// lookup, 2 integer ones), which have ports of their own on Zen 4. `peak_%` is the share of that many
// operations per vector at the rate of the fused multiply-adds that the same run measured, 100 % being
// 8/lanes · B·T·D·N operations back to back. Where all share two ports (Intel, 512 bits) the same loop can
// reach 8/12 of that. Memory is far from binding: 12 bytes per step and channel against 8·N/lanes operations.
//
// GFLOP/s counts the recurrence itself: 7 per state and step (2 products for dt·u·B and dt·A, 2 operations
// each for state and output, 1 exponential); exps/s counts the exponentials.
#include <benchmark/benchmark.h>

#include <algorithm>
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

/// Multiplications and fused multiply-adds per state, step and vector.
double products(InstructionSet isa) {
  return isa == InstructionSet::avx512 ? 8 : isa == InstructionSet::avx2 ? 9 : 10;
}

/// Who runs, on how many threads, and the multiplications it could issue per second.
struct Contender {
  const kernels::KernelTable* table;
  std::size_t threads;
  double products_per_second;
};

void report(benchmark::State& state, const ops::ScanShape& s, const Contender& contender) {
  const double runs = static_cast<double>(state.iterations()),
               updates = static_cast<double>(s.batch * s.steps * s.channels * s.states),
               bytes = 4.0 * static_cast<double>(s.batch * s.steps * (3 * s.channels + 2 * s.states));
  const auto rate = [&](double x) { return benchmark::Counter(x * runs, benchmark::Counter::kIsRate); };
  state.counters["GFLOP/s"] = rate(7 * updates / 1e9);
  state.counters["Gexp/s"] = rate(updates / 1e9);
  state.counters["GB/s"] = rate(bytes / 1e9);
  state.counters["peak_%"] =
      rate(100 * products(contender.table->isa) * updates / contender.products_per_second);
}

void bench_ours(benchmark::State& state, const ops::ScanShape& shape, const Contender& contender) {
  bench::ScanProblem p = make_problem(shape);
  const ops::PackedDecay decay = ops::pack_decay(p.a, shape.channels, shape.states);
  for (auto _ : state) {
    parallel_team(contender.threads, [&](const Team& team) {
      ops::scan_share(team, *contender.table, decay, shape, {p.u, p.dt, p.a, p.b, p.c, p.skip}, {p.y});
    });
    benchmark::ClobberMemory();
  }
  report(state, shape, contender);
}

void bench_peer(benchmark::State& state, const ops::ScanShape& shape, const Contender& contender,
                void (*scan)(bench::ScanProblem&)) {
  bench::ScanProblem p = make_problem(shape);
  for (auto _ : state) {
    scan(p);
    benchmark::ClobberMemory();
  }
  report(state, shape, contender);
}

std::string name_of(const ops::ScanShape& s) {
  return std::to_string(s.batch) + "x" + std::to_string(s.steps) + "x" + std::to_string(s.channels) + "x" +
         std::to_string(s.states);
}

/// Shape by shape, all implementations, so that one run compares them under the same load.
void register_all() {
  std::vector<Contender> tables;
  for (const kernels::KernelTable* table : kernels::all_tables()) {
    const double gflops = bench::peak_gflops(table->isa);
    benchmark::AddCustomContext(std::string(to_string(table->isa)) + " peak GFLOP/s per core",
                                std::to_string(gflops));
    tables.push_back({table, 1, gflops * 1e9 / 2});
  }
  const Contender fastest =
      *std::max_element(tables.begin(), tables.end(),
                        [](const Contender& a, const Contender& b) { return a.table->isa < b.table->isa; });
  for (const ops::ScanShape& shape : {ops::ScanShape{1, 12, 320, 32},
                                      {59, 12, 256, 32},
                                      {700, 12, 320, 32},
                                      {340, 12, 1024, 16},
                                      {5461, 12, 1024, 16},
                                      {1, 4096, 1024, 16},
                                      {1, 65536, 1024, 16},
                                      {8, 2048, 768, 16}}) {
    const auto add = [&](const std::string& name, std::size_t threads, auto function) {
      benchmark::RegisterBenchmark((name + "/" + name_of(shape) + "/" + std::to_string(threads)).c_str(),
                                   function)
          ->Unit(benchmark::kMicrosecond)
          ->UseRealTime();
    };
    add("scalar", 1, [=](benchmark::State& s) { bench_peer(s, shape, fastest, &bench::scan_scalar); });
    add("eigen", 1, [=](benchmark::State& s) { bench_peer(s, shape, fastest, &bench::scan_eigen); });
    for (Contender contender : tables)
      for (const std::size_t threads : {1, 2}) {
        contender.products_per_second *=
            static_cast<double>(threads) / static_cast<double>(contender.threads);
        contender.threads = threads;
        add(std::string(to_string(contender.table->isa)), threads,
            [=](benchmark::State& s) { bench_ours(s, shape, contender); });
      }
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

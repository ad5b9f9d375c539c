// One benchmark per kernel and Perch v2 shape, on every instruction set of this CPU, one thread. Named
// kernel/instruction set/shape; prints GFLOP/s and the share of the peak measured when the program started.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/guarded.hpp"
#include "pantanal/core/aligned_buffer.hpp"
#include "pantanal/core/tensor.hpp"
#include "pantanal/frontend/log_mel.hpp"
#include "pantanal/ops/packed_matrix.hpp"
#include "pantanal/perch/mbconv.hpp"
#include "pantanal/perch/pointwise_weights.hpp"
#include "pantanal/perch/stem.hpp"
#include "peak.hpp"
#include "perch/random_model.hpp"

namespace pantanal {
namespace {

void report(benchmark::State& state, double flop, double bytes, double peak) {
  const double runs = static_cast<double>(state.iterations());
  state.counters["GFLOP/s"] = benchmark::Counter(flop * runs / 1e9, benchmark::Counter::kIsRate);
  state.counters["GB/s"] = benchmark::Counter(bytes * runs / 1e9, benchmark::Counter::kIsRate);
  state.counters["peak_%"] = benchmark::Counter(100 * flop * runs / 1e9 / peak, benchmark::Counter::kIsRate);
}

struct Pointwise {
  std::size_t rows, depth, columns;
  kernels::Activation activation;
};

void bench_pointwise(benchmark::State& state, const kernels::KernelTable& table, const Pointwise& c,
                     double peak) {
  const auto weight = kernels::random_floats(c.columns * c.depth, 1),
             input = kernels::random_floats(c.rows * c.depth, 2);
  const ops::PackedMatrix packed = ops::pack_matrix(table, weight, {}, c.columns, c.depth);
  AlignedBuffer<float> output(c.rows * packed.padded_columns);
  for (auto _ : state) {
    table.pointwise({.input = input.data(),
                     .input_stride = c.depth,
                     .weights = packed.weights.data(),
                     .bias = packed.bias.data(),
                     .output = output.data(),
                     .output_stride = packed.padded_columns,
                     .rows = c.rows,
                     .depth = c.depth,
                     .padded_columns = packed.padded_columns,
                     .activation = c.activation});
    benchmark::ClobberMemory();
  }
  report(state, 2.0 * static_cast<double>(c.rows * c.depth * c.columns),
         4.0 * static_cast<double>(input.size() + packed.weights.size() + output.size()), peak);
}

/// How the factors of a wide product are held.
struct Factors {
  const char* name;
  Dtype stored = Dtype::f32;                            ///< weights, widened on the way
  perch::Precision precision = perch::Precision::fp32;  ///< both, rounded
};

perch::PointwiseWeights weights_of(const kernels::KernelTable& table, const Factors& factors,
                                   std::size_t columns, std::size_t depth) {
  const Tensor weight = make_tensor({static_cast<std::int64_t>(columns), static_cast<std::int64_t>(depth)},
                                    kernels::random_floats(columns * depth, 1));
  return {table, convert_tensor(weight, factors.stored), {}, columns, depth, factors.precision};
}

/// `rows` rows of `depth` random floats, rounded as `weights` need them in words().
struct Rows {
  Rows(const perch::PointwiseWeights& weights, std::size_t count, std::size_t depth)
      : floats(kernels::random_floats(count * depth, 2)), stride(weights.rounded_words(depth)) {
    words = AlignedBuffer<std::uint32_t>(count * stride);
    if (weights.rounds_input())
      weights.round(floats.data(), count, depth, depth, nullptr, words.data(), stride);
  }

  std::vector<float> floats;
  AlignedBuffer<std::uint32_t> words;
  std::size_t stride;
};

/// The same convolution with narrow factors; rounding the input is a kernel of its own.
void bench_narrow_pointwise(benchmark::State& state, const kernels::KernelTable& table, const Pointwise& c,
                            const Factors& factors, double peak) {
  const perch::PointwiseWeights weights = weights_of(table, factors, c.columns, c.depth);
  const Rows input(weights, c.rows, c.depth);
  AlignedBuffer<float> output(c.rows * weights.padded_columns());
  const kernels::PointwiseArgs args{.input = input.floats.data(),
                                    .input_stride = c.depth,
                                    .output = output.data(),
                                    .output_stride = weights.padded_columns(),
                                    .rows = c.rows,
                                    .padded_columns = weights.padded_columns(),
                                    .activation = c.activation};
  for (auto _ : state) {
    if (weights.rounds_input())
      weights.run(args, input.words.data(), input.stride);
    else
      weights.run(args);
    benchmark::ClobberMemory();
  }
  report(state, 2.0 * static_cast<double>(c.rows * c.depth * c.columns),
         4.0 * static_cast<double>(input.floats.size() + output.size()), peak);
}

void bench_round(benchmark::State& state, const kernels::KernelTable& table, const Pointwise& c,
                 const Factors& factors, double peak) {
  const perch::PointwiseWeights weights = weights_of(table, factors, table.panel_floats, c.depth);
  Rows input(weights, c.rows, c.depth);
  for (auto _ : state) {
    weights.round(input.floats.data(), c.rows, c.depth, c.depth, nullptr, input.words.data(), input.stride);
    benchmark::ClobberMemory();
  }
  report(state, 0, 4.0 * static_cast<double>(input.floats.size() + input.words.size()), peak);
}

/// A window's positions against prototypes, the label head's product: `rows` of `depth`, `columns` maxima.
void bench_similarity(benchmark::State& state, const kernels::KernelTable& table, const Pointwise& c,
                      const Factors& factors, double peak) {
  const perch::PointwiseWeights weights = weights_of(table, factors, c.columns, c.depth);
  const Rows input(weights, c.rows, c.depth);
  AlignedBuffer<float> maxima(weights.padded_columns());
  const kernels::MaxSimilarityArgs args{.input = input.floats.data(),
                                        .input_stride = c.depth,
                                        .maxima = maxima.data(),
                                        .rows = c.rows,
                                        .padded_columns = weights.padded_columns()};
  for (auto _ : state) {
    if (weights.rounds_input())
      weights.max_similarity(args, input.words.data(), input.stride, 0);
    else
      weights.max_similarity(args, 0);
    benchmark::ClobberMemory();
  }
  report(state, 2.0 * static_cast<double>(c.rows * c.depth * c.columns),
         4.0 * static_cast<double>(input.floats.size() + c.columns * c.depth), peak);
}

/// A window's samples to its log-mel spectrogram.
void bench_log_mel(benchmark::State& state, const kernels::KernelTable& table, const perch::Model& model,
                   double peak) {
  const std::size_t samples = model.architecture.frontend.samples;
  const frontend::LogMel log_mel(table, {.samples = samples}, model.values("frontend.window"),
                                 model.values("frontend.mel"));
  const auto window = kernels::random_floats(samples, 1, 0.1f);
  AlignedBuffer<float> spectrogram(model.architecture.spectrogram_extent().positions()),
      padded(log_mel.padded_size()), scratch(log_mel.scratch_size());
  for (auto _ : state) {
    log_mel.run(Team(), window, spectrogram.data(), padded.data(), scratch.data());
    benchmark::ClobberMemory();
  }
  report(state, 0, 4.0 * static_cast<double>(samples + spectrogram.size()), peak);
}

void bench_stem(benchmark::State& state, const kernels::KernelTable& table, const perch::Model& model,
                double peak) {
  const perch::StemLayer stem(table, model);
  const auto spectrogram = kernels::random_floats(model.architecture.spectrogram_extent().positions(), 1);
  AlignedBuffer<float> output(stem.output_size()), scratch(stem.scratch_size());
  for (auto _ : state) {
    stem.run(Team(), spectrogram.data(), output.data(), scratch.data());
    benchmark::ClobberMemory();
  }
  const perch::Stem& shape = model.architecture.stem;
  report(state,
         2.0 * static_cast<double>(stem.output_extent().positions() * shape.channels * shape.conv.kernel *
                                   shape.conv.kernel),
         4.0 * static_cast<double>(spectrogram.size() + output.size()), peak);
}

struct Depthwise {
  std::size_t kernel, stride, rows, columns;
};

void bench_depthwise(benchmark::State& state, const kernels::KernelTable& table, const Depthwise& c,
                     double peak) {
  constexpr std::size_t channels = 48;
  const std::size_t width = (c.columns - 1) * c.stride + c.kernel,
                    height = (c.rows - 1) * c.stride + c.kernel;
  const auto input = kernels::random_floats(height * width * channels, 1),
             weights = kernels::random_floats(c.kernel * c.kernel * channels, 2),
             bias = kernels::random_floats(channels, 3);
  AlignedBuffer<float> output(c.rows * c.columns * channels), sums(c.rows * channels);
  for (auto _ : state) {
    table.depthwise({.input = input.data(),
                     .input_row_stride = width * channels,
                     .input_stride = channels,
                     .weights = weights.data(),
                     .weights_stride = channels,
                     .bias = bias.data(),
                     .output = output.data(),
                     .output_row_stride = c.columns * channels,
                     .output_stride = channels,
                     .row_sums = sums.data(),
                     .row_sums_stride = channels,
                     .rows = c.rows,
                     .columns = c.columns,
                     .channels = channels,
                     .kernel = c.kernel,
                     .stride = c.stride,
                     .activation = kernels::Activation::swish});
    benchmark::ClobberMemory();
  }
  report(state, 2.0 * static_cast<double>(output.size() * c.kernel * c.kernel),
         4.0 * static_cast<double>(input.size() + output.size()), peak);
}

void bench_block(benchmark::State& state, const kernels::KernelTable& table, const perch::Model& model,
                 std::size_t index, double peak) {
  const perch::Block& block = model.architecture.blocks[index];
  const perch::Extent extent = model.architecture.extents()[index];
  const perch::MbconvLayer layer(table, model, index, extent);
  const auto sizes = layer.scratch_sizes();
  const auto input = kernels::random_floats(extent.positions() * perch::pixel_stride(block.in_channels), 1);
  AlignedBuffer<float> output(layer.output_size()), depthwise(sizes.depthwise), row_sums(sizes.row_sums),
      gate(sizes.gate), projection(sizes.projection), slab(sizes.slab);
  for (auto _ : state) {
    layer.run(Team(), input.data(), output.data(),
              {depthwise.data(), row_sums.data(), gate.data(), projection.data(), slab.data(), nullptr,
               depthwise.data(), row_sums.data()});
    benchmark::ClobberMemory();
  }
  const double in = static_cast<double>(extent.positions()),
               out = static_cast<double>(layer.output_extent().positions()),
               wide = static_cast<double>(block.expanded_channels),
               taps = static_cast<double>(block.depthwise.kernel * block.depthwise.kernel);
  const double macs = (block.has_expand ? in * wide * static_cast<double>(block.in_channels) : 0.0) +
                      out * wide * taps + out * wide * static_cast<double>(block.out_channels);
  report(state, 2 * macs,
         4 * (in * static_cast<double>(block.in_channels) + out * static_cast<double>(block.out_channels)),
         peak);
}

/// Wide products whose factors are narrow, and the label head's in each form.
template <class Add>
void register_narrow(const Add& add, const kernels::KernelTable& table) {
  for (const Factors& factors : {Factors{"float32"},
                                 {"stored_bf16", Dtype::bf16},
                                 {"stored_int8", Dtype::i8},
                                 {"bf16", Dtype::f32, perch::Precision::bf16},
                                 {"int8", Dtype::f32, perch::Precision::int8}}) {
    if (!perch::is_supported(factors.precision, table.isa)) continue;
    const bool is_rounded = factors.precision != perch::Precision::fp32;
    const std::string name = factors.name;
    for (const Pointwise& c :
         {Pointwise{256, 136, 816, kernels::Activation::swish}, {64, 2304, 384, kernels::Activation::none}}) {
      const std::string shape =
          "m" + std::to_string(c.rows) + "_k" + std::to_string(c.depth) + "_n" + std::to_string(c.columns);
      if (name != "float32") add("pointwise_" + name, shape, bench_narrow_pointwise, c, factors);
      if (is_rounded) add("round_" + name, shape, bench_round, c, factors);
    }
    if (factors.precision != perch::Precision::int8)  // the label head stays in float32 then
      add("max_similarity_" + name, "m64_k1536_n936", bench_similarity,
          Pointwise{64, 1536, 936, kernels::Activation::none}, factors);
  }
}

void register_all(const perch::Model& model) {
  for (const kernels::KernelTable* table : kernels::all_tables()) {
    const std::string isa = to_string(table->isa);
    const double peak = bench::peak_gflops(table->isa);
    benchmark::AddCustomContext(isa + " peak GFLOP/s per core", std::to_string(peak));
    const auto add = [&](const std::string& kernel, const std::string& shape, auto function,
                         auto... arguments) {
      benchmark::RegisterBenchmark((kernel + "/" + isa + "/" + shape).c_str(),
                                   [=](benchmark::State& s) { function(s, *table, arguments..., peak); });
    };
    constexpr auto swish = kernels::Activation::swish;
    constexpr auto none = kernels::Activation::none;
    for (const Pointwise& c : {Pointwise{756, 24, 48, swish},
                               {756, 32, 48, swish},
                               {256, 96, 576, swish},
                               {256, 136, 816, swish},
                               {64, 232, 1392, swish},
                               {64, 384, 2304, swish},
                               {4000, 144, 32, none},
                               {1008, 288, 48, none},
                               {256, 576, 96, none},
                               {256, 816, 136, none},
                               {64, 1392, 232, none},
                               {64, 2304, 384, none},
                               {64, 384, 1536, swish}})
      add("pointwise",
          "m" + std::to_string(c.rows) + "_k" + std::to_string(c.depth) + "_n" + std::to_string(c.columns) +
              (c.activation == swish ? "_swish" : ""),
          bench_pointwise, c);
    for (const Depthwise& c : {Depthwise{3, 1, 8, 63},
                               {3, 2, 8, 32},
                               {5, 1, 32, 8},
                               {5, 2, 8, 16},
                               {3, 1, 32, 8},
                               {3, 1, 16, 4},
                               {5, 1, 16, 4}})
      add("depthwise",
          "k" + std::to_string(c.kernel) + "_s" + std::to_string(c.stride) + "_" + std::to_string(c.rows) +
              "x" + std::to_string(c.columns) + "x48_swish",
          bench_depthwise, c);
    register_narrow(add, *table);
    const auto add_layer = [&](const std::string& kernel, const std::string& shape, auto function) {
      benchmark::RegisterBenchmark((kernel + "/" + isa + "/" + shape).c_str(), [=,
                                                                                &model](benchmark::State& s) {
        function(s, *table, model, peak);
      })->Unit(benchmark::kMicrosecond);
    };
    add_layer("log_mel", "500x128", bench_log_mel);
    add_layer("stem", "3x3_s2", bench_stem);
    for (std::size_t i = 0; i < model.architecture.blocks.size(); ++i)
      benchmark::RegisterBenchmark(
          ("mbconv/" + isa + "/block" + std::to_string(i)).c_str(),
          [=, &model](benchmark::State& s) { bench_block(s, *table, model, i, peak); })
          ->Unit(benchmark::kMicrosecond);
  }
}

}  // namespace
}  // namespace pantanal

int main(int argc, char** argv) {
  const pantanal::perch::Model model =
      pantanal::perch::fixtures::random_model(pantanal::perch::fixtures::perch_v2_architecture(0), 1);
  pantanal::register_all(model);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}

// Perch v2 stage by stage and whole, random weights of the released shapes: 1 and 2 threads, batch 1 and 12.
//
//   perch [--passes 40] [--classes 234] [--whole] [--bf16|--int8] [--screen] [--pauses]
//
// --whole: Session with no, 234 and all classes as well; --bf16, --int8: in that Precision, against the same
// fp32 peak; --screen: the label head screened, as Session does from 4096 prototypes on. --pauses: only how
// long one window takes on 1 and 2 threads, alternating, 0, 5 and 50 ms after the last one, and how long one
// thread's write takes to reach another.
//
// Prints tab-separated lines for perch_report.py: `peak`, one per thread count, then `stage` and `session`;
// or `pause`, with median, 90th percentile and shortest in ms, and `handoff`. A stage's time is the median
// over passes through the whole model, so that caches hold what they hold in use, and beside it the shortest.
// Batch 12 gives each thread whole windows, batch 1 is computed by all together, as Session does.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "kernels/guarded.hpp"
#include "pantanal/perch/session.hpp"
#include "peak.hpp"
#include "perch/random_model.hpp"

namespace pantanal {
namespace {

using perch::pixel_stride;

/// What is timed together: the layers between two changes of a block's input and output widths.
struct Stage {
  std::string name;
  double flop = 0;           ///< of one window
  double weight_bytes = 0;   ///< read once a pass of one thread
  double traffic_bytes = 0;  ///< input read and output written, of one window
};

double count(std::size_t n) { return static_cast<double>(n); }

/// The model's layers, as Session has them, and one member's scratch.
class Layers {
 public:
  Layers(const kernels::KernelTable& table, const perch::Model& model, std::size_t members,
         perch::Precision precision, perch::LabelScreen screen)
      : table_(&table),
        model_(&model),
        log_mel_(table, {.samples = model.architecture.frontend.samples}, model.values("frontend.window"),
                 model.values("frontend.mel")),
        stem_(table, model) {
    perch::Extent extent = stem_.output_extent();
    for (std::size_t i = 0; i < model.architecture.blocks.size(); ++i)
      extent = blocks_.emplace_back(table, model, i, extent, precision).output_extent();
    head_ = std::make_unique<perch::HeadLayer>(table, model, extent, precision);
    if (model.architecture.label.classes > 0)
      label_ = std::make_unique<perch::LabelHeadLayer>(table, model, head_->positions(), precision, screen);
    describe();
    for (std::size_t m = 0; m < members; ++m) members_.push_back(make_scratch());
  }

  const std::vector<Stage>& stages() const { return stages_; }
  const perch::LabelHeadLayer& label() const { return *label_; }

  /// One window up to the label head's directions; adds each stage's seconds to `seconds`.
  void run(const Team& team, std::size_t shared, std::size_t own, std::span<const float> window,
           float* directions, std::vector<double>& seconds) {
    Scratch& s = members_[shared];
    Scratch& mine = members_[own];
    std::size_t stage = 0;
    auto last = std::chrono::steady_clock::now();
    const auto lap = [&](std::size_t next) {
      const auto now = std::chrono::steady_clock::now();
      seconds[stage] += std::chrono::duration<double>(now - last).count();
      last = now, stage = next;
    };
    log_mel_.run(team, window, s.spectrogram.data(), s.padded.data(), mine.slab.data());
    lap(1);
    float *from = s.ping.data(), *to = s.pong.data();
    stem_.run(team, s.spectrogram.data(), from, mine.slab.data());
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      if (stage != stage_of_block_[i]) lap(stage_of_block_[i]);
      blocks_[i].run(team, from, to,
                     {s.depthwise.data(), s.row_sums.data(), mine.gate.data(), mine.projection.data(),
                      mine.slab.data(), s.rounded.data(), mine.depthwise.data(), mine.row_sums.data()});
      std::swap(from, to);
    }
    lap(stage + 1);
    head_->run(team, from, to, s.rounded.data());
    lap(stage + 1);
    label_->normalize(team, to, directions);
    team.wait();
    lap(stage);
  }

 private:
  struct Scratch {
    AlignedBuffer<float> padded, spectrogram, ping, pong, depthwise, row_sums, gate, projection, slab;
    AlignedBuffer<std::uint32_t> rounded;
  };

  Scratch make_scratch() const {
    perch::MbconvLayer::ScratchSizes most;
    std::size_t image = std::max(stem_.output_size(), head_->output_size());
    for (const perch::MbconvLayer& block : blocks_) {
      most.cover(block.scratch_sizes());
      image = std::max(image, block.output_size());
    }
    most.slab = std::max({most.slab, stem_.scratch_size(), log_mel_.scratch_size()});
    using Floats = AlignedBuffer<float>;
    return {Floats(log_mel_.padded_size()),
            Floats(model_->architecture.spectrogram_extent().positions()),
            Floats(image),
            Floats(image),
            Floats(most.depthwise),
            Floats(most.row_sums),
            Floats(most.gate),
            Floats(most.projection),
            Floats(most.slab),
            AlignedBuffer<std::uint32_t>(std::max(most.rounded, head_->rounded_size()))};
  }

  void describe() {
    const perch::Architecture& a = model_->architecture;
    const auto extents = a.extents();
    const double samples = count(a.frontend.samples), mels = count(a.spectrogram_extent().positions());
    stages_.push_back({"front end", 0, 0, 4 * (samples + mels)});
    const double stem = count(extents[0].positions() * a.stem.channels), taps = 9;
    stages_.push_back({"stem", 2 * stem * taps, 4 * taps * count(a.stem.channels), 4 * (mels + stem)});
    for (std::size_t i = 0; i < a.blocks.size(); ++i) {
      const perch::Block& b = a.blocks[i];
      if (i == 0 || b.out_channels != a.blocks[i - 1].out_channels)
        stages_.push_back({"stage " + std::to_string(stages_.size() - 1) + ", " +
                               std::to_string(b.out_channels) + " channels",
                           0, 0, 0});
      stage_of_block_.push_back(stages_.size() - 1);
      add_block(stages_.back(), b, count(extents[i].positions()), count(extents[i + 1].positions()));
    }
    const double positions = count(extents.back().positions()), wide = count(a.head.channels),
                 narrow = count(a.blocks.back().out_channels);
    stages_.push_back(
        {"head", 2 * positions * wide * narrow, 4 * wide * narrow, 4 * positions * (wide + narrow)});
    const double prototypes = count(a.label.classes * a.label.prototypes);
    stages_.push_back(
        {"label head", 2 * positions * wide * prototypes, 4 * wide * prototypes, 4 * positions * wide});
  }

  static void add_block(Stage& stage, const perch::Block& b, double in, double out) {
    const double wide = count(b.expanded_channels), narrow_in = count(b.in_channels),
                 narrow_out = count(b.out_channels), squeeze = count(b.se_channels),
                 taps = count(b.depthwise.kernel * b.depthwise.kernel);
    const double expand = b.has_expand ? wide * narrow_in : 0;
    stage.flop += 2 * (in * expand + out * wide * (taps + narrow_out) + 2 * wide * squeeze);
    stage.weight_bytes += 4 * (expand + wide * (taps + narrow_out + 2 * squeeze));
    stage.traffic_bytes += 4 * (in * narrow_in + out * narrow_out);
  }

  const kernels::KernelTable* table_;
  const perch::Model* model_;
  frontend::LogMel log_mel_;
  perch::StemLayer stem_;
  std::vector<perch::MbconvLayer> blocks_;
  std::unique_ptr<perch::HeadLayer> head_;
  std::unique_ptr<perch::LabelHeadLayer> label_;
  std::vector<Stage> stages_;
  std::vector<std::size_t> stage_of_block_;
  std::vector<Scratch> members_;
};

/// Seconds per window of each stage in one pass: the mean over the threads, all of which work all the time.
std::vector<double> one_pass(Layers& layers, std::size_t threads, std::size_t batch,
                             std::span<const float> windows, float* directions, float* maxima, float* logits,
                             std::span<ops::ScreenedRows> screened) {
  const std::size_t samples = windows.size() / batch, each = layers.label().directions_size();
  std::vector<std::vector<double>> seconds(threads, std::vector<double>(layers.stages().size()));
  parallel_team(threads, [&](const Team& team) {
    std::vector<double>& mine = seconds[team.rank()];
    const std::size_t alone = batch / team.size() * team.size();
    for (std::size_t i = team.rank(); i < alone; i += team.size())
      layers.run(Team(), team.rank(), team.rank(), windows.subspan(i * samples, samples),
                 directions + i * each, mine);
    team.wait();
    for (std::size_t i = alone; i < batch; ++i)
      layers.run(team, 0, team.rank(), windows.subspan(i * samples, samples), directions + i * each, mine);
    const auto start = std::chrono::steady_clock::now();
    layers.label().run(team, directions, batch, maxima, logits, screened);
    mine.back() += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  });
  // Windows done apart take 1/threads of the wall time that they took each; those done together all of it.
  std::vector<double> mean(layers.stages().size());
  for (const std::vector<double>& member : seconds)
    for (std::size_t s = 0; s < mean.size(); ++s) mean[s] += member[s] / count(threads * batch);
  return mean;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void bench_stages(const perch::Model& model, perch::Precision precision, perch::LabelScreen screen,
                  std::size_t threads, std::size_t batch, std::size_t passes) {
  Layers layers(kernels::table(best_instruction_set()), model, threads, precision, screen);
  std::vector<ops::ScreenedRows> screened = layers.label().make_screened_rows(batch);
  const std::vector<float> windows =
      kernels::random_floats(batch * model.architecture.frontend.samples, 1, 0.1f);
  AlignedBuffer<float> directions(batch * layers.label().directions_size()),
      maxima(batch * layers.label().maxima_size());
  std::vector<float> logits(batch * layers.label().classes());
  std::vector<std::vector<double>> times(layers.stages().size());
  for (std::size_t pass = 0; pass <= passes; ++pass) {
    const auto seconds =
        one_pass(layers, threads, batch, windows, directions.data(), maxima.data(), logits.data(), screened);
    for (std::size_t s = 0; s < times.size(); ++s)
      if (pass > 0) times[s].push_back(seconds[s]);
  }
  for (std::size_t s = 0; s < times.size(); ++s) {
    const Stage& stage = layers.stages()[s];
    std::printf("stage\t%s\t%zu\t%zu\t%.5f\t%.5f\t%.0f\t%.0f\t%.0f\n", stage.name.c_str(), threads, batch,
                1e3 * median(times[s]), 1e3 * *std::min_element(times[s].begin(), times[s].end()), stage.flop,
                stage.weight_bytes, stage.traffic_bytes);
  }
  std::fflush(stdout);
}

bool bench_session(const std::shared_ptr<const perch::Model>& model, perch::Precision precision,
                   perch::LabelScreen screen, std::size_t threads, std::size_t batch, std::size_t passes) {
  auto session = perch::Session::create(
      model, {.threads = threads, .batch = batch, .precision = precision, .screen = screen});
  if (!session) return false;
  const perch::OutputSizes sizes = session->output_sizes();
  const std::vector<float> windows =
      kernels::random_floats(batch * model->architecture.frontend.samples, 1, 0.1f);
  std::vector<float> embedding(batch * sizes.embedding), label(batch * sizes.label);
  std::vector<double> times;
  for (std::size_t pass = 0; pass <= passes; ++pass) {
    const auto start = std::chrono::steady_clock::now();
    if (!session->run(windows, batch, {.embedding = embedding, .label = label})) return false;
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    if (pass > 0) times.push_back(seconds.count() / count(batch));
  }
  std::printf("session\t%zu classes%s\t%zu\t%zu\t%.5f\t%.5f\n", model->architecture.label.classes,
              screen == perch::LabelScreen::always ? ", screened" : "", threads, batch, 1e3 * median(times),
              1e3 * *std::min_element(times.begin(), times.end()));
  std::fflush(stdout);
  return true;
}

/// Nanoseconds from one thread's write to another's reading it, the best of a few rounds.
double handoff() {
  constexpr std::uint32_t exchanges = 2000;
  double best = 1e9;
  for (int round = 0; round < 20; ++round) {
    alignas(cache_line) std::atomic<std::uint32_t> turn{0};
    parallel_team(2, [&](const Team& team) {
      if (team.size() < 2) return;
      team.wait();
      const auto start = std::chrono::steady_clock::now();
      for (auto i = static_cast<std::uint32_t>(team.rank()); i < exchanges; i += 2) {
        while (turn.load(std::memory_order_acquire) != i) {
        }
        turn.store(i + 1, std::memory_order_release);
      }
      const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
      if (team.rank() == 0) best = std::min(best, took.count() / exchanges);
    });
  }
  return best;
}

/// One window at a time, `pause` after the last: each thread count in blocks of 10, in turn.
bool bench_pauses(const std::shared_ptr<const perch::Model>& model, perch::Precision precision,
                  std::chrono::milliseconds pause, std::size_t passes) {
  constexpr std::size_t block = 10;
  std::vector<perch::Session> sessions;
  for (const std::size_t threads : {1, 2}) {
    auto session = perch::Session::create(model, {.threads = threads, .batch = 1, .precision = precision});
    if (!session) return false;
    sessions.push_back(std::move(*session));
  }
  const std::vector<float> window = kernels::random_floats(model->architecture.frontend.samples, 1, 0.1f);
  std::vector<float> label(sessions[0].output_sizes().label);
  std::vector<double> times[2];
  while (times[1].size() < passes)
    for (std::size_t s = 0; s < sessions.size(); ++s)
      for (std::size_t i = 0; i <= block; ++i) {  // the first finds caches full of the other session
        std::this_thread::sleep_for(pause);
        const auto start = std::chrono::steady_clock::now();
        if (!sessions[s].run(window, 1, {.label = label})) return false;
        const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
        if (i > 0) times[s].push_back(seconds.count());
      }
  for (std::size_t s = 0; s < sessions.size(); ++s) {
    std::sort(times[s].begin(), times[s].end());
    std::printf("pause\t%d ms\t%zu\t%.2f\t%.2f\t%.2f\n", static_cast<int>(pause.count()), s + 1,
                1e3 * median(times[s]), 1e3 * times[s][times[s].size() * 9 / 10], 1e3 * times[s][0]);
  }
  std::printf("handoff\t%.0f ns\n", handoff());
  std::fflush(stdout);
  return true;
}

/// A session with weights of its own and one that maps them from the file `path`, pass by pass in turn.
bool bench_packed(const std::shared_ptr<const perch::Model>& model, perch::Precision precision,
                  const char* path, std::size_t threads, std::size_t batch, std::size_t passes) {
  std::vector<perch::Session> sessions;
  for (const char* const packed : {"", path}) {
    auto session = perch::Session::create(
        model, {.threads = threads, .batch = batch, .precision = precision, .packed_weights = packed});
    if (!session || !session->packed_weights()) return false;
    sessions.push_back(std::move(*session));
  }
  const std::vector<float> windows =
      kernels::random_floats(batch * model->architecture.frontend.samples, 1, 0.1f);
  std::vector<float> label(batch * sessions[0].output_sizes().label);
  std::vector<double> times[2];
  for (std::size_t pass = 0; pass <= passes; ++pass)
    for (std::size_t s = 0; s < sessions.size(); ++s) {
      const auto start = std::chrono::steady_clock::now();
      if (!sessions[s].run(windows, batch, {.label = label})) return false;
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
      if (pass > 0) times[s].push_back(seconds.count() / count(batch));
    }
  for (std::size_t s = 0; s < sessions.size(); ++s)
    std::printf("weights\t%s\t%zu\t%zu\t%.5f\t%.5f\n", s == 0 ? "own" : "mapped", threads, batch,
                1e3 * median(times[s]), 1e3 * *std::min_element(times[s].begin(), times[s].end()));
  std::fflush(stdout);
  return true;
}

struct Options {
  std::size_t passes = 40, classes = 234;
  std::vector<std::size_t> whole = {};  ///< classes of the sessions
  perch::Precision precision = perch::Precision::fp32;
  perch::LabelScreen screen = perch::LabelScreen::never;
  bool pauses = false;
  const char* packed = nullptr;
};

/// A whole number above 0.
bool read_count(const char* text, std::size_t& value) {
  char* end = nullptr;
  value = std::strtoul(text, &end, 10);
  return *text >= '0' && *text <= '9' && *end == 0 && value > 0;
}

std::optional<Options> parse(int argc, char** argv) {
  Options o;
  for (int i = 1; i < argc; ++i) {
    const bool has_value = i + 1 < argc;
    if (has_value && !std::strcmp(argv[i], "--passes") && read_count(argv[i + 1], o.passes))
      ++i;
    else if (has_value && !std::strcmp(argv[i], "--classes") && read_count(argv[i + 1], o.classes))
      ++i;
    else if (!std::strcmp(argv[i], "--screen"))
      o.screen = perch::LabelScreen::always;
    else if (!std::strcmp(argv[i], "--bf16"))
      o.precision = perch::Precision::bf16;
    else if (!std::strcmp(argv[i], "--int8"))
      o.precision = perch::Precision::int8;
    else if (!std::strcmp(argv[i], "--pauses"))
      o.pauses = true;
    else if (has_value && !std::strcmp(argv[i], "--packed-weights"))
      o.packed = argv[++i];
    else if (!std::strcmp(argv[i], "--whole"))
      o.whole = {0, 234, 14795};
    else
      return std::nullopt;
  }
  return o;
}

}  // namespace
}  // namespace pantanal

int main(int argc, char** argv) {
  using namespace pantanal;
  const std::optional<Options> options = parse(argc, argv);
  if (!options)
    return std::fprintf(
               stderr,
               "usage: perch [--passes N] [--classes N] [--whole] [--bf16|--int8] [--screen] [--pauses] "
               "[--packed-weights FILE]   (N: 1 or more)\n"),
           1;
  const auto& [passes, classes, whole, precision, screen, pauses, packed] = *options;
  const auto make_model = [](std::size_t n) {
    return std::make_shared<perch::Model>(
        perch::fixtures::random_model(perch::fixtures::perch_v2_architecture(n), 1));
  };
  for (const int pause : {0, 5, 50})
    if (pauses && !bench_pauses(make_model(classes), precision, std::chrono::milliseconds(pause), passes))
      return 1;
  if (pauses) return 0;
  if (packed) {
    const auto model = make_model(classes);
    for (const std::size_t threads : {1, 2})
      for (const std::size_t batch : {1, 12})
        if (!bench_packed(model, precision, packed, threads, batch, std::max(2ul, passes / batch))) return 1;
    return 0;
  }
  for (const std::size_t threads : {1, 2})
    std::printf("peak\t%s\t%zu\t%.2f\t%.2f\n", to_string(best_instruction_set()), threads,
                bench::peak_gflops(best_instruction_set(), threads), bench::read_gbytes(threads));
  const auto model = make_model(classes);
  for (const std::size_t threads : {1, 2})
    for (const std::size_t batch : {1, 12})
      bench_stages(*model, precision, screen, threads, batch, std::max(1ul, passes / batch));
  for (const std::size_t n : whole) {
    const auto kept = make_model(n);
    for (const std::size_t threads : {1, 2})
      for (const std::size_t batch : {1, 12})
        for (const perch::LabelScreen used : {perch::LabelScreen::never, perch::LabelScreen::always})
          if ((used == perch::LabelScreen::never || (n > 0 && precision != perch::Precision::bf16)) &&
              !bench_session(kept, precision, used, threads, batch, std::max(1ul, passes / batch)))
            return 1;
  }
}

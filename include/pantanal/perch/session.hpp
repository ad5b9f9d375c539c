// Session: a Perch model planned for this machine, run on any number of windows.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pantanal/core/aligned_buffer.hpp"
#include "pantanal/core/finite.hpp"
#include "pantanal/core/packed_arena.hpp"
#include "pantanal/core/parallel.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/frontend/log_mel.hpp"
#include "pantanal/io/folder_lock.hpp"
#include "pantanal/io/packed_file.hpp"
#include "pantanal/io/page_release.hpp"
#include "pantanal/perch/backbone.hpp"
#include "pantanal/perch/head.hpp"
#include "pantanal/perch/label_head.hpp"
#include "pantanal/perch/mbconv.hpp"
#include "pantanal/perch/model.hpp"
#include "pantanal/perch/packed_purpose.hpp"
#include "pantanal/perch/stem.hpp"

namespace pantanal::perch {

struct SessionOptions {
  std::size_t threads = 0;  ///< 0: as many as the hardware has
  std::size_t batch =
      12;  ///< windows between two passes over the label head's weights; sets the scratch's size
  InstructionSet isa = best_instruction_set();
  Precision precision = Precision::fp32;        ///< bf16 needs AVX512-BF16, int8 AVX512_VNNI or ARM's asimddp
  LabelScreen screen = LabelScreen::automatic;  ///< changes no bit
  MakeBackbone backbone = {};                   ///< another library's, in place of our own
  /// Where packed weights lie: of the processes that name it the first packs into it, the others map it,
  /// which shares its memory and saves their start the packing. What lies there and does not fit is replaced,
  /// unless it is a file of another kind. Empty: every session packs its own. Changes no bit.
  std::filesystem::path packed_weights = {};
};

/// Where run() writes, each [n, ...] row-major or empty to go without. What nothing asks for is not computed.
struct Outputs {
  std::span<float> embedding = {};          ///< [n, E]
  std::span<float> spatial_embedding = {};  ///< [n, H, W, E]
  std::span<float> spectrogram = {};        ///< [n, frames, mel_bands]
  std::span<float> label = {};              ///< [n, classes] logits
  /// [n] 1: the window's results are finite. 0: float32 does not hold them, and they are not to be used;
  /// run() goes on, where without this it would fail.
  std::span<std::uint8_t> finite = {};
};

/// Number of floats each output takes per window.
struct OutputSizes {
  std::size_t embedding = 0, spatial_embedding = 0, spectrogram = 0, label = 0;
};

/// Weights packed for the instruction set and scratch for every thread, allocated once; run() allocates
/// nothing. Results do not depend on the number of threads or the batch, bit for bit. One run at a time per
/// session.
class Session {
 public:
  /// `model` must be valid (load_model and validate see to it) and is kept.
  static Result<Session> create(std::shared_ptr<const Model> model, SessionOptions options = {}) {
    if (!model) return Error{ErrorCode::invalid_argument, "perch::Session", "no model", "a model"};
    if (!is_supported(options.isa))
      return Error{ErrorCode::unsupported, "perch::Session",
                   std::string("instruction set ") + to_string(options.isa), "one that this CPU has"};
    PANTANAL_TRY_STATUS(check_precision(options.precision, options.isa, "perch::Session"));
    if (options.threads > max_threads)
      return Error{ErrorCode::invalid_argument, "perch::Session",
                   std::to_string(options.threads) + " threads", "at most " + std::to_string(max_threads)};
    if (options.threads == 0) options.threads = hardware_threads();
    options.batch = std::clamp<std::size_t>(options.batch, 1, max_batch);
    std::unique_ptr<Backbone> backbone;
    if (options.backbone) {
      PANTANAL_TRY(backbone, options.backbone(*model, options.threads));
    }
    Session session(std::move(model), std::move(options), std::move(backbone));
    session.pack();
    session.plan();
    return session;
  }

  const Model& model() const { return *model_; }
  /// Why options().packed_weights is not used, if it is not: this session then has weights of its own.
  const Status& packed_weights() const { return packed_weights_; }
  /// What was wrong with the file that this session has made anew, if there was one.
  const std::optional<Error>& replaced_packed_weights() const { return replaced_; }
  const SessionOptions& options() const { return options_; }
  OutputSizes output_sizes() const {
    const Architecture& a = model_->architecture;
    return {a.head.channels, head_->positions() * a.head.channels, a.spectrogram_extent().positions(),
            a.label.classes};
  }

  /// windows [n, samples] float32, raw. Errors: a span of another size, a sample that is NaN or infinite,
  /// label asked of a model without label head, a result that float32 does not hold (unless `finite` is
  /// given). A window whose embedding is not finite has no finite label either, even where only that is asked
  /// for. `cancelled`, if any, is asked between two batches; once it returns true, run() fails. Meanwhile
  /// another run may take place.
  Status run(std::span<const float> windows, std::size_t n, const Outputs& outputs,
             const std::function<bool()>& cancelled = {}) {
    PANTANAL_TRY_STATUS(check(windows, n, outputs));
    for (std::size_t done = 0; done < n; done += options_.batch) {
      if (done > 0 && cancelled && cancelled())
        return Error{ErrorCode::invalid_argument, "perch::Session::run",
                     "a cancellation after " + std::to_string(done) + " windows",
                     "to run all " + std::to_string(n)};
      PANTANAL_TRY_STATUS(run_batch(windows, {done, std::min(done + options_.batch, n)}, outputs));
    }
    return {};
  }

 private:
  static constexpr std::size_t max_threads = 1024, max_batch = 64;

  /// One thread's workspace. Whoever runs a window uses one; a team shares rank 0's, each member with its own
  /// `depthwise`, `row_sums`, `gate`, `projection` and `slab` beside it.
  struct Workspace {
    AlignedBuffer<float> padded, spectrogram, ping, pong, depthwise, row_sums, gate, projection, slab,
        embedding;
    AlignedBuffer<std::uint32_t> rounded;
    Status failed;  ///< another library's backbone, on this thread
  };

  Session(std::shared_ptr<const Model> model, SessionOptions options, std::unique_ptr<Backbone> backbone)
      : model_(std::move(model)), options_(std::move(options)), backbone_(std::move(backbone)) {
    log_mel_.emplace(kernels::table(options_.isa), log_mel_options(model_->architecture.frontend),
                     model_->values("frontend.window"), model_->values("frontend.mel"));
  }

  /// Maps packed weights; where they are not there, packs, writes the file and maps that.
  void pack() {
    PackedArena own;
    if (options_.packed_weights.empty()) return make_layers(own);
    const std::string purpose = packed_purpose(*model_, kernels::table(options_.isa), options_.precision,
                                               options_.screen, !backbone_);
    packed_weights_ = map_layers(purpose);
    if (packed_weights_) return;
    const FolderLock lock(options_.packed_weights);  // one packs, those that start with it map what it made
    packed_weights_ = map_layers(purpose);
    if (packed_weights_) return;
    make_layers(own);
    if (const Status written = PackedFile::write(options_.packed_weights, purpose, own); !written) {
      Error unused = packed_weights_.error();
      unused.expected += "; not replaced: " + written.error().found;
      packed_weights_ = unused.code == ErrorCode::not_found ? written.error() : std::move(unused);
      return;
    }
    if (packed_weights_.error().code != ErrorCode::not_found) replaced_ = packed_weights_.error();
    drop_layers();  // first, so that there never are two copies
    packed_weights_ = map_layers(purpose);
    if (!packed_weights_) make_layers(own = PackedArena());
  }

  Status map_layers(const std::string& purpose) {
    PANTANAL_TRY(packed_file_, PackedFile::open(options_.packed_weights, purpose));
    PackedArena arena(packed_file_->buffers());
    make_layers(arena);
    return packed_file_->check(arena);
  }

  void drop_layers() { stem_.reset(), blocks_.clear(), head_.reset(), label_.reset(); }

  void make_layers(PackedArena& arena) {
    const kernels::KernelTable& table = kernels::table(options_.isa);
    const Architecture& a = model_->architecture;
    const std::vector<Extent> extents = a.extents();
    drop_layers();
    stem_.emplace(table, *model_, &arena);
    if (!backbone_) blocks_.reserve(a.blocks.size());
    for (std::size_t i = 0; i < a.blocks.size(); ++i) {
      if (!backbone_) blocks_.emplace_back(table, *model_, i, extents[i], options_.precision, &arena);
      release("blocks." + std::to_string(i) + ".");
    }
    head_.emplace(table, *model_, extents.back(), options_.precision, &arena);
    release("head.");
    if (a.label.classes > 0)
      label_.emplace(table, *model_, head_->positions(), options_.precision, options_.screen, &arena);
    release("");
  }

  static frontend::LogMelOptions log_mel_options(const Frontend& f) {
    return {f.samples,  f.pad_left,  f.pad_right, f.frame_length, f.hop_length,
            f.fft_size, f.mel_bands, f.floor,     f.scale};
  }

  /// Layers keep their weights packed, so that tensors of a mapped file, those of this prefix, need not stay
  /// in memory as well.
  void release(std::string_view prefix) const {
    for (auto tensor = model_->tensors.lower_bound(prefix);
         tensor != model_->tensors.end() && tensor->first.starts_with(prefix); ++tensor)
      release_pages(tensor->second);
  }

  /// Sizes every workspace for the largest layer.
  void plan() {
    MbconvLayer::ScratchSizes most;
    std::size_t image = std::max(stem_->output_size(), head_->output_size());
    for (const MbconvLayer& block : blocks_) {
      most.cover(block.scratch_sizes());
      image = std::max(image, block.output_size());
    }
    const std::size_t slab = std::max({most.slab, stem_->scratch_size(), log_mel_->scratch_size()});
    for (std::size_t t = 0; t < options_.threads; ++t)
      workspaces_.push_back({AlignedBuffer<float>(log_mel_->padded_size()),
                             AlignedBuffer<float>(output_sizes().spectrogram),
                             AlignedBuffer<float>(image),
                             AlignedBuffer<float>(image),
                             AlignedBuffer<float>(most.depthwise),
                             AlignedBuffer<float>(most.row_sums),
                             AlignedBuffer<float>(most.gate),
                             AlignedBuffer<float>(most.projection),
                             AlignedBuffer<float>(slab),
                             AlignedBuffer<float>(output_sizes().embedding),
                             AlignedBuffer<std::uint32_t>(std::max(most.rounded, head_->rounded_size())),
                             {}});
    overflow_.resize(options_.batch);
    if (label_) {
      directions_ = AlignedBuffer<float>(options_.batch * label_->directions_size());
      maxima_ = AlignedBuffer<float>(options_.batch * label_->maxima_size());
      screened_ = label_->make_screened_rows(options_.batch);
    }
  }

  Status check(std::span<const float> windows, std::size_t n, const Outputs& outputs) const {
    const OutputSizes sizes = output_sizes();
    const auto size = [&](const char* name, std::size_t found, std::size_t each, bool optional) -> Status {
      const bool fits = each == 0 ? found == 0 : found % each == 0 && found / each == n;  // n * each may wrap
      if (fits || (optional && found == 0)) return {};
      return Error{ErrorCode::invalid_argument, std::string("perch::Session::run: ") + name,
                   std::to_string(found) + " floats", std::to_string(n) + " x " + std::to_string(each)};
    };
    PANTANAL_TRY_STATUS(size("windows", windows.size(), model_->architecture.frontend.samples, false));
    PANTANAL_TRY_STATUS(size("embedding", outputs.embedding.size(), sizes.embedding, true));
    PANTANAL_TRY_STATUS(
        size("spatial_embedding", outputs.spatial_embedding.size(), sizes.spatial_embedding, true));
    PANTANAL_TRY_STATUS(size("spectrogram", outputs.spectrogram.size(), sizes.spectrogram, true));
    PANTANAL_TRY_STATUS(size("label", outputs.label.size(), sizes.label, true));
    PANTANAL_TRY_STATUS(size("finite", outputs.finite.size(), 1, true));
    for (std::size_t i = 0; i < windows.size(); ++i)
      if (!std::isfinite(windows[i]))
        return Error{ErrorCode::invalid_argument,
                     "perch::Session::run: window " +
                         std::to_string(i / model_->architecture.frontend.samples) + ", sample " +
                         std::to_string(i % model_->architecture.frontend.samples),
                     std::to_string(windows[i]), "a finite number"};
    return {};
  }

  /// Windows first: each thread takes whole windows; what does not divide evenly is computed by all of them
  /// together.
  Status run_batch(std::span<const float> windows, Range batch, const Outputs& outputs) {
    if (backbone_) return run_batch_elsewhere(windows, batch, outputs);
    parallel_team(options_.threads, [&](const Team& team) {
      const std::size_t alone = run_alone(team, windows, batch, outputs);
      team.wait();
      for (std::size_t i = alone; i < batch.size(); ++i)
        run_window(team, workspaces_[0], workspaces_[team.rank()], windows, batch, i, outputs);
      run_label(team, batch, outputs);
    });
    return check_results(batch, outputs);
  }

  /// The same where another library's backbone brings threads of its own to what does not divide evenly.
  Status run_batch_elsewhere(std::span<const float> windows, Range batch, const Outputs& outputs) {
    std::size_t alone = 0;
    if (batch.size() >= options_.threads)
      parallel_team(options_.threads, [&](const Team& team) {
        const std::size_t done = run_alone(team, windows, batch, outputs);
        if (team.rank() == 0) alone = done;
      });
    for (std::size_t i = alone; i < batch.size(); ++i)
      run_window(Team(), workspaces_[0], workspaces_[0], windows, batch, i, outputs);
    for (Workspace& w : workspaces_)
      if (!w.failed) return std::exchange(w.failed, {});
    parallel_team(options_.threads, [&](const Team& team) { run_label(team, batch, outputs); });
    return check_results(batch, outputs);
  }

  /// This member's windows of those that divide evenly; how many these are in all.
  std::size_t run_alone(const Team& team, std::span<const float> windows, Range batch,
                        const Outputs& outputs) {
    const std::size_t alone = batch.size() / team.size() * team.size();
    for (std::size_t i = team.rank(); i < alone; i += team.size())
      run_window(Team(), workspaces_[team.rank()], workspaces_[team.rank()], windows, batch, i, outputs);
    return alone;
  }

  void run_label(const Team& team, Range batch, const Outputs& outputs) {
    if (!outputs.label.empty())
      label_->run(team, directions_.data(), batch.size(), maxima_.data(),
                  outputs.label.data() + batch.begin * label_->classes(), screened_);
  }

  /// What overflowed in each window of the batch, as flags or as an error.
  Status check_results(Range batch, const Outputs& outputs) {
    const std::size_t classes = outputs.label.empty() ? 0 : label_->classes();
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const std::size_t at = batch.begin + i;
      const char* overflow = overflow_[i];
      if (!overflow && classes > 0 && !all_finite(outputs.label.subspan(at * classes, classes)))
        overflow = "label";
      if (!outputs.finite.empty())
        outputs.finite[at] = !overflow;
      else if (overflow)
        return Error{ErrorCode::invalid_argument,
                     "perch::Session::run: " + std::string(overflow) + " of window " + std::to_string(at),
                     "a result that float32 does not hold", "audio of usual amplitude and a sound model"};
    }
    return {};
  }

  /// Window `i` of the batch, up to what the label head needs. `own` is the calling member's workspace.
  void run_window(const Team& team, Workspace& w, Workspace& own, std::span<const float> windows, Range batch,
                  std::size_t i, const Outputs& outputs) {
    const std::size_t samples = model_->architecture.frontend.samples, at = batch.begin + i;
    log_mel_->run(team, windows.subspan(at * samples, samples), w.spectrogram.data(), w.padded.data(),
                  own.slab.data());
    if (team.rank() == 0) overflow_[i] = all_finite(w.spectrogram.span()) ? nullptr : "spectrogram";
    if (!outputs.spectrogram.empty() && team.rank() == 0)
      std::copy(w.spectrogram.data(), w.spectrogram.data() + w.spectrogram.size(),
                outputs.spectrogram.data() + at * w.spectrogram.size());
    if (outputs.embedding.empty() && outputs.spatial_embedding.empty() && outputs.label.empty()) return;
    const float* spatial = run_backbone(team, w, own);
    if (!outputs.label.empty())
      label_->normalize(team, spatial, directions_.data() + i * label_->directions_size());
    if (team.rank() == 0 && !store_embeddings(spatial, at, outputs, w.embedding.data()) && !overflow_[i])
      overflow_[i] = "embedding";
    team.wait();
  }

  const float* run_backbone(const Team& team, Workspace& w, Workspace& own) {
    float* from = w.ping.data();
    float* to = w.pong.data();
    if (backbone_) {
      const auto member = static_cast<std::size_t>(&own - workspaces_.data());
      if (Status status = backbone_->run(member, w.spectrogram.data(), to); !status)
        own.failed = std::move(status);
      return to;
    }
    const MbconvLayer::Scratch scratch{.depthwise = w.depthwise.data(),
                                       .row_sums = w.row_sums.data(),
                                       .gate = own.gate.data(),
                                       .projection = own.projection.data(),
                                       .slab = own.slab.data(),
                                       .rounded = w.rounded.data(),
                                       .own_depthwise = own.depthwise.data(),
                                       .own_row_sums = own.row_sums.data()};
    stem_->run(team, w.spectrogram.data(), from, own.slab.data());
    for (const MbconvLayer& block : blocks_) {
      block.run(team, from, to, scratch);
      std::swap(from, to);
    }
    head_->run(team, from, to, w.rounded.data());
    return to;
  }

  /// Whether all is finite: the embedding tells, since an infinity or a NaN stays one in a mean. `scratch`
  /// has room for one embedding that nobody asked for.
  bool store_embeddings(const float* spatial, std::size_t at, const Outputs& outputs, float* scratch) const {
    const std::size_t channels = head_->channels();
    float* embedding = outputs.embedding.empty() ? scratch : outputs.embedding.data() + at * channels;
    head_->embed(spatial, embedding);
    const bool finite = all_finite({embedding, channels});
    if (outputs.spatial_embedding.empty()) return finite;
    float* out = outputs.spatial_embedding.data() + at * head_->positions() * channels;
    for (std::size_t p = 0; p < head_->positions(); ++p)
      std::copy_n(spatial + p * head_->stride(), channels, out + p * channels);
    return finite;
  }

  std::shared_ptr<const Model> model_;
  SessionOptions options_;
  std::unique_ptr<Backbone> backbone_;     ///< null: stem, blocks and head below
  std::optional<PackedFile> packed_file_;  ///< what the layers below have their weights in, if any
  Status packed_weights_;
  std::optional<Error> replaced_;
  std::optional<frontend::LogMel> log_mel_;
  std::optional<StemLayer> stem_;
  std::vector<MbconvLayer> blocks_;
  std::optional<HeadLayer> head_;
  std::optional<LabelHeadLayer> label_;
  std::vector<Workspace> workspaces_;
  AlignedBuffer<float> directions_, maxima_;
  std::vector<ops::ScreenedRows> screened_;
  std::vector<const char*> overflow_;  ///< per window of the batch: the first output not finite, or null
};

}  // namespace pantanal::perch

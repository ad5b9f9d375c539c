// From a competition's folder to a submission: the programs themselves, on a made-up competition.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "competition.hpp"
#include "competition/small_perch.hpp"
#include "configuration_option.hpp"
#include "core/refused.hpp"
#include "infer/program.hpp"
#include "io/temporary_folder.hpp"
#include "pantanal/competition/heads_file.hpp"
#include "pantanal/competition/soundscape.hpp"
#include "pantanal/competition/tables.hpp"
#include "pantanal/core/utf8.hpp"
#include "pantanal/output/npz_file.hpp"
#include "pantanal/perch/model_file.hpp"
#include "pantanal/pipeline/submission.hpp"
#include "train.hpp"

namespace pantanal::competition {
namespace {

namespace fs = std::filesystem;
using infer::Finished;

/// Small enough to be trained in a moment.
constexpr const char* configuration = R"({
  "preset": "recommended",
  "proto_ssm": {"d_model": 16, "d_state": 4, "n_ssm_layers": 1, "meta_dim": 4, "cross_attn_heads": 2},
  "proto_ssm_train": {"n_epochs": 4}, "residual_ssm": {"d_model": 8, "d_state": 4, "n_epochs": 4},
  "mlp": {"hidden_layer_sizes": [8], "max_iter": 10}, "probe": {"pca_dim": 4, "min_pos": 2}
})";

/// A competition of 4 training and 5 test soundscapes, the last of which is broken, and heads for it.
class SubmitTest : public ::testing::Test {
 protected:
  SubmitTest() {
    const perch::Model model = small_perch();
    EXPECT_TRUE(succeeded(perch::save_model(model, path("m"))));
    EXPECT_TRUE(succeeded(synthetic::make_competition(
        data_, model.labels,
        {.classes = 8, .train = 4, .partial = 1, .test = 5, .broken = 1, .threads = 2})));
    std::ofstream(path("c.json")) << configuration;
    infer::Console console;
    TrainOptions options;
    options.data = data_, options.perch = path("m"), options.out = path("h"),
    options.logs = path("train.json");
    options.cache = path("cache");
    options.configuration = *find_configuration(path("c.json"));
    EXPECT_EQ(train(options, console), infer::ExitCode::done);
    for (const auto& file : fs::directory_iterator(data_ / "test_soundscapes"))
      for (const auto& window : pipeline::soundscape_windows(file.path())) rows_.push_back(window.row_id);
    classes_ = pipeline::read_sample_submission(data_ / "sample_submission.csv")->classes;
  }

  std::string path(const char* name) const { return folder_ / name; }

  std::vector<std::string> arguments(const std::string& out, std::vector<std::string> more = {}) const {
    std::vector<std::string> all{"submit",  "--data", data_, "--perch", path("m"),         "--heads",
                                 path("h"), "--out",  out,   "--logs",  out + ".logs.json"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  Finished submit(const std::string& out, std::vector<std::string> more = {}) const {
    return infer::run(arguments(path(out.c_str()), std::move(more)), folder_.path());
  }

  /// Whether a submission is complete and valid.
  ::testing::AssertionResult valid(const std::string& out) const {
    return succeeded(pipeline::validate_submission(path(out.c_str()), classes_, rows_));
  }
  std::string bytes(const std::string& out) const { return read_bytes(path(out.c_str())); }

  TemporaryFolder folder_;
  fs::path data_ = folder_ / "data";
  std::vector<std::string> rows_, classes_;
};

TEST_F(SubmitTest, MakesAValidSubmission) {
  const Finished whole = submit("a.csv");
  EXPECT_EQ(whole.code, 0) << whole.err;
  EXPECT_TRUE(valid("a.csv"));
  // The broken recording is named, in the log too, and has other rows than the others: the prior's.
  EXPECT_NE(whole.err.find("BC2026_Test_0005"), std::string::npos) << whole.err;
  EXPECT_NE(whole.err.find("1 of 5 soundscapes could not be read"), std::string::npos) << whole.err;
  EXPECT_NE(bytes("a.csv.logs.json").find("unreadable_files"), std::string::npos);
  for (const char* const stage :
       {"\"decode\"", "\"perch\"", "\"probes\"", "\"postprocess\"", "\"journal_sync\""})
    EXPECT_NE(bytes("a.csv.logs.json").find(stage), std::string::npos) << stage;
  EXPECT_NE(bytes("train.json").find("oof_auc_base"), std::string::npos);
  // No budget at all leaves priors, a generous one changes nothing.
  const Finished none = submit("prior.csv", {"--time-budget", "0.001s"});
  EXPECT_EQ(none.code, 0) << none.err;
  EXPECT_TRUE(valid("prior.csv"));
  EXPECT_NE(bytes("prior.csv"), bytes("a.csv"));
  EXPECT_NE(none.err.find("no time for 5 of 5"), std::string::npos) << none.err;
  EXPECT_EQ(
      submit("b.csv", {"--time-budget", "10m", "--threads", "1", "--packed-weights", path("packed")}).code,
      0);
  EXPECT_EQ(bytes("b.csv"), bytes("a.csv"));
  EXPECT_TRUE(bytes("packed").starts_with("PANTPACK"));
  // Training and submitting in a row.
  fs::rename(path("h"), path("h1"));
  const Finished both = submit("c.csv", {"--train-from-cache", path("cache"), "--config", path("c.json")});
  EXPECT_EQ(both.code, 0) << both.err;
  EXPECT_EQ(bytes("c.csv"), bytes("a.csv"));
  EXPECT_EQ(bytes("h"), bytes("h1"));
  // Without test soundscapes, training soundscapes.
  fs::rename(data_ / "test_soundscapes", folder_ / "elsewhere");
  const Finished dry = submit("d.csv");
  EXPECT_EQ(dry.code, 0) << dry.err;
  EXPECT_NE(dry.err.find("a dry run on the first 5 training soundscapes"), std::string::npos) << dry.err;
  EXPECT_NE(bytes("d.csv").find("BC2026_Train_0001"), std::string::npos);
}

TEST_F(SubmitTest, IsRefusedBeforehandWhereMemoryDoesNotSuffice) {
  const Finished heads = submit("none.csv", {"--max-memory", "1M"});
  EXPECT_EQ(heads.code, 7);
  EXPECT_NE(heads.err.find("/h, which takes about"), std::string::npos) << heads.err;
  EXPECT_FALSE(fs::exists(path("none.csv")));
  const Finished refused = submit("priors.csv", {"--max-memory", "60M", "--threads", "2"});
  EXPECT_EQ(refused.code, 7);
  EXPECT_NE(refused.err.find("even --threads 1 would take"), std::string::npos) << refused.err;
  EXPECT_TRUE(valid("priors.csv"));
  const Finished allowed = submit("a.csv", {"--max-memory", "100M", "--threads", "2"});
  EXPECT_EQ(allowed.code, 0) << allowed.err;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LT(allowed.peak_kib * 1024, 100'000'000);
#endif
  EXPECT_EQ(submit("b.csv", {"--in-process"}).code, 0);
  EXPECT_EQ(bytes("b.csv"), bytes("a.csv"));
}

TEST_F(SubmitTest, GoesOnAfterAKillAsIfThereHadBeenNone) {
  ASSERT_EQ(submit("a.csv").code, 0);
  for (const int milliseconds : {5, 30, 60, 100, 150, 250}) {
    const std::string out = path("k.csv");
    for (int attempt = 0; attempt < 2; ++attempt) {
      std::vector<std::string> more;
      if (attempt > 0) more = {"--resume"};
      const infer::Program program(arguments(out, more), folder_.path(), path("out"), path("err"));
      std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
      program.end_by(SIGKILL);
      program.wait();
      if (fs::exists(out)) {
        EXPECT_TRUE(valid("k.csv")) << milliseconds;
      }
    }
    const Finished resumed = submit("k.csv", {"--resume"});
    EXPECT_EQ(resumed.code, 0) << resumed.err;
    EXPECT_EQ(bytes("k.csv"), bytes("a.csv")) << milliseconds;
    const Finished again = submit("k.csv", {"--resume"});
    EXPECT_NE(again.err.find("5 of 5 soundscapes were done before"), std::string::npos) << again.err;
    EXPECT_EQ(bytes("k.csv"), bytes("a.csv"));
    for (const char* const left : {"k.csv", "k.csv.journal"}) fs::remove(path(left));
  }
  // A signal that can be caught ends in a submission, and well.
  const infer::Program program(arguments(path("t.csv")), folder_.path(), path("out"), path("err"));
  for (int i = 0; i < 500 && !fs::exists(path("t.csv")); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  program.end_by(SIGTERM);
  const Finished ended = program.wait();
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_TRUE(valid("t.csv"));
  EXPECT_EQ(submit("t.csv", {"--resume"}).code, 0);
  EXPECT_EQ(bytes("t.csv"), bytes("a.csv"));
}

TEST_F(SubmitTest, KeepsWhatStandsWhereAResumedRunCannotGoOn) {
  ASSERT_EQ(submit("a.csv").code, 0);
  const std::string whole = bytes("a.csv");
  fs::rename(path("m"), path("model"));
  EXPECT_EQ(submit("a.csv", {"--resume"}).code, 3);
  EXPECT_EQ(bytes("a.csv"), whole);
  fs::rename(path("model"), path("m"));
  EXPECT_EQ(submit("a.csv", {"--resume", "--time-budget", "0.001s"}).code, 0);
  EXPECT_EQ(bytes("a.csv"), whole);
  write_bytes(path("a.csv.journal"), "not a journal");
  EXPECT_EQ(submit("a.csv", {"--resume"}).code, 2);
  EXPECT_EQ(bytes("a.csv"), whole);
}

/// Whole runs are held to flow_oracle by tools/fixtures/compare_flow.py; here, that the program does it.
TEST_F(SubmitTest, RescoresACache) {
  std::vector<std::string> line{"rescore", "--cache", path("cache"), "--heads",
                                path("h"), "--out",   path("r.csv")};
  ASSERT_EQ(infer::run(line, folder_.path()).code, 0);
  fs::rename(data_ / "test_soundscapes", folder_ / "elsewhere");
  ASSERT_EQ(submit("dry.csv").code, 0);  // training soundscapes, those of the cache first
  const std::string rescored = bytes("r.csv");
  EXPECT_EQ(rescored, bytes("dry.csv").substr(0, rescored.size()));
  line.insert(line.end(), {"--steps", path("r.npz"), "--threads", "1"});
  ASSERT_EQ(infer::run(line, folder_.path()).code, 0);
  EXPECT_EQ(bytes("r.csv"), rescored);
  const auto steps = output::NpzFile::open(path("r.npz"));
  ASSERT_TRUE(succeeded(steps));
  for (const char* const name : {"prior", "base", "proto", "final", "probabilities"})
    EXPECT_TRUE(succeeded(steps->floats(name))) << name;
  line[2] = path("nowhere");
  const Finished missing = infer::run(line, folder_.path());
  EXPECT_EQ(missing.code, 3);
  EXPECT_NE(missing.err.find("full_perch_arrays.npz"), std::string::npos) << missing.err;
  EXPECT_EQ(infer::run({"rescore"}, folder_.path()).code, 2);
}

TEST_F(SubmitTest, OnlySubmittingGoesOnWithoutTheInstructionsAskedFor) {
  ::setenv("PANTANAL_ISA", "foo", 1);
  const Finished submitted = submit("a.csv");
  const Finished rescored = infer::run(
      {"rescore", "--cache", path("cache"), "--heads", path("h"), "--out", path("r.csv")}, folder_.path());
  infer::Console console;
  TrainOptions options;
  options.data = data_, options.perch = path("m"), options.out = path("h2"), options.logs = path("l.json");
  const infer::ExitCode trained = train(options, console);
  ::unsetenv("PANTANAL_ISA");
  EXPECT_EQ(submitted.code, 0) << submitted.err;
  EXPECT_TRUE(valid("a.csv"));
  for (const std::string& said : {submitted.err, bytes("a.csv.logs.json"), rescored.err})
    EXPECT_NE(said.find("PANTANAL_ISA: invalid argument: found 'foo'"), std::string::npos) << said;
  EXPECT_EQ(rescored.code, 2);
  EXPECT_EQ(trained, infer::ExitCode::usage);
  EXPECT_FALSE(fs::exists(path("r.csv")) || fs::exists(path("h2")));
}

TEST_F(SubmitTest, SaysWhatItLeavesOut) {
  // A configuration that describes no model is refused before anything is computed.
  std::ofstream(path("bad.json")) << R"({"proto_ssm": {"d_model": 321}})";
  const Finished bad = submit("b.csv", {"--train-from-cache", path("cache"), "--config", path("bad.json")});
  EXPECT_EQ(bad.code, 2);
  EXPECT_NE(bad.err.find("configuration.proto_ssm.cross_attn_heads"), std::string::npos) << bad.err;
  // Labels without a column, and windows off the grid.
  std::ofstream(data_ / "train_soundscapes_labels.csv", std::ios::app) << "y.ogg,00:00:01,00:00:06,zebra\n";
  infer::Console console;
  TrainOptions options;
  options.data = data_, options.perch = path("m"), options.out = path("h2"),
  options.logs = path("train.json");
  options.cache = path("grid"), options.configuration = *find_configuration(path("c.json"));
  options.with_studies = options.configuration.study.run_proxy_reduce_grid = true;
  ASSERT_EQ(train(options, console), infer::ExitCode::done);
  EXPECT_NE(bytes("train.json").find("oof_auc_base_proxy_mean"), std::string::npos) << bytes("train.json");
  EXPECT_TRUE(fs::exists(folder_ / "grid" / "full_perch_arrays.npz"));  // of the better one
  EXPECT_NE(bytes("train.json").find("zebra (1 window)"), std::string::npos) << bytes("train.json");
  EXPECT_NE(bytes("train.json").find("y_6"), std::string::npos);
  // Recordings that are not called .ogg, and names that are no text.
  const std::vector<fs::path> files = *list_soundscapes(data_ / "test_soundscapes");
  fs::rename(files[0], files[0].parent_path() / "loud.OGG");
  fs::rename(files[1], files[1].parent_path() / "caf\xe9.ogg");
  const Finished named = submit("n.csv");
  EXPECT_EQ(named.code, 0) << named.err;
  EXPECT_NE(named.err.find("3 rows of sample_submission.csv are of no soundscape"), std::string::npos)
      << named.err;
  EXPECT_NE(named.err.find("1 recordings in test_soundscapes are not called .ogg and left out: loud.OGG"),
            std::string::npos)
      << named.err;
  EXPECT_NE(named.err.find("caf\\xe9.ogg"), std::string::npos) << named.err;
  EXPECT_EQ(find_not_utf8(bytes("n.csv")), std::string::npos);
  EXPECT_NE(bytes("n.csv").find("\ncaf\\xe9_60,"), std::string::npos);
}

TEST_F(SubmitTest, TrainingChecksWhereItsResultsGoFirst) {
  infer::Console console;
  TrainOptions options;
  options.data = data_, options.perch = path("m"), options.out = folder_ / "nowhere" / "h";
  options.logs = path("train.json"), options.configuration = *find_configuration(path("c.json"));
  EXPECT_EQ(train(options, console), infer::ExitCode::output);
  options.out = path("h2"), options.perch = path("other"), options.cache = path("cache");
  EXPECT_TRUE(succeeded(perch::save_model(small_perch(9), path("other"))));
  EXPECT_EQ(train(options, console), infer::ExitCode::model);  // the cache is of the other Perch
  EXPECT_FALSE(fs::exists(path("h2")));
  // A soundscape that is broken is not trained on; without any there is nothing to train on.
  options.cache.reset(), options.perch = path("m");
  const std::vector<std::string> files = read_competition_tables(data_)->labels.full_files;
  ASSERT_GT(files.size(), 2u);
  write_bytes(data_ / "train_soundscapes" / files[1], "broken");
  EXPECT_EQ(train(options, console), infer::ExitCode::done);
  EXPECT_NE(bytes("train.json").find(files[1]), std::string::npos);
  for (const std::string& file : files) fs::remove(data_ / "train_soundscapes" / file);
  EXPECT_EQ(train(options, console), infer::ExitCode::model);
}

TEST_F(SubmitTest, SaysWhatIsWrong) {
  // A full disk: what was there stays.
  write_bytes(path("a.csv"), "as it was");
  std::string command = "ulimit -f 4; exec " PANTANAL_INFER;
  for (const std::string& argument : arguments(path("a.csv"))) command += " '" + argument + "'";
  EXPECT_EQ(WEXITSTATUS(std::system((command + " 2>/dev/null").c_str())), 5);
  EXPECT_EQ(bytes("a.csv"), "as it was");
  // Another run's journal.
  write_bytes(path("a.csv.journal"), "not a journal");
  const Finished journal = submit("a.csv", {"--resume"});
  EXPECT_EQ(journal.code, 2);
  EXPECT_NE(journal.err.find("a.csv.journal"), std::string::npos) << journal.err;
  // Heads that are none, or with numbers that are none: priors stand.
  HeadsBundle heads = *load_heads(path("h"));
  heads.thresholds[0] = std::numeric_limits<float>::quiet_NaN();
  ASSERT_TRUE(succeeded(save_heads(heads, path("h"))));
  const Finished nan = submit("n.csv");
  EXPECT_EQ(nan.code, 3);
  EXPECT_NE(nan.err.find("NaN"), std::string::npos) << nan.err;
  EXPECT_TRUE(valid("n.csv"));
  // Heads of other classes: priors of the tables stand.
  heads.thresholds[0] = 0.5f;
  std::swap(heads.classes[0], heads.classes[1]);
  ASSERT_TRUE(succeeded(save_heads(heads, path("h"))));
  const Finished other = submit("o.csv");
  EXPECT_EQ(other.code, 3);
  EXPECT_NE(other.err.find("classes that are not those of"), std::string::npos) << other.err;
  EXPECT_TRUE(valid("o.csv"));
  // Names that tell nothing.
  std::vector<fs::path> files = *list_soundscapes(data_ / "test_soundscapes");
  rows_.clear();
  for (std::size_t i = 0; i < files.size(); ++i) {
    const fs::path renamed = files[i].parent_path() / ("recording" + std::to_string(i) + ".ogg");
    fs::rename(files[i], renamed);
    for (const auto& window : pipeline::soundscape_windows(renamed)) rows_.push_back(window.row_id);
  }
  const Finished nameless = submit("m.csv");
  EXPECT_NE(nameless.err.find("5 of 5 soundscapes have names that tell no site"), std::string::npos)
      << nameless.err;
  EXPECT_TRUE(valid("m.csv"));
  // Nothing at all.
  const Finished nothing = infer::run({"submit", "--data", path("nowhere"), "--perch", path("m"), "--heads",
                                       path("h"), "--out", path("e.csv")},
                                      folder_.path());
  EXPECT_EQ(nothing.code, 6);
  EXPECT_NE(nothing.err.find("no such folder"), std::string::npos) << nothing.err;
  EXPECT_FALSE(fs::exists(path("e.csv")));
}

TEST(SubmitLine, IsChecked) {
  const TemporaryFolder folder;
  const std::vector<std::string> good{"submit", "--data", "d", "--perch", "m", "--heads", "h", "--out", "o"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), good.begin(), good.end());
    return infer::run(more, folder.path());
  };
  EXPECT_EQ(with({"--time-budget", "soon"}).code, 2);
  EXPECT_EQ(with({"--time-budget", ""}).code, 2);
  EXPECT_EQ(with({"--config", "v5-run"}).code, 2);
  EXPECT_EQ(with({"--train-from-cache", "c", "--config", "none.json"}).code, 2);
  EXPECT_EQ(with({"--train-from-cache", "c", "--max-memory", "1G"}).code, 2);
  EXPECT_EQ(with({"--max-memory", "much"}).code, 2);
  EXPECT_EQ(with({"--precision", "fp8"}).code, 2);
  EXPECT_EQ(infer::run({"submit"}, folder.path()).code, 2);
  const Finished help = infer::run({"submit", "--help"}, folder.path());
  EXPECT_EQ(help.code, 0);
  EXPECT_NE(help.out.find("--time-budget"), std::string::npos);
}

}  // namespace
}  // namespace pantanal::competition

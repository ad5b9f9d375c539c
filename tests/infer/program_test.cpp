// The program itself, from its command line to its exit code.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/refused.hpp"
#include "io/temporary_folder.hpp"
#include "output/npz_reader.hpp"
#include "pantanal/audio/soundfile.hpp"
#include "pantanal/audio/windows.hpp"
#include "pantanal/core/parallel.hpp"
#include "pantanal/output/prediction_csv.hpp"
#include "pantanal/perch/model_file.hpp"
#include "pantanal/perch/session.hpp"
#include "perch/random_model.hpp"
#include "program_fixture.hpp"
#include "wav_files.hpp"

namespace pantanal::infer {
namespace {

TEST_F(ProgramTest, TakesWhatSoundfileTakes) {
  write_broken_chirp(folder_ / "cut.wav", 4, 0.3);
  EXPECT_EQ(infer({"cut.wav", "--top", "1"}).code, 4);
  const Finished all = infer({"cut.wav", "--top", "1", "--soundfile-compat"});
  if (!audio::reads_as_soundfile()) {
    EXPECT_EQ(all.code, 2);
    EXPECT_NE(all.err.find("PANTANAL_WITH_SNDFILE=ON"), std::string::npos) << all.err;
    return;
  }
  EXPECT_EQ(all.code, 0) << all.err;
  EXPECT_EQ(all.err.find("cut.wav"), std::string::npos) << all.err;
  EXPECT_EQ(infer({"cut.wav", "--top", "1", "--soundfile-compat", "--in-process"}).out, all.out);
  EXPECT_EQ(rows_per_file(all.out)["cut.wav"],
            3);  // of four seconds the first three tenths, in windows of half a second
}

TEST_F(ProgramTest, WritesWhatTheSessionComputes) {
  write_chirp(folder_ / "a.wav", 1.2);
  const Finished finished = infer({"a.wav", "--top", "7"});
  EXPECT_EQ(finished.code, 0) << finished.err;
  EXPECT_EQ(finished.err, "");

  auto stream = audio::WindowStream::open(folder_ / "a.wav", {32000, 16000});
  auto model = perch::load_model(folder_ / "m.safetensors");
  ASSERT_TRUE(succeeded(stream));
  ASSERT_TRUE(succeeded(model));
  auto session = perch::Session::create(std::make_shared<const perch::Model>(*model));
  ASSERT_TRUE(succeeded(session));
  std::string expected(output::PredictionCsv::header);
  std::vector<float> samples(16000), logits(7);
  for (int window = 0; window < 3; ++window) {
    ASSERT_TRUE(succeeded(stream->next(samples)));
    ASSERT_TRUE(succeeded(session->run(samples, 1, {.label = logits})));
    expected +=
        output::PredictionCsv(model->labels, 7).rows({"a.wav", window * 0.5, window * 0.5 + 0.5}, logits);
  }
  EXPECT_EQ(finished.out, expected);
}

TEST_F(ProgramTest, GivesTheSameWithAnyThreadsAndBatch) {
  for (unsigned i = 0; i < 5; ++i) write_chirp(folder_ / (std::to_string(i) + ".wav"), 0.4 + 0.7 * i, i);
  const Finished first = infer({".", "--embeddings", "first.npz", "--threads", "1", "--batch", "1"});
  EXPECT_EQ(first.code, 0) << first.err;
  for (const char* const threads : {"1", "2", "9"})
    for (const char* const batch : {"2", "5", "64"}) {
      const Finished other = infer({".", "--embeddings", "e.npz", "--threads", threads, "--batch", batch});
      EXPECT_EQ(other.out, first.out) << threads << " threads, batch " << batch;
      EXPECT_EQ(read_bytes(folder_ / "e.npz"), read_bytes(folder_ / "first.npz"));
    }
}

TEST_F(ProgramTest, TakesPackedWeightsFromAFile) {
  write_chirp(folder_ / "a.wav", 1.2);
  const std::string expected = infer({"a.wav"}).out;
  std::string packed;
  const auto gives_the_same = [&](const char* name) {
    const Finished finished = infer({"a.wav", "--packed-weights", name});
    EXPECT_EQ(finished.code, 0);
    EXPECT_EQ(finished.out, expected);
    return finished.err;
  };
  EXPECT_EQ(gives_the_same("p"), "");
  packed = read_bytes(folder_ / "p");
  EXPECT_TRUE(packed.starts_with("PANTPACK"));
  EXPECT_EQ(gives_the_same("p"), "");
  overwrite_byte(folder_ / "p", 5000, static_cast<char>(~packed[5000]));
  const std::string told = gives_the_same("p");
  EXPECT_NE(told.find("--packed-weights: p: corrupt: found"), std::string::npos) << told;
  EXPECT_NE(told.find("(made anew)"), std::string::npos) << told;
  EXPECT_EQ(read_bytes(folder_ / "p"), packed) << "made anew";
  write_bytes(folder_ / "song", "RIFF");
  EXPECT_NE(gives_the_same("song").find("--packed-weights: song: mismatch: found a file of another kind"),
            std::string::npos);
  EXPECT_EQ(read_bytes(folder_ / "song"), "RIFF");
  EXPECT_NE(gives_the_same("no/p").find("no/p: not found"), std::string::npos);
  fs::create_directory(folder_ / "in");
  write_chirp(folder_ / "in/b.wav", 1.2);
  for (int run = 0; run < 2; ++run) {
    const Finished among = infer({"in", "--packed-weights", "in/packed.wav"});
    EXPECT_EQ(among.code, 0);
    EXPECT_EQ(among.err, "") << "it is no recording";
  }
  EXPECT_TRUE(read_bytes(folder_ / "in/packed.wav").starts_with("PANTPACK"));
  EXPECT_EQ(infer({"in", "--packed-weights", "in/b.wav"}).code, 2) << "a recording is not replaced";
  for (const char* const refused : {"", "m.safetensors", "a.wav"})
    EXPECT_EQ(infer({"a.wav", "--packed-weights", refused}).code, 2) << refused;
}

TEST_F(ProgramTest, StartsNoMoreThreadsThanAreOfUse) {
  if (hardware_threads() >= 256) GTEST_SKIP() << "1024 threads are of use on this machine";
  write_chirp(folder_ / "a.wav", 1.2);
  const std::string most = std::to_string(4 * hardware_threads());
  const Finished usual = infer({"a.wav", "--threads", most}), crowd = infer({"a.wav", "--threads", "1024"});
  EXPECT_EQ(crowd.out, usual.out);
  EXPECT_NE(crowd.err.find("--threads 1024: " + most + " are used"), std::string::npos) << crowd.err;
  EXPECT_EQ(usual.err, "");
}

TEST_F(ProgramTest, DoesTheRestWhenRecordingsAreBroken) {
  fs::create_directory(folder_ / "d");
  write_chirp(folder_ / "d/a.wav", 1);
  write_bytes(folder_ / "d/b.wav", "");
  write_bytes(folder_ / "d/c.ogg", "not Ogg at all");
  write_bytes(folder_ / "d/d.flac", "fLaC and so on");
  write_broken_chirp(folder_ / "d/e.wav", 4, 0.3);
  write_bytes(folder_ / "d/f.wav", chirp_wav(0));
  write_chirp(folder_ / "d/g.wav", 0.2);
  write_bytes(folder_ / "d/notes.txt", "for people");
  const Finished finished = infer({"d", "absent.wav", "--top", "1"});
  EXPECT_EQ(finished.code, 4);
  EXPECT_EQ(rows_per_file(finished.out), (Counts{{"d/a.wav", 2}, {"d/e.wav", 2}, {"d/g.wav", 1}}));
  for (const char* const name : {"d/b.wav", "d/c.ogg", "d/d.flac", "d/e.wav", "d/f.wav", "absent.wav"})
    EXPECT_NE(finished.err.find(name), std::string::npos) << name;
  EXPECT_NE(finished.err.find("only its first 2 windows are done"), std::string::npos) << finished.err;
  EXPECT_EQ(finished.err.find("d/a.wav"), std::string::npos);
  EXPECT_EQ(finished.err.find("notes.txt"), std::string::npos);
  EXPECT_NE(finished.err.find("6 of 8 recordings could not be done"), std::string::npos) << finished.err;
  EXPECT_EQ(std::ranges::count(finished.err, '\n'), 6 + 1);
}

TEST_F(ProgramTest, WritesNothingIfEveryRecordingIsBroken) {
  write_bytes(folder_ / "a.wav", "RIFF");
  write_bytes(folder_ / "o.csv", "what was there");
  const Finished finished = infer({"a.wav", "absent.wav", "--out", "o.csv", "--embeddings", "e.npz"});
  EXPECT_EQ(finished.code, 6);
  EXPECT_EQ(read_bytes(folder_ / "o.csv"), "what was there");
  EXPECT_FALSE(fs::exists(folder_ / "e.npz"));
  EXPECT_TRUE(temporaries().empty());
  EXPECT_EQ(infer({"a.wav"}).out, "");
}

TEST_F(ProgramTest, FindsNoRecordings) {
  fs::create_directory(folder_ / "d");
  const Finished finished = infer({"d"});
  EXPECT_EQ(finished.code, 6);
  EXPECT_NE(finished.err.find("d: not found: found a folder without recordings"), std::string::npos)
      << finished.err;
}

TEST_F(ProgramTest, ReportsAFolderWithoutRecordingsBesideOthers) {
  fs::create_directory(folder_ / "d");
  write_chirp(folder_ / "a.wav", 0.5);
  EXPECT_EQ(infer({"d", "a.wav"}).code, 4);
}

TEST_F(ProgramTest, DoesARecordingOnce) {
  write_chirp(folder_ / "a.wav", 0.5);
  const Finished finished = infer({"a.wav", ".", "./a.wav", "--top", "1"});
  EXPECT_EQ(finished.code, 0);
  EXPECT_EQ(rows_per_file(finished.out), (Counts{{"a.wav", 1}}));
  EXPECT_NE(finished.err.find("given more than once"), std::string::npos);
}

TEST_F(ProgramTest, KeepsNamesWhateverTheyAre) {
  const std::vector<std::string> names = {"caf\xe9.wav", "a, \"b\".wav", "J\xc3\xb3hann.wav", "-x.wav",
                                          "a\nb.wav"};
  std::vector<std::string> arguments = {"--model", "m.safetensors", "--embeddings", "e.npz", "--top", "1",
                                        "--"};
  for (const std::string& name : names) {
    write_chirp(folder_ / name, 0.5);
    arguments.push_back(name);
  }
  const Finished finished = infer(arguments);
  EXPECT_EQ(finished.code, 0) << finished.err;
  const auto rows = rows_per_file(finished.out);
  for (const std::string& name : names) EXPECT_EQ(rows.count(name), 1u) << name;
  EXPECT_NE(output::read_npz(folder_ / "e.npz").at("file").header.find("<U10"), std::string::npos);
}

TEST_F(ProgramTest, ShowsNoControlCharactersOnTheTerminal) {
  const Finished finished = infer({"\x1b[2Jabsent\n.wav"});
  EXPECT_NE(finished.err.find("?[2Jabsent?.wav"), std::string::npos) << finished.err;
}

TEST_F(ProgramTest, RefusesModelsThatCannotBeLoaded) {
  write_chirp(folder_ / "a.wav", 0.5);
  const std::string bytes = read_bytes(folder_ / "m.safetensors");
  write_bytes(folder_ / "short.safetensors", std::string_view(bytes).substr(0, bytes.size() / 2));
  std::string altered = bytes;
  altered[altered.size() / 2] = static_cast<char>(altered[altered.size() / 2] ^ 1);
  write_bytes(folder_ / "altered.safetensors", altered);
  for (const char* const name :
       {"absent.safetensors", "short.safetensors", "altered.safetensors", "a.wav", "."}) {
    const Finished finished = infer({"a.wav", "--model", name, "--out", "o.csv"});
    EXPECT_EQ(finished.code, 3) << name;
    EXPECT_NE(finished.err.find(name), std::string::npos) << finished.err;
    EXPECT_FALSE(fs::exists(folder_ / "o.csv"));
  }
}

TEST_F(ProgramTest, AsksForEmbeddingsOfAModelWithoutLabels) {
  write_chirp(folder_ / "a.wav", 0.5);
  const std::string model = "headless.safetensors";
  for (const auto& arguments : {std::vector<std::string>{"a.wav", "--model", model},
                                {"a.wav", "--model", model, "--out", "o.csv", "--embeddings", "e.npz"}}) {
    const Finished finished = infer(arguments);
    EXPECT_EQ(finished.code, 2);
    EXPECT_NE(finished.err.find("--embeddings"), std::string::npos) << finished.err;
  }
  const Finished finished = infer({"a.wav", "--model", model, "--embeddings", "e.npz"});
  EXPECT_EQ(finished.code, 0) << finished.err;
  EXPECT_EQ(finished.out, "");
  EXPECT_FALSE(output::read_npz(folder_ / "e.npz").contains("label"));
}

TEST_F(ProgramTest, WritesNoNumberThatIsNone) {
  perch::Model model = perch::fixtures::random_model(perch::fixtures::tiny_architecture(), 7);
  auto& bias = model.tensors.at("head.bias");
  bias = perch::make_tensor(bias.shape, std::vector<float>(bias.values.size(), 3e38f));
  save("huge.safetensors", model);
  write_chirp(folder_ / "a.wav", 1);
  const Finished finished = infer({"a.wav", "--model", "huge.safetensors", "--embeddings", "e.npz"});
  EXPECT_EQ(finished.code, 6);
  EXPECT_EQ(finished.out, "");
  EXPECT_NE(finished.err.find("a.wav"), std::string::npos) << finished.err;
  EXPECT_EQ(std::ranges::count(finished.err, '\n'), 1 + 1);
  EXPECT_FALSE(fs::exists(folder_ / "e.npz"));
}

TEST_F(ProgramTest, NormalizesIfAsked) {
  write_chirp(folder_ / "a.wav", 0.5);
  EXPECT_NE(infer({"a.wav"}).out, infer({"a.wav", "--normalize", "peak"}).out);
}

TEST_F(ProgramTest, RefusesACommandLineThatMakesNoSense) {
  EXPECT_EQ(infer({}).code, 2);
  EXPECT_EQ(infer({"a.wav", "--top", "0"}).code, 2);
  EXPECT_EQ(run({"a.wav"}, folder_.path()).code, 2);
}

TEST_F(ProgramTest, RefusesInstructionsThatThereAreNot) {
  write_chirp(folder_ / "a.wav", 0.5);
  ::setenv("PANTANAL_ISA", "foo", 1);
  const Finished unknown = infer({"a.wav"});
  ::setenv("PANTANAL_ISA", "portable", 1);
  const Finished portable = infer({"a.wav"});
  ::unsetenv("PANTANAL_ISA");
  EXPECT_EQ(unknown.code, 2);
  EXPECT_NE(unknown.err.find("PANTANAL_ISA: invalid argument: found 'foo'"), std::string::npos);
  EXPECT_EQ(portable.code, 0) << portable.err;
}

TEST_F(ProgramTest, MultipliesInLowerPrecisionWhereTheCpuCan) {
  write_chirp(folder_ / "a.wav", 0.5);
  for (const auto& [name, precision] :
       {std::pair("bf16", perch::Precision::bf16), std::pair("int8", perch::Precision::int8)}) {
    const Finished found = infer({"a.wav", "--precision", name});
    if (perch::is_supported(precision, best_instruction_set())) {
      EXPECT_EQ(found.code, 0) << found.err;
      EXPECT_NE(found.out, infer({"a.wav"}).out);
    } else {
      EXPECT_NE(found.code, 0);
    }
    if (perch::is_supported(precision, InstructionSet::portable)) continue;
    ::setenv("PANTANAL_ISA", "portable", 1);
    const Finished refused = infer({"a.wav", "--precision", name});
    ::unsetenv("PANTANAL_ISA");
    EXPECT_NE(refused.code, 0);
    EXPECT_EQ(refused.out, "");
    EXPECT_NE(refused.err.find(std::string("precision ") + name + " on portable"), std::string::npos)
        << refused.err;
  }
}

TEST_F(ProgramTest, TellsItsVersion) {
  const Finished finished = run({"--version"}, folder_.path());
  EXPECT_EQ(finished.code, 0);
  EXPECT_EQ(finished.out.find("pantanal-infer "), 0u);
}

}  // namespace
}  // namespace pantanal::infer

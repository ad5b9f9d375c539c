#include "command_line.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace pantanal::infer {
namespace {

CommandLine parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "pantanal-infer");
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

TEST(CommandLine, HasDefaults) {
  const auto options = parse({"a.wav", "--model", "m.safetensors"}).options;
  ASSERT_TRUE(options);
  EXPECT_EQ(options->inputs, std::vector<std::filesystem::path>{"a.wav"});
  EXPECT_EQ(options->model, "m.safetensors");
  EXPECT_FALSE(options->out);
  EXPECT_FALSE(options->embeddings);
  EXPECT_EQ(options->threads, 0u);
  EXPECT_EQ(options->batch, 0u);
  EXPECT_EQ(options->top, 5u);
  EXPECT_EQ(options->normalize, audio::Normalize::none);
  EXPECT_FALSE(options->recursive);
}

TEST(CommandLine, ReadsEveryOption) {
  const auto options =
      parse({"--model=m", "a.wav", "b", "--out", "o.csv", "--embeddings", "e.npz", "--threads", "3",
             "--batch", "8", "--normalize", "peak", "--top", "7", "--recursive", "--precision", "int8"})
          .options;
  ASSERT_TRUE(options);
  EXPECT_EQ(options->inputs, (std::vector<std::filesystem::path>{"a.wav", "b"}));
  EXPECT_EQ(options->out, "o.csv");
  EXPECT_EQ(options->embeddings, "e.npz");
  EXPECT_EQ(options->threads, 3u);
  EXPECT_EQ(options->batch, 8u);
  EXPECT_EQ(options->top, 7u);
  EXPECT_EQ(options->normalize, audio::Normalize::peak);
  EXPECT_TRUE(options->recursive);
  EXPECT_EQ(options->precision, perch::Precision::int8);
}

TEST(CommandLine, TakesNamesAsTheyAre) {
  const auto options = parse({"--model", "m", "--", "-a.wav", "caf\xe9, \"x\".wav"}).options;
  ASSERT_TRUE(options);
  EXPECT_EQ(options->inputs, (std::vector<std::filesystem::path>{"-a.wav", "caf\xe9, \"x\".wav"}));
}

TEST(CommandLine, RefusesMistakes) {
  const std::vector<std::vector<const char*>> mistakes = {
      {},
      {"a.wav"},
      {"--model", "m"},
      {"a.wav", "--model"},
      {"a.wav", "--model", "m", "--top", "0"},
      {"a.wav", "--model", "m", "--top", "-1"},
      {"a.wav", "--model", "m", "--top", "five"},
      {"a.wav", "--model", "m", "--top", "5x"},
      {"a.wav", "--model", "m", "--batch", "65"},
      {"a.wav", "--model", "m", "--threads", "-2"},
      {"a.wav", "--model", "m", "--threads", "99999999999999999999"},
      {"a.wav", "--model", "m", "--normalize", "rms"},
      {"a.wav", "--model", "m", "--normalize", "1"},
      {"a.wav", "--model", "m", "--normalize", ""},
      {"a.wav", "--model", "m", "--precision", "int4"},
      {"a.wav", "--model", "m", "--unknown"},
  };
  for (const auto& arguments : mistakes) {
    const CommandLine command = parse(arguments);
    EXPECT_FALSE(command.options);
    EXPECT_EQ(command.code, ExitCode::usage);
    EXPECT_NE(command.text.find("--help"), std::string::npos);
    EXPECT_GT(command.text.size(), 60u) << "it should say what is wrong";
  }
}

TEST(CommandLine, SaysWhichNormalizationsThereAre) {
  EXPECT_NE(parse({"a.wav", "--model", "m", "--normalize", "foo"})
                .text.find("pantanal-infer: --normalize: 'foo' is neither none nor peak\n"),
            std::string::npos);
  EXPECT_EQ(parse({"a.wav", "--model", "m", "--normalize", "none"}).options->normalize,
            audio::Normalize::none);
}

TEST(CommandLine, NamesTheNameThatIsEmpty) {
  const auto text_of = [](std::vector<const char*> arguments) { return parse(std::move(arguments)).text; };
  EXPECT_NE(text_of({"a.wav", "", "--model", "m"}).find("recordings: '' is no file name"), std::string::npos);
  EXPECT_NE(text_of({"a.wav", "--model", ""}).find("--model: '' is no file name"), std::string::npos);
  EXPECT_NE(text_of({"a.wav", "-m", "m", "--out", ""}).find("--out: '' is no file name"), std::string::npos);
  EXPECT_NE(text_of({"a.wav", "-m", "m", "-e", ""}).find("--embeddings: '' is no file name"),
            std::string::npos);
}

TEST(CommandLine, TakesNoOptionForTheNameOfAFile) {
  for (const char* const option : {"--model", "--out", "-o", "--embeddings", "--packed-weights", "-m"})
    for (const char* const swallowed : {"--top", "--out", "--unknown", "-o"}) {
      const CommandLine command = parse({"a.wav", "-m", "m", option, swallowed, "7"});
      EXPECT_FALSE(command.options) << option << " " << swallowed;
      EXPECT_NE(command.text.find("found the option '" + std::string(swallowed) + "', expected a value"),
                std::string::npos)
          << command.text;
    }
  const auto options = parse({"a.wav", "-m", "./--m", "-o", "-", "--packed-weights=-x"}).options;
  ASSERT_TRUE(options);
  EXPECT_EQ(options->model, "./--m");
  EXPECT_EQ(options->out, "-");
  EXPECT_EQ(options->packed_weights, "-x");
}

TEST(CommandLine, ExplainsItself) {
  const CommandLine help = parse({"--help"});
  EXPECT_FALSE(help.options);
  EXPECT_EQ(help.code, ExitCode::done);
  for (const char* const word : {"--model", "--out", "--embeddings", "--threads", "--batch", "--normalize",
                                 "--top", "--recursive", "Exit code", "FOLDER", "SIGTERM"})
    EXPECT_NE(help.text.find(word), std::string::npos) << word;
}

TEST(CommandLine, TellsItsVersion) {
  const CommandLine version = parse({"--version"});
  EXPECT_FALSE(version.options);
  EXPECT_EQ(version.code, ExitCode::done);
  EXPECT_EQ(version.text.find("pantanal-infer "), 0u);
}

}  // namespace
}  // namespace pantanal::infer

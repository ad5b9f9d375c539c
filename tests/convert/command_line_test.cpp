#include "command_line.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pantanal::convert {
namespace {

CommandLine parse_line(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "pantanal-convert");
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

TEST(ConvertCommandLine, TakesNoOptionForTheNameOfAFile) {
  ASSERT_TRUE(
      parse_line({"in.onnx", "out", "--labels", "./--classes", "--audio", "a", "--dtype", "bf16"}).options);
  for (const char* const option : {"--labels", "--classes", "--audio"}) {
    const CommandLine command = parse_line({"in.onnx", "out", option, "--dtype", "bf16"});
    EXPECT_FALSE(command.options);
    EXPECT_NE(command.text.find(std::string(option) + ": found the option '--dtype', expected a value"),
              std::string::npos)
        << command.text;
  }
}

TEST(ConvertCommandLine, ExplainsHowASignalEndsIt) {
  EXPECT_NE(parse_line({"--help"}).text.find("143 (SIGTERM)"), std::string::npos);
}

}  // namespace
}  // namespace pantanal::convert

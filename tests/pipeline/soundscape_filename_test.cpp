#include "pantanal/pipeline/soundscape_filename.hpp"

#include "pipeline/golden.hpp"

namespace pantanal::pipeline {
namespace {

TEST(SoundscapeFilename, AgreesWithPythonsPattern) {
  const Lines names = read_lines(golden_folder() / "filenames.csv");
  EXPECT_GE(names.size(), 20u);
  for (const auto& line : names) {
    SCOPED_TRACE(line[0]);
    const SoundscapeFilename parts = parse_soundscape_filename(line[0]);
    EXPECT_EQ(parts.file_id.value_or(""), line[1]);
    EXPECT_EQ(parts.site.value_or(""), line[2]);
    EXPECT_EQ(parts.date.value_or(""), line[3]);
    EXPECT_EQ(parts.time_utc.value_or(""), line[4]);
    EXPECT_EQ(parts.hour_utc, std::stoi(line[5]));
    EXPECT_EQ(parts.month, std::stoi(line[6]));
  }
}

TEST(SoundscapeFilename, HasNoPartsOfAnotherName) {
  for (const char* name : {"", "BC2026_Train_", "BC2026_Train_1_S1_20240131_120000"}) {
    const SoundscapeFilename parts = parse_soundscape_filename(name);
    EXPECT_FALSE(parts.file_id || parts.site || parts.date || parts.time_utc) << name;
    EXPECT_EQ(parts.hour_utc, -1);
    EXPECT_EQ(parts.month, -1);
  }
}

TEST(SoundscapeFilename, KnowsTheEndsOfPandasTime) {
  EXPECT_FALSE(parse_soundscape_filename("BC2026_Test_1_S1_16771231_000000.ogg").date);
  EXPECT_TRUE(parse_soundscape_filename("BC2026_Test_1_S1_16780101_000000.ogg").date);
  EXPECT_TRUE(parse_soundscape_filename("BC2026_Test_1_S1_22611231_000000.ogg").date);
  EXPECT_FALSE(parse_soundscape_filename("BC2026_Test_1_S1_22620101_000000.ogg").date);
}

TEST(SoundscapeFilename, TakesNumbersOfAnyLength) {
  const std::string digits(1000, '7');
  const SoundscapeFilename parts =
      parse_soundscape_filename("BC2026_Test_" + digits + "_S" + digits + "_20240131_120000.ogg");
  EXPECT_EQ(parts.file_id, digits);
  EXPECT_EQ(parts.site, "S" + digits);
  EXPECT_FALSE(parse_soundscape_filename("BC2026_Test_1_S1_" + digits + "_120000.ogg").site);
}

}  // namespace
}  // namespace pantanal::pipeline

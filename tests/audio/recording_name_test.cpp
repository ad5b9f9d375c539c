#include "pantanal/audio/recording_name.hpp"

#include <gtest/gtest.h>

namespace pantanal::audio {
namespace {

TEST(HasRecordingName, GoesByTheExtensionAlone) {
  for (const char* const name : {"a.wav", "a.OGG", "x/a.b.Flac", "\xe9.mp3", "a.opus"})
    EXPECT_TRUE(has_recording_name(name)) << name;
  for (const char* const name : {"a", "wav", ".wav", "a.wav.bak", "a.csv", ".a.wav", "a.wav/"})
    EXPECT_FALSE(has_recording_name(name)) << name;
}

}  // namespace
}  // namespace pantanal::audio

#include "pantanal/pipeline/window_meta.hpp"

#include <gtest/gtest.h>

namespace pantanal::pipeline {
namespace {

TEST(WindowMeta, ASoundscapeHasTwelve) {
  const auto windows = soundscape_windows("test/BC2026_Test_0001_S05_20250227_010002.ogg");
  ASSERT_EQ(windows.size(), 12u);
  EXPECT_EQ(windows[0].row_id, "BC2026_Test_0001_S05_20250227_010002_5");
  EXPECT_EQ(windows[11].row_id, "BC2026_Test_0001_S05_20250227_010002_60");
  for (const WindowMeta& window : windows) {
    EXPECT_EQ(window.filename, "BC2026_Test_0001_S05_20250227_010002.ogg");
    EXPECT_EQ(window.place.site, "S05");
    EXPECT_EQ(window.place.hour_utc, 1);
  }
}

TEST(WindowMeta, AnotherNameHasRowsWithoutPlace) {
  const auto windows = soundscape_windows("a.b.wav");
  ASSERT_EQ(windows.size(), 12u);
  EXPECT_EQ(windows[1].row_id, "a.b_10");
  EXPECT_FALSE(windows[1].place.site);
  EXPECT_EQ(windows[1].place.hour_utc, -1);
}

TEST(WindowMeta, RowsAreUtf8WhateverTheNameIs) {
  const auto windows = soundscape_windows("caf\xe9 \xc3\xa9.ogg");
  EXPECT_EQ(windows[0].row_id, "caf\\xe9 \xc3\xa9_5");
  EXPECT_EQ(windows[0].filename, "caf\xe9 \xc3\xa9.ogg");
}

}  // namespace
}  // namespace pantanal::pipeline

#include "pantanal/pipeline/window_labels.hpp"

#include <random>

#include "io/temporary_folder.hpp"
#include "pipeline/golden.hpp"

namespace pantanal::pipeline {
namespace {

TEST(WindowLabels, AgreeWithTheOracle) {
  for_each_golden([](const Golden& golden) {
    const Lines windows = golden.lines("windows"), y = golden.lines("y_sc"), full = golden.lines("full");
    ASSERT_EQ(golden.labels.windows.size(), windows.size());
    for (std::size_t i = 0; i < windows.size(); ++i) {
      const LabelledWindow& window = golden.labels.windows[i];
      EXPECT_EQ(window.meta.row_id, windows[i][0]);
      EXPECT_EQ(window.meta.filename, windows[i][1]);
      EXPECT_EQ(window.end_sec, std::stoi(windows[i][2]));
      EXPECT_EQ(window.meta.place.site.value_or(""), windows[i][3]);
      EXPECT_EQ(window.meta.place.hour_utc, std::stoi(windows[i][4]));
      std::string joined;
      for (const std::string& label : window.labels) joined += (joined.empty() ? "" : ";") + label;
      EXPECT_EQ(joined, windows[i][5]);
      for (std::size_t c = 0; c < golden.classes.size(); ++c)
        EXPECT_EQ(golden.labels.y_sc(i, c), y[i][c] == "1" ? 1 : 0);
    }
    EXPECT_EQ(golden.labels.full_files, parse_soundscape_labels(full[0][1]));
    EXPECT_EQ(golden.labels.full_rows, indices_of(full[1][1]));
    const MultiHot y_full = golden.labels.y_full();
    ASSERT_EQ(y_full.rows, golden.meta.size());
    for (std::size_t i = 0; i < y_full.rows; ++i)
      EXPECT_TRUE(std::ranges::equal(y_full.row(i), golden.labels.y_sc.row(golden.labels.full_rows[i])));
  });
}

const std::vector<std::string> classes{"a", "b"};

Result<WindowLabels> labels_of(const std::string& text) {
  const auto rows = parse_csv(text, "t.csv");
  EXPECT_TRUE(succeeded(rows));
  return build_window_labels(*rows, classes, "t.csv");
}

TEST(WindowLabels, UniteTheLinesOfAWindow) {
  const auto table = labels_of(
      "primary_label,filename,start,end\nb,x.ogg,00:00:05,00:00:10\nz;a,x.ogg,00:00:00,00:00:05\n,x.ogg,00:"
      "00:05,00:00:10\n");
  ASSERT_TRUE(succeeded(table));
  ASSERT_EQ(table->windows.size(), 2u);
  EXPECT_EQ(table->windows[0].labels, (std::vector<std::string>{"a", "z"}));
  EXPECT_EQ(table->windows[1].labels, (std::vector<std::string>{"b", "nan"}));
  EXPECT_EQ(table->y_sc.values, (std::vector<std::uint8_t>{1, 0, 0, 1}));
  EXPECT_TRUE(table->full_files.empty());
  EXPECT_EQ(table->y_full().rows, 0u);
  EXPECT_EQ(active_classes(table->y_sc), (std::vector<std::size_t>{0, 1}));
}

TEST(WindowLabels, ReadTimesAsPandasDoes) {
  EXPECT_EQ(detail::parse_seconds("00:01:00"), 60);
  EXPECT_EQ(detail::parse_seconds("1:02:03.999"), 3723);
  EXPECT_EQ(detail::parse_seconds("0 days 00:00:05"), 5);
  EXPECT_EQ(detail::parse_seconds("1 days 00:00:05"), 86405);
  for (const char* text : {"", "5", "00:05", "00:00:60", "00:60:00", "00:00:05s", "a",
                           "::", "00:00:", "-1:00:00", "99999999999:00:00", "99 days 00:00:00"})
    EXPECT_FALSE(detail::parse_seconds(text)) << text;
}

TEST(WindowLabels, DropEveryOggFromARowId) {
  const auto table = labels_of("filename,start,end,primary_label\na.ogg.b.ogg,00:00:00,00:00:05,a\n");
  ASSERT_TRUE(succeeded(table));
  EXPECT_EQ(table->windows[0].meta.row_id, "a.b_5");
}

TEST(WindowLabels, CountExactlyTwelveAsFull) {
  for (const int count : {11, 12, 13}) {
    std::string text = "filename,start,end,primary_label\n";
    for (int i = count; i > 0; --i)
      text += "x.ogg,00:00:" + std::to_string(10 + i) + ",00:00:" + std::to_string(30 + i) + ",a\n";
    const auto table = labels_of(text);
    ASSERT_TRUE(succeeded(table));
    EXPECT_EQ(table->full_files.size(), count == 12 ? 1u : 0u);
    EXPECT_EQ(table->full_rows.size(), count == 12 ? 12u : 0u);
  }
}

TEST(WindowLabels, CountWhatTheyCannotUse) {
  const auto table = labels_of(
      "filename,start,end,primary_label\n"
      "x.ogg,00:00:00,00:00:05,a;zebra\nx.ogg,00:00:05,00:00:10,zebra; yak \nx.ogg,00:00:05,00:00:10,zebra\n"
      "x.ogg,00:00:10,00:00:15,\nx.ogg,00:00:15.000,0 days 00:00:20,b\n"
      "y.ogg,00:00:00,00:00:07,a\ny.ogg,00:00:00,00:00:10,a\ny.ogg,00:00:02,00:00:07,a\n"
      "y.ogg,00:00:00.5,00:00:05,a\n");
  ASSERT_TRUE(succeeded(table));
  EXPECT_EQ(table->unknown_labels,
            (std::map<std::string, std::size_t, std::less<>>{{"yak", 1}, {"zebra", 2}}));
  ASSERT_EQ(table->off_grid.size(), 4u);
  for (const std::size_t i : table->off_grid) EXPECT_EQ(table->windows[i].meta.filename, "y.ogg");
}

TEST(WindowLabels, RefuseWhatIsNoTable) {
  EXPECT_TRUE(refused(labels_of(""), ErrorCode::corrupt, {"no header"}));
  EXPECT_TRUE(refused(labels_of("filename,start,end\nx,0,5\n"), ErrorCode::not_found, {"primary_label"}));
  EXPECT_TRUE(refused(labels_of("filename,start,end,primary_label\nx,00:00:00,soon,a\n"), ErrorCode::corrupt,
                      {"t.csv:2", "'soon'"}));
  EXPECT_TRUE(refused(labels_of("filename,start,end,primary_label\n,00:00:00,00:00:05,a\n"),
                      ErrorCode::corrupt, {"t.csv:2", "no file name"}));
}

TEST(WindowLabels, AreReadOrRefusedHoweverDamaged) {
  const std::string whole = read_bytes(Golden(golden_cases()[0]).path("labels"));
  ASSERT_GT(whole.size(), 1000u);
  std::mt19937 random(5);
  const std::string alphabet("0:;,\"\n9 .\0\xff", 11);
  std::size_t refusals = 0;
  for (int round = 0; round < 400; ++round) {
    std::string text = whole.substr(0, round % 2 == 0 ? random() % whole.size() : 600);
    for (std::size_t n = random() % 3; n > 0 && !text.empty(); --n)
      text[random() % text.size()] = alphabet[random() % alphabet.size()];
    const auto rows = parse_csv(text, "t.csv");
    const auto table =
        rows ? build_window_labels(*rows, classes, "t.csv") : Result<WindowLabels>(rows.error());
    if (!table) {
      EXPECT_FALSE(table.error().message().empty());
      ++refusals;
      continue;
    }
    EXPECT_EQ(table->y_sc.rows, table->windows.size());
    EXPECT_EQ(table->full_rows.size(), n_windows_per_file * table->full_files.size());
  }
  EXPECT_GT(refusals, 100u);
  EXPECT_LT(refusals, 400u);
}

}  // namespace
}  // namespace pantanal::pipeline

#include "recordings.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "io/temporary_folder.hpp"

namespace pantanal::infer {
namespace {

namespace fs = std::filesystem;

/// The recordings' paths relative to `folder`.
std::vector<std::string> names(const RecordingList& list, const TemporaryFolder& folder) {
  std::vector<std::string> all;
  for (const Recording& recording : list.recordings)
    all.push_back(recording.path.lexically_relative(folder.path()).string());
  return all;
}

RecordingList find(std::vector<fs::path> inputs, bool recursive = false) {
  return find_recordings(inputs, recursive);
}

TEST(Recordings, TakesFilesInTheOrderGivenWhateverTheirNames) {
  const TemporaryFolder folder;
  write_bytes(folder / "b.txt", "12345");
  write_bytes(folder / "a.wav", "");
  const RecordingList list = find({folder / "b.txt", folder / "a.wav"});
  EXPECT_EQ(names(list, folder), (std::vector<std::string>{"b.txt", "a.wav"}));
  EXPECT_EQ(list.recordings[0].bytes, 5u);
  EXPECT_TRUE(list.errors.empty());
}

TEST(Recordings, SortsWhatIsInAFolderByName) {
  const TemporaryFolder folder;
  for (const char* const name : {"c.ogg", "B.WAV", "a.wav", "d.flac", "notes.txt", "e.mp3", "f", "._a.wav"})
    write_bytes(folder / name, "");
  const RecordingList list = find({folder.path()});
  EXPECT_EQ(names(list, folder), (std::vector<std::string>{"B.WAV", "a.wav", "c.ogg", "d.flac", "e.mp3"}));
}

TEST(Recordings, TakesNoPackedWeightsForOne) {
  const TemporaryFolder folder;
  for (const char* const name : {"a.wav", "b.wav"}) write_bytes(folder / name, "RIFF");
  write_bytes(folder / "packed.wav", "PANTPACK");
  const std::vector<fs::path> inputs = {folder.path()};
  EXPECT_EQ(names(find_recordings(inputs, false, folder / "packed.wav"), folder),
            (std::vector<std::string>{"a.wav", "b.wav"}));
  EXPECT_EQ(names(find_recordings(inputs, false, folder / "b.wav"), folder),
            (std::vector<std::string>{"a.wav", "b.wav", "packed.wav"}))
      << "a recording is one, whatever shall become of it";
}

TEST(Recordings, LooksIntoFoldersWithinFoldersOnlyIfAsked) {
  const TemporaryFolder folder;
  fs::create_directories(folder / "b.wav" / "deep");
  fs::create_directories(folder / ".trash");
  for (const char* const name : {"a.wav", "b.wav/x.wav", "b.wav/deep/y.ogg", "c.wav", ".trash/z.wav"})
    write_bytes(folder / name, "");
  EXPECT_EQ(names(find({folder.path()}), folder), (std::vector<std::string>{"a.wav", "c.wav"}));
  EXPECT_EQ(names(find({folder.path()}, true), folder),
            (std::vector<std::string>{"a.wav", "b.wav/deep/y.ogg", "b.wav/x.wav", "c.wav"}));
}

TEST(Recordings, FollowsLinksButNotInCircles) {
  const TemporaryFolder folder, elsewhere;
  write_bytes(elsewhere / "x.wav", "");
  fs::create_directories(folder / "a");
  fs::create_symlink(elsewhere.path(), folder / "card");
  fs::create_symlink(folder.path(), folder / "a" / "up");
  EXPECT_EQ(names(find({folder.path()}, true), folder), std::vector<std::string>{"card/x.wav"});
}

TEST(Recordings, TakesALinkThatLeadsNowhereSoThatItIsReported) {
  const TemporaryFolder folder;
  fs::create_symlink(folder / "gone.wav", folder / "a.wav");
  EXPECT_EQ(names(find({folder.path()}), folder), std::vector<std::string>{"a.wav"});
}

TEST(Recordings, TakesAFileThatIsNotThereSoThatItIsReported) {
  const TemporaryFolder folder;
  const RecordingList list = find({folder / "absent.wav"});
  ASSERT_EQ(list.recordings.size(), 1u);
  EXPECT_EQ(list.recordings[0].bytes, 0u);
}

TEST(Recordings, TakesEachNameOnce) {
  const TemporaryFolder folder;
  write_bytes(folder / "a.wav", "");
  write_bytes(folder / "b.wav", "");
  const RecordingList list =
      find({folder / "b.wav", folder.path(), folder / "." / "a.wav", folder / "c" / ".." / "b.wav"});
  EXPECT_EQ(names(list, folder), (std::vector<std::string>{"b.wav", "a.wav"}));
  EXPECT_EQ(list.repeated.size(), 3u);
  EXPECT_TRUE(list.errors.empty());
}

TEST(Recordings, ReportsAFolderWithoutRecordings) {
  const TemporaryFolder folder;
  write_bytes(folder / "notes.txt", "");
  fs::create_directory(folder / "deep");
  const RecordingList list = find({folder.path()});
  ASSERT_EQ(list.errors.size(), 1u);
  EXPECT_NE(list.errors[0].message().find(folder.path().string()), std::string::npos);
  EXPECT_NE(list.errors[0].message().find("--recursive"), std::string::npos);
}

}  // namespace
}  // namespace pantanal::infer

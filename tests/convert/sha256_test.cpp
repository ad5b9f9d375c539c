#include "sha256.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "checkpoint_writer.hpp"
#include "io/temporary_folder.hpp"

namespace pantanal::convert {
namespace {

// FIPS 180-4's examples: the empty message and "abc".
TEST(Sha256, HashesFiles) {
  const TemporaryFolder directory;
  fixtures::write_file(directory / "empty", "");
  fixtures::write_file(directory / "a", "a");
  fixtures::write_file(directory / "bc", "bc");
  EXPECT_EQ(*sha256_of_file(directory / "empty"),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  const std::vector<std::filesystem::path> parts = {directory / "a", directory / "empty", directory / "bc"};
  EXPECT_EQ(*sha256_of_files(parts), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_of_file(directory / "nothing").error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace pantanal::convert

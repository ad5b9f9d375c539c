#include "pantanal/output/npy_header.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace pantanal::output {
namespace {

TEST(NpyHeader, IsWhatNumpyReads) {
  const std::string header = npy_header("<f4", 3, {16, 4, 1536});
  EXPECT_EQ(header.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  const auto low = static_cast<unsigned char>(header[8]), high = static_cast<unsigned char>(header[9]);
  EXPECT_EQ(10u + low + 256u * high, header.size());
  EXPECT_EQ(header.find("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 16, 4, 1536), } "), 10u);
  EXPECT_EQ(header.back(), '\n');
}

TEST(NpyHeader, AlignsTheData) {
  for (const Shape& row : {Shape{}, Shape{1536}, Shape{16, 4, 1536}, Shape(40, 123456)})
    EXPECT_EQ(npy_header("<f4", 0, row).size() % 64, 0u);
}

TEST(NpyHeader, HasOneLengthForAnyNumberOfRows) {
  const std::size_t length = npy_header("<f8", 0, {7}).size();
  for (std::uint64_t rows = 1; rows < std::numeric_limits<std::uint64_t>::max() / 10; rows *= 10)
    EXPECT_EQ(npy_header("<f8", rows, {7}).size(), length);
  EXPECT_EQ(npy_header("<f8", std::numeric_limits<std::uint64_t>::max(), {7}).size(), length);
}

TEST(NpyHeader, WritesAVectorAsATupleOfOne) {
  EXPECT_NE(npy_header("<f8", 5, {}).find("'shape': (5,), }"), std::string::npos);
}

}  // namespace
}  // namespace pantanal::output

#include "pantanal/output/npz_file.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "core/refused.hpp"
#include "io/temporary_folder.hpp"
#include "pantanal/output/npy_header.hpp"

namespace pantanal::output {
namespace {

/// An archive of one member, deflated or stored.
void write_member(const std::filesystem::path& path, const std::string& name, const std::string& bytes,
                  zip_int32_t method) {
  zip_t* const archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
  zip_source_t* const source = zip_source_buffer(archive, bytes.data(), bytes.size(), 0);
  const zip_int64_t index = zip_file_add(archive, name.c_str(), source, 0);
  zip_set_file_compression(archive, static_cast<zip_uint64_t>(index), method, 0);
  ASSERT_EQ(zip_close(archive), 0);
}

template <class T>
std::string npy(const char* descr, std::uint64_t rows, const Shape& row, const std::vector<T>& values) {
  std::string bytes = npy_header(descr, rows, row);
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  return bytes;
}

class NpzFileTest : public ::testing::Test {
 protected:
  Result<FloatArray> read(const std::string& bytes, zip_int32_t method = ZIP_CM_STORE) {
    write_member(path_, "x.npy", bytes, method);
    auto file = NpzFile::open(path_);
    if (!file) return file.error();
    return file->floats("x");
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "a.npz";
};

TEST_F(NpzFileTest, ReadsCompressedOrNot) {
  std::vector<float> values(3 * 4);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = 0.5f * static_cast<float>(i);
  for (const zip_int32_t method : {ZIP_CM_STORE, ZIP_CM_DEFLATE}) {
    const auto array = read(npy("<f4", 3, {4}, values), method);
    ASSERT_TRUE(succeeded(array));
    EXPECT_EQ(array->shape, (Shape{3, 4}));
    EXPECT_EQ(array->values, values);
  }
}

TEST_F(NpzFileTest, RoundsDoubles) {
  const auto array = read(npy("<f8", 2, {}, std::vector<double>{0.1, -2}));
  ASSERT_TRUE(succeeded(array));
  EXPECT_EQ(array->shape, (Shape{2}));
  EXPECT_EQ(array->values, (std::vector<float>{0.1f, -2}));
}

TEST_F(NpzFileTest, ReadsHeadersOfVersionTwo) {
  const std::string dictionary = "{'shape': (2,), 'fortran_order': False, 'descr': '<f4', }\n";
  std::string bytes("\x93NUMPY\x02\x00", 8);
  bytes += std::string{static_cast<char>(dictionary.size()), 0, 0, 0} + dictionary + std::string(8, '\0');
  const auto array = read(bytes);
  ASSERT_TRUE(succeeded(array));
  EXPECT_EQ(array->values, (std::vector<float>{0, 0}));
}

TEST_F(NpzFileTest, RefusesWhatItCannotRead) {
  using enum ErrorCode;
  const std::vector<float> two{1, 2};
  EXPECT_TRUE(refused(read(npy("<i4", 2, {}, two)), unsupported, {"<i4"}));
  EXPECT_TRUE(refused(read(npy("<f4", 3, {}, two)), corrupt, {"8 bytes", "[3]"}));
  EXPECT_TRUE(refused(read("no array at all"), corrupt, {"a.npz: x"}));
  std::string fortran = npy("<f4", 2, {}, two);
  fortran.replace(fortran.find("False"), 5, "True ");
  EXPECT_TRUE(refused(read(fortran), unsupported, {"Fortran"}));
  const std::string whole = npy("<f4", 2, {}, two);
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(read(whole.substr(0, size))) << size;
}

TEST_F(NpzFileTest, RefusesOtherFiles) {
  EXPECT_TRUE(refused(NpzFile::open(folder_ / "none"), ErrorCode::not_found, {"none"}));
  std::ofstream(path_) << "text";
  EXPECT_TRUE(refused(NpzFile::open(path_), ErrorCode::corrupt, {"a.npz"}));
  write_member(path_, "y.npy", npy("<f4", 1, {}, std::vector<float>{1}), ZIP_CM_STORE);
  EXPECT_TRUE(refused(NpzFile::open(path_)->floats("x"), ErrorCode::not_found, {"no such array"}));
}

}  // namespace
}  // namespace pantanal::output

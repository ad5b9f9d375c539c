// Reads .npz files back for tests: each array's header and bytes.
#pragma once

#include <gtest/gtest.h>
#include <zip.h>

#include <cstddef>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pantanal::output {

struct NpyArray {
  std::string header;  ///< the Python dictionary, without padding
  std::string bytes;   ///< all elements

  template <class T>
  std::vector<T> values() const {
    std::vector<T> all(bytes.size() / sizeof(T));
    std::memcpy(all.data(), bytes.data(), all.size() * sizeof(T));
    return all;
  }
};

inline NpyArray parse_npy(const std::string& file) {
  if (file.size() < 10) return {};
  const std::size_t length = static_cast<unsigned char>(file[8]) + 256u * static_cast<unsigned char>(file[9]);
  std::string header = file.substr(10, length);
  header.erase(header.find_last_not_of(" \n") + 1);
  return {header, file.substr(std::min(file.size(), 10 + length))};
}

/// The arrays of an archive by their names; empty if it cannot be read. Checks each member's CRC.
inline std::map<std::string, NpyArray> read_npz(const std::filesystem::path& path) {
  std::map<std::string, NpyArray> arrays;
  zip_t* const archive = zip_open(path.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, nullptr);
  if (!archive) return arrays;
  for (zip_int64_t i = 0; i < zip_get_num_entries(archive, 0); ++i) {
    const auto index = static_cast<zip_uint64_t>(i);
    zip_stat_t stat;
    zip_stat_index(archive, index, 0, &stat);
    EXPECT_EQ(stat.comp_method, ZIP_CM_STORE);
    std::string bytes(static_cast<std::size_t>(stat.size), '\0');
    zip_file_t* const member = zip_fopen_index(archive, index, 0);
    EXPECT_EQ(zip_fread(member, bytes.data(), bytes.size()), static_cast<zip_int64_t>(bytes.size()));
    char beyond;
    EXPECT_EQ(zip_fread(member, &beyond, 1), 0);  // and the CRC is right, which is checked at the end
    zip_fclose(member);
    std::string name = stat.name;
    EXPECT_TRUE(name.ends_with(".npy")) << name;
    arrays.emplace(name.substr(0, name.size() - 4), parse_npy(bytes));
  }
  zip_discard(archive);
  return arrays;
}

}  // namespace pantanal::output

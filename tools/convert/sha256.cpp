#include "sha256.hpp"

#include <openssl/evp.h>

#include <array>
#include <memory>

#include "pantanal/io/mapped_file.hpp"

namespace pantanal::convert {

Result<std::string> sha256_of_files(std::span<const std::filesystem::path> paths) {
  const Error failed{ErrorCode::internal, "SHA-256", "a failure of the OpenSSL library", {}};
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  if (!context || EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) != 1) return failed;
  for (const std::filesystem::path& path : paths) {
    PANTANAL_TRY(const MappedFile file, MappedFile::open(path));
    if (EVP_DigestUpdate(context.get(), file.bytes().data(), file.bytes().size()) != 1) return failed;
  }
  std::array<unsigned char, 32> digest{};
  if (EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) != 1) return failed;
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : digest) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

}  // namespace pantanal::convert

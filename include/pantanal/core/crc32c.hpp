// CRC-32C (Castagnoli), the checksum of model files: as fast as memory where the CPU has an instruction for
// it. Source: RFC 3720, appendix B.4 (polynomial and test vectors); for the interleaving, Gopal et al. 2011,
// "Fast CRC Computation for iSCSI Polynomial Using CRC32 Instruction", Intel.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace pantanal {

namespace detail {

static_assert(std::endian::native == std::endian::little);

// Polynomials over GF(2) are bit-reversed: bit 31 is the coefficient of x⁰, bit 0 that of x³¹.
inline constexpr std::uint32_t crc32c_polynomial = 0x82f63b78;

/// a·x modulo the CRC's polynomial.
constexpr std::uint32_t crc32c_times_x(std::uint32_t a) {
  return (a >> 1) ^ ((a & 1) ? crc32c_polynomial : 0);
}

/// a·b modulo the CRC's polynomial.
constexpr std::uint32_t crc32c_multiply(std::uint32_t a, std::uint32_t b) {
  std::uint32_t product = 0;
  for (std::uint32_t bit = 1u << 31; bit != 0; bit >>= 1) {
    if (a & bit) product ^= b;
    b = crc32c_times_x(b);
  }
  return product;
}

/// x^(8·bytes): what a state is multiplied by when that many zero bytes follow.
constexpr std::uint32_t crc32c_power(std::uint64_t bytes) {
  std::uint32_t power = 1u << 31, square = 1u << 23;  // x⁰ and x⁸
  for (; bytes != 0; bytes >>= 1) {
    if (bytes & 1) power = crc32c_multiply(power, square);
    square = crc32c_multiply(square, square);
  }
  return power;
}

/// tables[k][b]: the state after byte b and then k zero bytes, from state 0.
inline constexpr auto crc32c_byte_tables = [] {
  std::array<std::array<std::uint32_t, 256>, 8> tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t state = byte;
    for (int bit = 0; bit < 8; ++bit) state = crc32c_times_x(state);
    tables[0][byte] = state;
  }
  for (std::size_t k = 1; k < 8; ++k)
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t state = tables[k - 1][byte];
      tables[k][byte] = (state >> 8) ^ tables[0][state & 0xff];
    }
  return tables;
}();

inline std::uint64_t load_u64(const std::byte* p) {
  std::uint64_t word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

/// Any CPU: eight bytes a step, by eight look-ups.
inline std::uint32_t crc32c_portable(std::uint32_t state, std::span<const std::byte> bytes) {
  const auto& tables = crc32c_byte_tables;
  const std::byte* p = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, p += 8) {
    const std::uint64_t word = load_u64(p) ^ state;
    state = 0;
    for (std::size_t k = 0; k < 8; ++k) state ^= tables[7 - k][(word >> (8 * k)) & 0xff];
  }
  for (; left > 0; --left, ++p)
    state = (state >> 8) ^ tables[0][(state ^ std::to_integer<std::uint32_t>(*p)) & 0xff];
  return state;
}

#if defined(__x86_64__)

/// Bytes per lane of the interleaved loop.
inline constexpr std::size_t crc32c_lane = 4096;

/// shift[k][b]: byte k of a state, of value b, moved past `crc32c_lane` zero bytes.
inline constexpr auto crc32c_lane_shift = [] {
  std::array<std::array<std::uint32_t, 256>, 4> shift{};
  const std::uint32_t power = crc32c_power(crc32c_lane);
  for (std::uint32_t k = 0; k < 4; ++k)
    for (std::uint32_t byte = 0; byte < 256; ++byte) shift[k][byte] = crc32c_multiply(byte << (8 * k), power);
  return shift;
}();

inline std::uint32_t crc32c_past_lane(std::uint32_t state) {
  const auto& shift = crc32c_lane_shift;
  return shift[0][state & 0xff] ^ shift[1][(state >> 8) & 0xff] ^ shift[2][(state >> 16) & 0xff] ^
         shift[3][state >> 24];
}

/// SSE4.2's instruction takes three cycles but starts every cycle, so three lanes run side by side; their
/// states are joined by shifting the first two past the lanes that follow.
[[gnu::target("sse4.2")]] inline std::uint32_t crc32c_sse42(std::uint32_t state,
                                                            std::span<const std::byte> bytes) {
  const std::byte* p = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 3 * crc32c_lane; left -= 3 * crc32c_lane, p += 3 * crc32c_lane) {
    std::uint64_t a = state, b = 0, c = 0;
    for (std::size_t i = 0; i < crc32c_lane; i += 8) {
      a = _mm_crc32_u64(a, load_u64(p + i));
      b = _mm_crc32_u64(b, load_u64(p + crc32c_lane + i));
      c = _mm_crc32_u64(c, load_u64(p + 2 * crc32c_lane + i));
    }
    state = crc32c_past_lane(static_cast<std::uint32_t>(a)) ^ static_cast<std::uint32_t>(b);
    state = crc32c_past_lane(state) ^ static_cast<std::uint32_t>(c);
  }
  for (; left >= 8; left -= 8, p += 8) state = static_cast<std::uint32_t>(_mm_crc32_u64(state, load_u64(p)));
  for (; left > 0; --left, ++p) state = _mm_crc32_u8(state, std::to_integer<unsigned char>(*p));
  return state;
}

#endif

inline std::uint32_t crc32c_update(std::uint32_t state, std::span<const std::byte> bytes) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) return crc32c_sse42(state, bytes);
#endif
  return crc32c_portable(state, bytes);
}

}  // namespace detail

/// A CRC-32C that grows with the bytes it is given.
class Crc32c {
 public:
  void update(std::span<const std::byte> bytes) { state_ = detail::crc32c_update(state_, bytes); }

  /// Of all bytes so far; 0 if there were none.
  std::uint32_t value() const { return ~state_; }

 private:
  std::uint32_t state_ = ~0u;
};

/// CRC-32C of `bytes`.
inline std::uint32_t crc32c(std::span<const std::byte> bytes) {
  Crc32c crc;
  crc.update(bytes);
  return crc.value();
}

}  // namespace pantanal

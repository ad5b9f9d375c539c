#include "pantanal/audio/wav_header.hpp"

#include <gtest/gtest.h>

#include "audio/audio_files.hpp"
#include "core/refused.hpp"

namespace pantanal::audio {
namespace {

class WavHeaderTest : public ::testing::Test {
 protected:
  Result<WavHeader> header_of(const Bytes& bytes) {
    auto file = ByteReader::open(write(folder_, "f.wav", bytes));
    if (!file) return file.error();
    return read_wav_header(*file);
  }
  TemporaryFolder folder_;
};

Bytes extensible(std::uint16_t tag, std::uint16_t bits, std::uint16_t valid_bits) {
  Bytes content = {0xfe, 0xff, 1, 0};
  put(content, std::uint32_t{32000});
  put(content, std::uint32_t{32000u * bits / 8});
  put(content, static_cast<std::uint16_t>(bits / 8));
  put(content, bits);
  put(content, std::uint16_t{22});
  put(content, valid_bits);
  put(content, std::uint32_t{0});
  put(content, tag);
  for (const std::uint8_t byte : Bytes{0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71})
    content.push_back(byte);
  return content;
}

TEST_F(WavHeaderTest, ReadsEveryEncoding) {
  const std::tuple<std::uint16_t, std::uint16_t, WavSample> encodings[] = {
      {1, 8, WavSample::unsigned8}, {1, 16, WavSample::signed16}, {1, 24, WavSample::signed24},
      {1, 32, WavSample::signed32}, {3, 32, WavSample::float32},  {3, 64, WavSample::float64}};
  for (const auto& [tag, bits, sample] : encodings) {
    const auto header =
        header_of(wav_file({.tag = tag, .channels = 3, .sample_rate = 44100, .bits = bits}, Bytes(48)));
    ASSERT_TRUE(succeeded(header));
    EXPECT_EQ(header->sample, sample);
    EXPECT_EQ(header->channels, 3u);
    EXPECT_EQ(header->sample_rate, 44100u);
    EXPECT_EQ(header->frame_bytes, 3u * bits / 8);
    EXPECT_EQ(header->data_begin, 44u);
    EXPECT_EQ(header->data_bytes, 48u);
  }
}

TEST_F(WavHeaderTest, ReadsExtensibleFormats) {
  const auto pcm = header_of(riff({chunk("fmt ", extensible(1, 24, 20)), chunk("data", Bytes(6))}));
  ASSERT_TRUE(succeeded(pcm));
  EXPECT_EQ(pcm->sample, WavSample::signed24);
  const auto floats = header_of(riff({chunk("fmt ", extensible(3, 32, 32)), chunk("data", Bytes(8))}));
  ASSERT_TRUE(succeeded(floats));
  EXPECT_EQ(floats->sample, WavSample::float32);
}

TEST_F(WavHeaderTest, RefusesExtensibleFormatsItDoesNotKnow) {
  Bytes unknown = extensible(1, 16, 16);
  unknown.back() ^= 1;
  EXPECT_TRUE(refused(header_of(riff({chunk("fmt ", unknown), chunk("data", Bytes(6))})),
                      ErrorCode::unsupported, {"GUID"}));
  EXPECT_TRUE(refused(header_of(riff({chunk("fmt ", extensible(2, 16, 16)), chunk("data", Bytes(6))})),
                      ErrorCode::unsupported, {"Microsoft ADPCM"}));
  Bytes brief = extensible(1, 16, 16);
  brief.resize(38);
  EXPECT_TRUE(refused(header_of(riff({chunk("fmt ", brief), chunk("data", Bytes(6))})), ErrorCode::corrupt,
                      {"38 bytes"}));
}

TEST_F(WavHeaderTest, TakesOddBitCountsAsTheUpperBitsOfWholeBytes) {
  const auto header = header_of(wav_file({.bits = 12}, Bytes(4)));
  ASSERT_TRUE(succeeded(header));
  EXPECT_EQ(header->sample, WavSample::signed16);
}

TEST_F(WavHeaderTest, NamesTheEncodingItRefuses) {
  const auto refusal = [this](const FmtSpec& fmt, ErrorCode code, std::string_view word) {
    return refused(header_of(wav_file(fmt, Bytes(64))), code, {"f.wav", word});
  };
  EXPECT_TRUE(refusal({.tag = 6, .bits = 8}, ErrorCode::unsupported, "A-law"));
  EXPECT_TRUE(refusal({.tag = 7, .bits = 8}, ErrorCode::unsupported, "mu-law"));
  EXPECT_TRUE(refusal({.tag = 0x11, .bits = 4}, ErrorCode::unsupported, "IMA ADPCM"));
  EXPECT_TRUE(refusal({.tag = 0x55, .bits = 16}, ErrorCode::unsupported, "MP3"));
  EXPECT_TRUE(refusal({.tag = 4711, .bits = 16}, ErrorCode::unsupported, "4711"));
  EXPECT_TRUE(refusal({.tag = 1, .bits = 64}, ErrorCode::unsupported, "64-bit PCM"));
  EXPECT_TRUE(refusal({.tag = 3, .bits = 16}, ErrorCode::unsupported, "16-bit float"));
}

TEST_F(WavHeaderTest, RefusesFormatsThatContradictThemselves) {
  const auto refusal = [this](const FmtSpec& fmt, std::string_view word) {
    return refused(header_of(wav_file(fmt, Bytes(64))), ErrorCode::corrupt, {word});
  };
  EXPECT_TRUE(refusal({.channels = 0, .frame_bytes = 2}, "0 channels"));
  EXPECT_TRUE(refusal({.channels = 2, .frame_bytes = 0}, "frames of 0 bytes"));
  EXPECT_TRUE(refusal({.channels = 2, .frame_bytes = 3}, "frames of 3 bytes"));
  EXPECT_TRUE(refusal({.channels = 2, .frame_bytes = 2}, "16-bit samples in 1 bytes"));
  EXPECT_TRUE(refusal({.bits = 0, .frame_bytes = 2}, "0-bit samples in 2 bytes"));
}

TEST_F(WavHeaderTest, SkipsChunksOfAnyLength) {
  const auto header =
      header_of(riff({chunk("JUNK", Bytes(3)), chunk("bext", Bytes(602)), fmt_chunk(),
                      chunk("LIST", Bytes(1)), chunk("data", Bytes(10)), chunk("guan", Bytes(7))}));
  ASSERT_TRUE(succeeded(header));
  EXPECT_EQ(header->data_begin, 12u + 12 + 610 + 24 + 10 + 8);
  EXPECT_EQ(header->data_bytes, 10u);
}

TEST_F(WavHeaderTest, TakesAnUnfinishedSizeAsUpToTheEnd) {
  for (const std::uint32_t size : {0u, 0xffffffffu, 0x80000000u, 0x7fffff00u, 0xffffff00u})
    for (const std::uint32_t total : {0u, 36u, 0xffffffffu}) {
      const auto header = header_of(riff({fmt_chunk(), data_chunk(size, Bytes(100))}, total));
      ASSERT_TRUE(succeeded(header));
      EXPECT_EQ(header->data_bytes, 100u) << size << ' ' << total;
    }
}

TEST_F(WavHeaderTest, BelievesAnEmptyDataChunkWhereTheTotalIsRight) {
  const auto header = header_of(riff({fmt_chunk(), chunk("data", {}), chunk("LIST", Bytes(40))}));
  ASSERT_TRUE(succeeded(header));
  EXPECT_EQ(header->data_bytes, 0u);
}

TEST_F(WavHeaderTest, StatesWhatTheFileStatesEvenIfItIsCutShort) {
  const auto header = header_of(riff({fmt_chunk(), data_chunk(116, Bytes(1))}));
  ASSERT_TRUE(succeeded(header));
  EXPECT_EQ(header->data_bytes, 116u);
}

TEST_F(WavHeaderTest, ReadsTheSizesOfWideFiles) {
  const auto wide = [](std::uint64_t total, std::uint64_t data, std::string_view form) {
    Bytes sizes;
    put(sizes, total);
    put(sizes, data);
    sizes.resize(28);
    return riff(
        {chunk("ds64", sizes), fmt_chunk(), data_chunk(0xffffffff, Bytes(20)), chunk("LIST", Bytes(4))},
        0xffffffff, form);
  };
  for (const std::string_view form : {"RF64", "BW64"}) {
    const auto header = header_of(wide(112, 20, form));
    ASSERT_TRUE(succeeded(header));
    EXPECT_EQ(header->data_bytes, 20u);
  }
  EXPECT_EQ(header_of(wide(0, 0, "RF64"))->data_bytes, 32u);  // written before the recording, never after it
  EXPECT_EQ(header_of(wide(0, ~std::uint64_t{0}, "RF64"))->data_bytes, 32u);
  EXPECT_EQ(header_of(wide(112, std::uint64_t{1} << 40, "RF64"))->data_bytes, std::uint64_t{1} << 40);
  EXPECT_EQ(header_of(wide(112, 20, "RIFF"))->data_bytes, 32u);  // ds64 means nothing there
}

TEST_F(WavHeaderTest, RefusesASizeThatHasWrapped) {
  const auto path = write(folder_, "long.wav", riff({fmt_chunk(), data_chunk(1000, Bytes(1000))}));
  std::filesystem::resize_file(path, (std::uint64_t{5} << 30));  // a sparse file
  auto file = ByteReader::open(path);
  ASSERT_TRUE(succeeded(file));
  EXPECT_TRUE(refused(read_wav_header(*file), ErrorCode::corrupt, {"4 GiB", "RF64"}));
}

TEST_F(WavHeaderTest, RefusesWhatIsNoWav) {
  Bytes avi = riff({fmt_chunk(), chunk("data", Bytes(10))});
  avi[8] = 'X';
  EXPECT_TRUE(refused(header_of(avi), ErrorCode::corrupt, {"another kind"}));
  EXPECT_TRUE(refused(header_of({'R', 'I', 'F', 'F', 0, 0}), ErrorCode::corrupt));
  EXPECT_TRUE(refused(header_of(riff({chunk("data", Bytes(4)), fmt_chunk()})), ErrorCode::corrupt, {"fmt"}));
  EXPECT_TRUE(refused(header_of(riff({fmt_chunk()})), ErrorCode::corrupt, {"the end of the file"}));
  EXPECT_TRUE(refused(header_of(riff({chunk("fmt ", Bytes(14)), chunk("data", Bytes(4))})),
                      ErrorCode::corrupt, {"'fmt '", "14 bytes"}));
}

TEST_F(WavHeaderTest, RefusesAChunkThatPassesTheEnd) {
  Bytes list = {'L', 'I', 0x01, 'T'};
  put(list, std::uint32_t{0xfffffff0});
  EXPECT_TRUE(refused(header_of(riff({fmt_chunk(), list})), ErrorCode::corrupt,
                      {"'LI?T'", "4294967280 bytes", "byte 36"}));
}

TEST_F(WavHeaderTest, GivesUpOnEndlessChunks) {
  Bytes chunks;
  for (int i = 0; i < 20000; ++i) {
    const Bytes empty = chunk("none", {});
    chunks.insert(chunks.end(), empty.begin(), empty.end());
  }
  EXPECT_TRUE(refused(header_of(riff({chunks, fmt_chunk(), chunk("data", Bytes(4))})), ErrorCode::corrupt,
                      {"10000 chunks"}));
}

TEST_F(WavHeaderTest, EveryTruncationOfAHeaderIsRefused) {
  const Bytes whole =
      riff({chunk("bext", Bytes(5)), chunk("fmt ", extensible(1, 16, 16)), chunk("data", Bytes(8))});
  for (std::size_t length = 0; length < whole.size() - 8; ++length)
    EXPECT_TRUE(refused(header_of(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length))),
                        ErrorCode::corrupt))
        << length;
}

}  // namespace
}  // namespace pantanal::audio

#include "vorbis_file.hpp"

#include <vorbis/vorbisenc.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "pantanal/io/atomic_file.hpp"

namespace pantanal::synthetic {
namespace {

/// libvorbis' and libogg's state, which is freed in this order.
class Encoder {
 public:
  Encoder(std::size_t rate, int serial) {
    vorbis_info_init(&info_);
    is_ready_ = vorbis_encode_init_vbr(&info_, 1, static_cast<long>(rate), 0.2f) == 0;
    if (!is_ready_) return;
    vorbis_comment_init(&comment_);
    vorbis_analysis_init(&state_, &info_);
    vorbis_block_init(&state_, &block_);
    ogg_stream_init(&stream_, serial);
    ogg_packet header, comments, code;
    vorbis_analysis_headerout(&state_, &comment_, &header, &comments, &code);
    for (ogg_packet* packet : {&header, &comments, &code}) ogg_stream_packetin(&stream_, packet);
    ogg_page page;
    while (ogg_stream_flush(&stream_, &page) != 0) append(page);
  }
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;
  ~Encoder() {
    if (is_ready_) {
      ogg_stream_clear(&stream_);
      vorbis_block_clear(&block_);
      vorbis_dsp_clear(&state_);
      vorbis_comment_clear(&comment_);
    }
    vorbis_info_clear(&info_);
  }

  bool is_ready() const { return is_ready_; }

  /// The last piece is an empty one.
  void encode(std::span<const float> samples) {
    if (!samples.empty()) {
      float** const room = vorbis_analysis_buffer(&state_, static_cast<int>(samples.size()));
      std::ranges::copy(samples, room[0]);
    }
    vorbis_analysis_wrote(&state_, static_cast<int>(samples.size()));
    while (vorbis_analysis_blockout(&state_, &block_) == 1) {
      vorbis_analysis(&block_, nullptr);
      vorbis_bitrate_addblock(&block_);
      ogg_packet packet;
      while (vorbis_bitrate_flushpacket(&state_, &packet) != 0) {
        ogg_stream_packetin(&stream_, &packet);
        ogg_page page;
        while (ogg_stream_pageout(&stream_, &page) != 0) append(page);
      }
    }
  }

  /// Everything so far, the page that is begun included.
  std::string_view finish() {
    ogg_page page;
    while (ogg_stream_flush(&stream_, &page) != 0) append(page);
    return bytes_;
  }

 private:
  void append(const ogg_page& page) {
    bytes_.append(reinterpret_cast<const char*>(page.header), static_cast<std::size_t>(page.header_len));
    bytes_.append(reinterpret_cast<const char*>(page.body), static_cast<std::size_t>(page.body_len));
  }

  vorbis_info info_;
  vorbis_comment comment_;
  vorbis_dsp_state state_;
  vorbis_block block_;
  ogg_stream_state stream_;
  bool is_ready_ = false;
  std::string bytes_;
};

}  // namespace

Status write_vorbis(const std::filesystem::path& path, std::span<const float> samples, std::size_t rate,
                    int serial) {
  constexpr std::size_t piece = 4096;
  Encoder encoder(rate, serial);
  if (!encoder.is_ready())
    return Error{ErrorCode::unsupported, path.string(), std::to_string(rate) + " Hz",
                 "a rate that Vorbis takes"};
  for (std::size_t first = 0; first < samples.size(); first += piece)
    encoder.encode(samples.subspan(first, std::min(piece, samples.size() - first)));
  encoder.encode({});
  PANTANAL_TRY(AtomicFile file, AtomicFile::create(path));
  PANTANAL_TRY_STATUS(file.write(encoder.finish()));
  return file.commit();
}

}  // namespace pantanal::synthetic

#include "pantanal/audio/soundfile.hpp"

#include <string>

#if defined(PANTANAL_HAVE_SNDFILE)
#include <sndfile.h>

#include <algorithm>
#include <cstdint>
#include <optional>

#include "pantanal/audio/byte_reader.hpp"

namespace pantanal::audio {
namespace {

class SoundfileSource final : public Source {
 public:
  static Result<std::unique_ptr<Source>> open(const std::filesystem::path& path) {
    PANTANAL_TRY_STATUS(ByteReader::open(path));  // whose errors say more
    std::unique_ptr<SoundfileSource> source(new SoundfileSource);
    SF_INFO info = {};
    source->file_.reset(sf_open(path.c_str(), SFM_READ, &info));
    source->format_ = {.name = path.string(),
                       .encoding = "a file as libsndfile reads it",
                       .sample_rate = static_cast<std::uint32_t>(std::max(0, info.samplerate)),
                       .channels = static_cast<std::uint32_t>(std::max(0, info.channels)),
                       .frames = static_cast<std::uint64_t>(std::max<sf_count_t>(0, info.frames))};
    if (!source->file_) return source->problem(sf_strerror(nullptr));
    PANTANAL_TRY_STATUS(check_format(source->format_));
    return std::unique_ptr<Source>(std::move(source));
  }

  const Format& format() const override { return format_; }

 private:
  struct Close {
    void operator()(SNDFILE* file) const { sf_close(file); }
  };

  Result<std::size_t> read_some(std::span<float> interleaved) override {
    if (broken_) return *broken_;
    const std::uint64_t left = *format_.frames - std::min(*format_.frames, frames_read());
    const auto wanted = std::min<std::uint64_t>(left, interleaved.size() / format_.channels);
    const sf_count_t got = sf_readf_float(file_.get(), interleaved.data(), static_cast<sf_count_t>(wanted));
    if (sf_error(file_.get()) != SF_ERR_NO_ERROR) broken_ = problem(sf_strerror(file_.get()));
    if (got > 0) return static_cast<std::size_t>(got);
    if (broken_) return *broken_;
    return std::size_t{0};
  }

  Error problem(const char* words) const {
    return {ErrorCode::corrupt, format_.name, "what libsndfile calls '" + std::string(words) + "'",
            "a file that it can read"};
  }

  std::unique_ptr<SNDFILE, Close> file_;
  Format format_;
  std::optional<Error> broken_;  // said after the frames that came with it
};

}  // namespace

bool reads_as_soundfile() { return true; }

Result<std::unique_ptr<Source>> open_as_soundfile(const std::filesystem::path& path) {
  return SoundfileSource::open(path);
}

}  // namespace pantanal::audio

#else

namespace pantanal::audio {

bool reads_as_soundfile() { return false; }

Result<std::unique_ptr<Source>> open_as_soundfile(const std::filesystem::path& path) {
  return Error{ErrorCode::unsupported, path.string(), "a build without libsndfile",
               "PANTANAL_WITH_SNDFILE=ON"};
}

}  // namespace pantanal::audio

#endif

// What Python's soundfile gives of a file, through the library under it, libsndfile, where pantanal_audio was
// built with it.
#pragma once

#include <filesystem>
#include <memory>

#include "pantanal/audio/source.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::audio {

/// Whether this build has it (PANTANAL_WITH_SNDFILE).
bool reads_as_soundfile();

/// A source of the frames that soundfile.read returns, damage or not: an Ogg file that is cut short simply
/// ends, a page that is lost or altered leaves no gap, a WAV file has the frames that are there. Where
/// soundfile raises an error in the middle, the frames before it come first; a sample that is no number is an
/// error, which it is not to soundfile. Errors: those of ByteReader; corrupt with libsndfile's own words;
/// unsupported, naming the option, in a build without.
Result<std::unique_ptr<Source>> open_as_soundfile(const std::filesystem::path& path);

}  // namespace pantanal::audio

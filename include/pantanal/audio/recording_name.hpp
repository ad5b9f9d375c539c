// has_recording_name: whether a file is called as recordings are.
#pragma once

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string>
#include <string_view>

namespace pantanal::audio {

/// Whether the extension is that of an audio format, in capitals or not, also of formats that cannot be read;
/// no hidden file is.
inline bool has_recording_name(const std::filesystem::path& path) {
  constexpr std::string_view extensions[] = {".wav", ".wave", ".ogg",  ".oga", ".flac", ".mp3",  ".opus",
                                             ".m4a", ".mp4",  ".aac",  ".aif", ".aiff", ".aifc", ".au",
                                             ".caf", ".w64",  ".rf64", ".wma", ".wv",   ".ape",  ".amr"};
  std::string extension = path.extension().native();
  for (char& c : extension)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return !path.filename().native().starts_with('.') &&
         std::ranges::find(extensions, extension) != std::end(extensions);
}

}  // namespace pantanal::audio

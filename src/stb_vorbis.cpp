// stb_vorbis's implementation, as a system header free of our warnings: only the part that is handed its
// input in memory, since files and Ogg are read by pantanal/audio.

// Its assertions would end the program on hostile input; pantanal/audio checks the headers before it sees
// them.
#undef NDEBUG
#define NDEBUG
#define STB_VORBIS_NO_PULLDATA_API
#include <stb/stb_vorbis.h>

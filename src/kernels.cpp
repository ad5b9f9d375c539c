// The kernels, compiled once for everything that links pantanal::kernels.
#define PANTANAL_COMPILE_KERNELS
#include "pantanal/kernels/dispatch.hpp"

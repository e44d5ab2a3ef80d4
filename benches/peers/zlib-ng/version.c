/* The version of zlib-ng itself, which its compat mode does not export: zlibVersion() there tells the zlib it stands in for. */
#include <zlib.h>

const char *peer_version(void) { return "zlib-ng " ZLIBNG_VERSION; }

/* zlib-ng's own version, which its compat mode does not export: zlibVersion() returns that of the zlib it replaces. */
#include <zlib.h>

const char *peer_version(void) { return "zlib-ng " ZLIBNG_VERSION; }

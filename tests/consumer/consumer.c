/* Compresses and decompresses with the whole-buffer functions, and prints the versions of rigz and zlib. */
#include <stdio.h>
#include <string.h>
#include <rigz.h>
#include <zlib.h>

int main(void)
{
    const char text[] = "a small consumer, a small consumer, a small consumer";
    Bytef packed[128];
    char back[128];
    uLongf packed_len = sizeof packed, back_len = sizeof back;
    if (compress(packed, &packed_len, (const Bytef *)text, sizeof text) != Z_OK)
        return 1;
    if (uncompress((Bytef *)back, &back_len, packed, packed_len) != Z_OK || strcmp(text, back) != 0)
        return 2;
    return printf("rigz %s, zlib %s\n", rigz_version(), zlibVersion()) > 0 ? 0 : 3;
}

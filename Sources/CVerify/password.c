#define _GNU_SOURCE
#include "cverify.h"

#include <crypt.h>
#include <stdlib.h>
#include <string.h>

int cverify_password_matches(const char *password, const char *hash) {
    struct crypt_data *data = calloc(1, sizeof *data);
    if (!data) return 0;
    const char *made = crypt_r(password, hash, data);
    int same = made && strcmp(made, hash) == 0;
    free(data);
    return same;
}

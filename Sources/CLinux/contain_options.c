// The command line of the containment.
#define _GNU_SOURCE
#include "contain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static unsigned long long parse_number(const char *option, const char *text) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno || end == text || *end || *text == '-') if_contain_fail(0, NULL, "%s %s: not a number", option, text);
    return value;
}

/// One of two words: 0 for the first, 1 for the second.
static int parse_choice(const char *option, const char *text, const char *first, const char *second) {
    if (strcmp(text, first) == 0) return 0;
    if (strcmp(text, second) != 0) if_contain_fail(0, NULL, "%s %s: neither %s nor %s", option, text, first, second);
    return 1;
}

static void add_bind(struct if_containment *containment, const char *source, const char *target, int read_only) {
    if (target[0] != '/') if_contain_fail(0, NULL, "--bind: %s is no absolute path", target);
    containment->binds[containment->bind_count++] =
        (struct if_bind){.source = source, .target = target, .read_only = read_only, .tree = -1};
}

/// One option with one value. Returns 0 if there is no such option.
static int parse_option(struct if_containment *containment, const char *option, const char *value) {
    if (strcmp(option, "--ids") == 0)
        containment->range = parse_choice(option, value, "caller", "range");
    else if (strcmp(option, "--net") == 0)
        containment->private_network = parse_choice(option, value, "host", "none");
    else if (strcmp(option, "--relay") == 0)
        containment->relay = value;
    else if (strcmp(option, "--work") == 0)
        containment->work = parse_number(option, value);
    else if (strcmp(option, "--chdir") == 0)
        containment->folder = value;
    else if (strcmp(option, "--stdin") == 0)
        containment->input = value;
    else if (strcmp(option, "--limit-as") == 0)
        containment->limit_as = parse_number(option, value);
    else if (strcmp(option, "--limit-cpu") == 0)
        containment->limit_cpu = parse_number(option, value);
    else if (strcmp(option, "--limit-fsize") == 0)
        containment->limit_fsize = parse_number(option, value);
    else if (strcmp(option, "--nice") == 0)
        containment->nice = (int)parse_number(option, value);
    else
        return 0;
    return 1;
}

void if_contain_parse(struct if_containment *containment, int count, char *const arguments[]) {
    memset(containment, 0, sizeof *containment);
    containment->input_descriptor = -1;
    containment->binds = calloc((size_t)count + 1, sizeof *containment->binds);
    if (!containment->binds) if_contain_fail(errno, NULL, "no memory");
    int at = 0;
    while (at < count && strcmp(arguments[at], "--") != 0) {
        const char *option = arguments[at];
        int read_only = strcmp(option, "--bind-ro") == 0;
        if (read_only || strcmp(option, "--bind") == 0) {
            if (at + 2 >= count) if_contain_fail(0, NULL, "%s needs a source and a target", option);
            add_bind(containment, arguments[at + 1], arguments[at + 2], read_only);
            at += 3;
            continue;
        }
        if (at + 1 >= count) if_contain_fail(0, NULL, "%s needs a value", option);
        if (!parse_option(containment, option, arguments[at + 1])) if_contain_fail(0, NULL, "unknown option %s", option);
        at += 2;
    }
    if (at + 1 >= count) if_contain_fail(0, NULL, "no command after --");
    containment->command = arguments + at + 1;
    if (containment->relay && !(containment->private_network && containment->work))
        if_contain_fail(0, NULL, "--relay needs --net none and --work");
}

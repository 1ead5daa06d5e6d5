/* Makes writes under a folder fail, for the tests: preloaded, and armed from within the process.

   Each write, fsync, truncation and rename of a file there is counted; from the one of that number on, or at that one
   alone, it fails with an error of the caller's choice. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static char folder[PATH_MAX];
static int first, code, lasting;
static volatile int seen;

void arm(const char *path, int number, int error, int for_good) {
    strncpy(folder, path, sizeof folder - 1);
    first = number;
    code = error;
    lasting = for_good;
    seen = 0;
}

int counted(void) { return seen; }

static int fails(const char *path) {
    if (!folder[0] || strncmp(path, folder, strlen(folder)) != 0) return 0;
    int number = __sync_add_and_fetch(&seen, 1);
    if (!first || number < first || (number > first && !lasting)) return 0;
    errno = code;
    return 1;
}

static int file_fails(int file) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return fails(path);
}

#define REAL(name) \
    static __typeof__(name) *real; \
    if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

ssize_t write(int file, const void *data, size_t size) {
    REAL(write);
    return file_fails(file) ? -1 : real(file, data, size);
}

ssize_t writev(int file, const struct iovec *data, int number) {
    REAL(writev);
    return file_fails(file) ? -1 : real(file, data, number);
}

int fsync(int file) {
    REAL(fsync);
    return file_fails(file) ? -1 : real(file);
}

int ftruncate64(int file, off64_t size) {
    REAL(ftruncate64);
    return file_fails(file) ? -1 : real(file, size);
}

int rename(const char *from, const char *to) {
    REAL(rename);
    return code != EINTR && fails(from) ? -1 : real(from, to);  /* which no signal interrupts */
}

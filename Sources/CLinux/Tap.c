#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int clinux_make_tap(const char *name) {
    int device = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    if (device < 0) return -1;
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    strncpy(request.ifr_name, name, sizeof request.ifr_name - 1);
    int result = ioctl(device, TUNSETIFF, &request);
    if (result == 0) result = ioctl(device, TUNSETPERSIST, 1);
    int error = errno;
    close(device);
    errno = error;
    return result;
}

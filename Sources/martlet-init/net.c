// The few rtnetlink requests that a pod needs for itself (rtnetlink(7)).
#include "net.h"

#include <linux/if.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <sys/socket.h>

struct request {
    struct nlmsghdr header;
    u8 body[256];
};

static void begin(struct request *request, u16 type, u16 flags, const void *body, u32 size) {
    memset(request, 0, sizeof *request);
    request->header.nlmsg_len = NLMSG_LENGTH(size);
    request->header.nlmsg_type = type;
    request->header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
    memcpy(request->body, body, size);
}

static void attribute(struct request *request, u16 type, u32 value) {
    struct rtattr *added = (struct rtattr *)((u8 *)request + NLMSG_ALIGN(request->header.nlmsg_len));
    added->rta_type = type;
    added->rta_len = RTA_LENGTH(sizeof value);
    memcpy(RTA_DATA(added), &value, sizeof value);
    request->header.nlmsg_len = NLMSG_ALIGN(request->header.nlmsg_len) + RTA_LENGTH(sizeof value);
}

static int send_request(int fd, struct request *request) {
    u8 answer[1024];
    long result = sys_write(fd, request, request->header.nlmsg_len);
    if (result < 0) return (int)result;
    result = sys_read(fd, answer, sizeof answer);
    if (result < 0) return (int)result;
    struct nlmsghdr *header = (struct nlmsghdr *)answer;
    if (header->nlmsg_type != NLMSG_ERROR) return -EPROTO;
    return ((struct nlmsgerr *)NLMSG_DATA(header))->error;
}

static int index_of(const char *name) {
    struct ifreq request;
    memset(&request, 0, sizeof request);
    size_t length = strlen(name);
    memcpy(request.ifr_ifrn.ifrn_name, name, length < IFNAMSIZ ? length : IFNAMSIZ - 1);
    long fd = SYS(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return (int)fd;
    long result = SYS(SYS_ioctl, fd, SIOCGIFINDEX, &request);
    sys_close((int)fd);
    return result < 0 ? (int)result : request.ifr_ifru.ifru_ivalue;
}

static int up(int fd, int index) {
    struct request request;
    struct ifinfomsg link = {.ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    begin(&request, RTM_NEWLINK, 0, &link, sizeof link);
    return send_request(fd, &request);
}

int net_up(const char *name) {
    int index = index_of(name);
    if (index < 0) return index;
    long fd = SYS(SYS_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0) return (int)fd;
    int result = up((int)fd, index);
    sys_close((int)fd);
    return result;
}

int net_configure(const char *name, u32 address, u32 gateway) {
    struct request request;
    int index = index_of(name);
    if (index < 0) return index;
    long fd = SYS(SYS_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0) return (int)fd;
    struct ifaddrmsg local = {.ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_index = (u32)index};
    begin(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &local, sizeof local);
    attribute(&request, IFA_LOCAL, address);
    attribute(&request, IFA_ADDRESS, address);
    int result = send_request((int)fd, &request);
    if (!result) result = up((int)fd, index);
    if (!result && gateway) {
        struct rtmsg route = {
            .rtm_family = AF_INET,
            .rtm_dst_len = 32,
            .rtm_table = RT_TABLE_MAIN,
            .rtm_protocol = RTPROT_STATIC,
            .rtm_scope = RT_SCOPE_LINK,
            .rtm_type = RTN_UNICAST};
        begin(&request, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &route, sizeof route);
        attribute(&request, RTA_DST, gateway);
        attribute(&request, RTA_OIF, (u32)index);
        result = send_request((int)fd, &request);
        if (!result) {
            route.rtm_dst_len = 0;
            route.rtm_scope = RT_SCOPE_UNIVERSE;
            begin(&request, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &route, sizeof route);
            attribute(&request, RTA_GATEWAY, gateway);
            attribute(&request, RTA_OIF, (u32)index);
            result = send_request((int)fd, &request);
        }
    }
    sys_close((int)fd);
    return result;
}

/* The floor for TCP: epoll and nothing else. What one read returns, at most 1,024 bytes, is answered with
   `[ctime] ` and the same bytes in one write; the text of the time is made once a second. Errors end a
   connection; a client that does not read loses what its socket's buffer does not take. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { CTIME = 24, STAMP = CTIME + 3, READ = 1024, EVENTS = 256 };

/* Writes `[ctime] ` to the front of a reply. */
static void stamp(char *reply) {
    static time_t second = -1;
    static char text[32];
    time_t now = time(NULL);
    if (now != second) {
        second = now;
        ctime_r(&now, text);
    }
    reply[0] = '[';
    memcpy(reply + 1, text, CTIME);
    memcpy(reply + 1 + CTIME, "] ", 2);
}

static int watch(int epoll, int socket) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = socket};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event);
}

int main(void) {
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);

    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), epoll = epoll_create1(0), on = 1;
    if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, SOMAXCONN) ||
        getsockname(listener, (struct sockaddr *)&address, &length) || watch(epoll, listener)) {
        perror("tcp");
        return 1;
    }
    printf("127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);

    struct epoll_event events[EVENTS];
    char reply[STAMP + READ];
    for (;;) {
        int ready = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            int client = events[i].data.fd;
            if (client == listener) {
                client = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
                setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                watch(epoll, client);
                continue;
            }
            ssize_t bytes = read(client, reply + STAMP, READ);
            if (bytes > 0) {
                stamp(reply);
                bytes = send(client, reply, STAMP + bytes, MSG_NOSIGNAL);
            }
            if (bytes <= 0) close(client);
        }
    }
}

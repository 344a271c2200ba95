/* The floor for UDP: recvfrom and sendto, and nothing else. Every datagram is answered with ctime alone;
   its text is made once a second. */
#include <arpa/inet.h>
#include <stdio.h>
#include <time.h>

enum { CTIME = 24 };

int main(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int server = socket(AF_INET, SOCK_DGRAM, 0);
    if (bind(server, (struct sockaddr *)&address, length) ||
        getsockname(server, (struct sockaddr *)&address, &length)) {
        perror("udp");
        return 1;
    }
    printf("127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);

    static char datagram[65535], text[32];
    time_t second = -1;
    for (;;) {
        length = sizeof address;
        if (recvfrom(server, datagram, sizeof datagram, 0, (struct sockaddr *)&address, &length) < 0) continue;
        time_t now = time(NULL);
        if (now != second) {
            second = now;
            ctime_r(&now, text);
        }
        sendto(server, text, CTIME, 0, (struct sockaddr *)&address, length);
    }
}

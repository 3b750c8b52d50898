/* Tries to reach another machine. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

int main(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = htonl(0x08080808)};
    int socket_descriptor = socket(AF_INET, SOCK_STREAM, 0);
    int result = connect(socket_descriptor, (struct sockaddr *)&address, sizeof address);
    printf("{\"type\":\"done\",\"connected\":%s}\n", result == 0 ? "true" : "false");
    return 0;
}

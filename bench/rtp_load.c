/* SPDX-License-Identifier: GPL-2.0-or-later
 * RTP load for bench/relay: two parties on one machine, each one socket, talking through a relay.
 *
 *   rtp_load HOST WARM_S SECONDS PORT_A PORT_B < pairs
 *
 * Each line of standard input is "A B", the relay's ports for one call. Party A sends G.711
 * packets (172 octets, 50 a second) from PORT_A to every A, party B from PORT_B to every B; what
 * the relay forwards comes back to the other party's port and is counted. The calls' packets are
 * spread evenly over the 20 ms. A line "sent received" is printed when the warm-up is over and
 * one at the end.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { OCTETS = 172, BATCH = 64, PACKETS_PER_S = 50, MAX_STREAMS = 20000 };

struct stream {
	struct sockaddr_in to;
	int socket;
	uint32_t ssrc, sent;
};

static struct stream streams[MAX_STREAMS];
static int count;
static unsigned long sent, received;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static struct sockaddr_in address(const char *host, int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

	inet_pton(AF_INET, host, &a.sin_addr);
	return a;
}

static int party(const char *host, int port)
{
	struct sockaddr_in a = address(host, port);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), room = 16 << 20;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
	if (bind(fd, (struct sockaddr *)&a, sizeof a)) {
		perror("cannot bind the party's port");
		exit(1);
	}
	return fd;
}

static void collect(int fd)
{
	static char data[BATCH][2048];
	struct mmsghdr messages[BATCH] = { 0 };
	struct iovec vectors[BATCH];
	int got;

	for (int i = 0; i < BATCH; i++) {
		vectors[i] = (struct iovec){ data[i], sizeof data[i] };
		messages[i].msg_hdr.msg_iov = &vectors[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	while ((got = recvmmsg(fd, messages, BATCH, 0, NULL)) > 0)
		for (int i = 0; i < got; i++)
			received += messages[i].msg_len == OCTETS;
}

static void emit(struct stream *s)
{
	uint8_t p[OCTETS];
	uint32_t word;
	uint16_t half = htons(s->sent);

	memset(p, 0xd5, sizeof p);
	p[0] = 0x80;
	p[1] = 0;
	memcpy(p + 2, &half, 2);
	word = htonl(s->sent * 160);
	memcpy(p + 4, &word, 4);
	word = htonl(s->ssrc);
	memcpy(p + 8, &word, 4);
	if (sendto(s->socket, p, sizeof p, 0, (struct sockaddr *)&s->to, sizeof s->to) == OCTETS)
		sent++;
	s->sent++;
}

static void run(double until, double start, unsigned long *due, int a, int b)
{
	const double gap = 1.0 / ((double)count * PACKETS_PER_S);
	const struct timespec rest = { 0, 500000 };

	while (now() < until) {
		unsigned long target = (now() - start) / gap;

		while (*due < target)
			emit(&streams[(*due)++ % count]);
		collect(a);
		collect(b);
		nanosleep(&rest, NULL);
	}
}

/* A relay that fell behind is given time: until nothing comes for 300 ms, 3 s at most. */
static void settle(int a, int b)
{
	const double ends = now() + 3;
	double quiet = now() + 0.3;
	unsigned long before = received;

	while (now() < quiet && now() < ends) {
		usleep(10000);
		collect(a);
		collect(b);
		if (received != before)
			quiet = now() + 0.3;
		before = received;
	}
}

int main(int argc, char **argv)
{
	unsigned long due = 0;
	double start;
	int a, b, fd[2], port[2];

	if (argc != 6)
		return 2;
	a = fd[0] = party(argv[1], atoi(argv[4]));
	b = fd[1] = party(argv[1], atoi(argv[5]));
	while (count + 1 < MAX_STREAMS && scanf("%d %d", &port[0], &port[1]) == 2)
		for (int i = 0; i < 2; i++, count++)
			streams[count] = (struct stream){ address(argv[1], port[i]), fd[i], 1 + count, 0 };
	if (count == 0)
		return 2;
	start = now();
	run(start + atof(argv[2]), start, &due, a, b);
	printf("%lu %lu\n", sent, received);
	fflush(stdout);
	run(start + atof(argv[2]) + atof(argv[3]), start, &due, a, b);
	settle(a, b);
	printf("%lu %lu\n", sent, received);
	return 0;
}

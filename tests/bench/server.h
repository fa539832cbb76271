/* server.h - a forked echo server: serves on a port until it is killed. */
#ifndef BENCH_SERVER_H
#define BENCH_SERVER_H

int serve(int port);

#endif

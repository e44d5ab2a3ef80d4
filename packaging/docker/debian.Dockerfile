# An image of Debian, or of one based on it, whose programs run with rigz:
#
#   docker build -f packaging/docker/debian.Dockerfile -t job --build-arg BASE=python:3-slim-bookworm .
#   docker run job python3 -c 'import zlib; print(zlib.ZLIB_RUNTIME_VERSION)'
ARG BASE=debian:bookworm-slim

FROM rust:1-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends cmake
WORKDIR /rigz
COPY . .
RUN scripts/package deb && mv target/debian/rigz_*.deb /rigz.deb

FROM $BASE
RUN --mount=from=build,target=/build apt-get update && \
    apt-get install -y --no-install-recommends /build/rigz.deb && rm -rf /var/lib/apt/lists/*
ENTRYPOINT ["/usr/bin/rigz", "run"]
CMD ["/bin/sh"]

# An image of Alpine whose programs run with rigz:
#
#   docker build -f packaging/docker/alpine.Dockerfile -t job --build-arg BASE=python:3-alpine .
#   docker run job python3 -c 'import zlib; print(zlib.ZLIB_RUNTIME_VERSION)'
#
# The library is built on Debian with musl's compiler and needs only musl.
ARG BASE=alpine:3

FROM rust:1-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends cmake musl-tools && \
    rustup target add "$(uname -m)-unknown-linux-musl"
WORKDIR /rigz
COPY . .
RUN scripts/package musl && mkdir /out && tar xf target/musl/rigz-*.tar.gz -C /out

FROM $BASE
COPY --from=build /out/ /
ENTRYPOINT ["/usr/bin/rigz", "run"]
CMD ["/bin/sh"]

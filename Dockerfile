# syntax=docker/dockerfile:1
# Build: make image. The first stage compiles, the second holds the program, its libraries and the scripts.

FROM swift:6.3.1-bookworm AS build
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends liblua5.4-dev libcurl4-openssl-dev libssl-dev libyaml-dev zlib1g-dev pkg-config \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY Package.swift ./
COPY Sources Sources
# Without the tests, which the image does not need and the package names.
RUN mkdir -p Tests/KernelsTests Tests/NNTests Tests/LuaBridgeTests Tests/WandbTests Tests/HostTests \
 && for target in Kernels NN LuaBridge Wandb Host; do echo > "Tests/${target}Tests/None.swift"; done \
 && swift build -c release --product host --static-swift-stdlib \
 && strip -o /host "$(swift build -c release --show-bin-path)/host"

FROM debian:bookworm-20250520-slim
# Shared libraries: curl, OpenSSL, YAML and Lua; libpng for images; libdeflate for gzip files; libstdc++ for the Swift runtime.
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends liblua5.4-0 libcurl4 libstdc++6 libyaml-0-2 libpng16-16 libdeflate0 ca-certificates \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/* \
 && useradd --uid 10001 --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin host
COPY --from=build /host /usr/local/bin/host
COPY scripts/*.lua /opt/host/scripts/
COPY scripts/lib /opt/host/scripts/lib
WORKDIR /opt/host
# Pachyderm starts the command of the pipeline itself: no ENTRYPOINT. As root, as this user, and with a read-only root
# file system alike, jobs write to /pfs/out and /tmp only.
USER host
CMD ["host", "--help"]

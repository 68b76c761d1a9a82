# docker build -t exeat . && docker run -p 8080:8080 -p 127.0.0.1:8081:8081 -v exeat:/state exeat
FROM rust:1.95.0-bookworm AS build
# The toolchain of the image itself: rust-toolchain.toml would have rustup fetch components that only development needs.
ENV RUSTUP_TOOLCHAIN=1.95.0
WORKDIR /src
COPY . .
RUN cargo build --release --locked

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/* \
 && useradd --system --home-dir /state --create-home --uid 10001 exeat
COPY --from=build /src/target/release/exeat /usr/local/bin/exeat
# Reached through Docker's bridge, so the proxy has to listen beyond loopback and to allow the bridge's clients:
# mount a configuration over /etc/exeat.toml to narrow that down.
COPY config/container.toml /etc/exeat.toml
USER exeat
WORKDIR /state
VOLUME /state
EXPOSE 8080 8081
# The image has no curl, but bash.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["bash", "-c", \
  "exec 3<>/dev/tcp/127.0.0.1/8081 && printf 'GET /healthz HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200 '"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["exeat"]
CMD ["run", "--config", "/etc/exeat.toml"]

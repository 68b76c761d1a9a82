# docker build -t exeat . && docker run -p 8080:8080 -p 127.0.0.1:8081:8081 -v exeat:/state exeat
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/* \
 && useradd --system --home-dir /state --create-home --uid 10001 exeat
COPY --from=build /src/target/release/exeat /usr/local/bin/exeat
USER exeat
VOLUME /state
EXPOSE 8080 8081
# Reached through Docker's bridge, so the proxy has to listen beyond loopback and to allow the bridge's clients:
# mount a configuration over /etc/exeat.toml to narrow that down.
COPY config/container.toml /etc/exeat.toml
ENTRYPOINT ["exeat"]
CMD ["run", "--config", "/etc/exeat.toml"]

# Rust with cargo, clippy and rustfmt, and the libraries crates most often link to.
#     docker/build rust
ARG BASE=rust:1-slim-bookworm
FROM ${BASE}
# A plain Debian will do as a base: what it lacks of Rust comes from its packages, which are older.
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        bash build-essential ca-certificates curl git jq libssl-dev pkg-config procps ripgrep util-linux \
        $(command -v cargo >/dev/null || echo cargo rust-clippy rustc rustfmt) \
    && rm -rf /var/lib/apt/lists/* \
    && if command -v rustup >/dev/null; then rustup component add clippy rustfmt; fi
CMD ["/bin/bash"]

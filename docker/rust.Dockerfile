# Rust with cargo, clippy and rustfmt, and the libraries crates most often link to.
#     docker build -t protea-rust -f docker/rust.Dockerfile docker
ARG BASE=rust:1-slim-bookworm
FROM ${BASE}
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        bash build-essential ca-certificates curl git jq libssl-dev pkg-config procps ripgrep util-linux \
    && rm -rf /var/lib/apt/lists/* \
    && rustup component add clippy rustfmt
CMD ["/bin/bash"]

# What most projects need: a shell, git, Python, Node, a C compiler, and the tools people search and look with.
#     docker/build general
ARG BASE=debian:bookworm-slim
FROM ${BASE}
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        bash build-essential ca-certificates curl diffutils file git jq less nodejs npm patch pkg-config procps \
        python3 python3-pip python3-venv ripgrep sqlite3 unzip util-linux xz-utils zip \
    && rm -rf /var/lib/apt/lists/*
CMD ["/bin/bash"]

# Node with npm, pnpm and yarn by way of corepack, and what native modules are built with.
#     docker build -t protea-node -f docker/node.Dockerfile docker
ARG BASE=node:22-bookworm-slim
FROM ${BASE}
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        bash build-essential ca-certificates curl git jq procps python3 ripgrep util-linux \
    && rm -rf /var/lib/apt/lists/* \
    && corepack enable
CMD ["/bin/bash"]

# Node with npm, pnpm and yarn, and what native modules are built with.
#     docker/build node
ARG BASE=node:22-bookworm-slim
FROM ${BASE}
# A plain Debian will do as a base: what it lacks of Node comes from its packages. pnpm and yarn are installed whole:
# what corepack puts in their place fetches them at first use, and a container has no network.
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        bash build-essential ca-certificates curl git jq procps python3 ripgrep util-linux \
        $(command -v npm >/dev/null || echo nodejs npm) \
    && rm -rf /var/lib/apt/lists/* \
    && npm install --global --force pnpm@10 yarn@1 \
    && npm cache clean --force
CMD ["/bin/bash"]

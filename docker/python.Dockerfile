# Python with its headers, uv, and what packages are built with.
#     docker/build python
ARG BASE=python:3.12-slim-bookworm
FROM ${BASE}
# A plain Debian will do as a base: what it lacks of Python comes from its packages.
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        bash build-essential ca-certificates curl git jq procps ripgrep util-linux \
        $(command -v pip >/dev/null || echo python3 python3-dev python3-pip python3-venv) \
    && rm -rf /var/lib/apt/lists/* \
    && python3 -m pip install --no-cache-dir --break-system-packages uv
CMD ["/bin/bash"]

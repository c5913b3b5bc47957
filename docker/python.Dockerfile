# Python with its headers, uv, and what packages are built with.
#     docker build -t protea-python -f docker/python.Dockerfile docker
ARG BASE=python:3.12-slim-bookworm
FROM ${BASE}
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        bash build-essential ca-certificates curl git jq procps ripgrep util-linux \
    && rm -rf /var/lib/apt/lists/* \
    && python3 -m pip install --no-cache-dir uv
CMD ["/bin/bash"]

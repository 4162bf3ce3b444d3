# syntax=docker/dockerfile:1
# docker build -t auditail:0.1.0 .   for linux/amd64 and linux/arm64. docs/operations.md says how to run it.

FROM node:26-trixie-slim AS modules
WORKDIR /src
COPY package.json package-lock.json ./
# Scripts are left out because nothing is compiled or fetched by one: the lock file has all, the runtime included.
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --ignore-scripts

FROM modules AS build
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY wasm ./wasm
COPY src ./src
RUN npm run build

FROM modules AS program
COPY packaging ./packaging
COPY config ./config
COPY --from=build /src/dist ./dist
RUN node packaging/image.ts /image

FROM debian:trixie-slim
LABEL org.opencontainers.image.title="auditail" \
      org.opencontainers.image.description="Agent for Kubernetes audit logs on control-plane hosts" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
# The one library of the runtime that the base lacks.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libatomic1 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log
COPY --from=program /image/ /
# Audit logs are for their owner only, and the one right that reading them takes, DAC_READ_SEARCH, is given to root alone:
# container runtimes take it from other users at exec. Drop all other capabilities.
USER 0:0
# The program is process 1: its launcher ends in exec, it handles SIGTERM, and it starts no processes.
STOPSIGNAL SIGTERM
# Fails with the reasons while it is not ready; a first start finds its place in gzip parts before it is.
HEALTHCHECK --interval=30s --timeout=15s --start-period=5m --retries=3 \
  CMD ["auditail", "status", "-c", "/etc/auditail/auditail.yaml"]
ENTRYPOINT ["auditail"]
CMD ["run", "-c", "/etc/auditail/auditail.yaml"]

# A Planwright worker (and its command line): `docker build --tag planwright-worker .`
ARG NODE_VERSION=22.20.0

FROM node:${NODE_VERSION}-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM node:${NODE_VERSION}-bookworm-slim
# git: the check for uncommitted changes. tini: signals reach node, and children that end are collected. No versions:
# Debian removes one that it replaced, so a pinned one breaks the build at the next fix.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates git tini \
    && rm -rf /var/lib/apt/lists/* \
    && install --directory --owner node --group node /var/lib/planwright
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/bin ./bin
COPY --from=build /app/skills ./skills
COPY --from=build /app/dist ./dist
ENV NODE_ENV=production \
    PLANWRIGHT_HOME=/var/lib/planwright \
    PLANWRIGHT_HEALTH=127.0.0.1:8000 \
    NODE_OPTIONS=--enable-source-maps
# By number, so that a platform can see that it is not root; it is the image's own account `node`.
USER 1000:1000
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["node", "-e", "fetch('http://127.0.0.1:8000/ready').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["tini", "--", "node", "/app/bin/planwright.js"]
CMD ["worker"]

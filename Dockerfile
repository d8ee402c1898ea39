# All packages. The compiler builds sqlite3 when its prebuilt driver cannot be downloaded.
FROM node:22-bookworm-slim AS packages
WORKDIR /app
RUN apt-get update \
  && apt-get install -y --no-install-recommends g++ make python3 \
  && rm -rf /var/lib/apt/lists/*
COPY package.json package-lock.json ./
# The prebuilt driver may need a newer C library than this image has. It is compiled if it does not load.
RUN npm ci \
  && { node -e "require('sqlite3')" || npm_config_build_from_source=true npm rebuild sqlite3; }

# The compiled program and its production packages. Optional packages are removed, too: TypeScript, which only a plugin of
# the build uses, and node-gyp.
FROM packages AS build
COPY nest-cli.json tsconfig.json tsconfig.build.json ormconfig.ts ./
COPY src src
RUN npm run build \
  && npm prune --omit=dev --omit=optional \
  && find node_modules/sqlite3/build -type f ! -path '*/build/Release/node_sqlite3.node' -delete \
  && rm -rf node_modules/sqlite3/deps

FROM node:22-bookworm-slim
# Docker cannot publish a port of the container's loopback, so the program listens on all addresses. It then refuses to
# start without either HTTP_BASIC_AUTH_USER and HTTP_BASIC_AUTH_PASSWORD, or ALLOW_ANONYMOUS=true. With the simulator as
# the provider it also needs ALLOW_PUBLIC_SIMULATOR=true.
ENV NODE_ENV=production HOST=0.0.0.0
WORKDIR /app
# The SQLite file is here when DATABASE_URL is not set. The program writes to no other folder.
RUN mkdir data && chown node:node data
VOLUME /app/data
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json ./
USER node
EXPOSE 3000
# The image has no curl.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 3000) + '/health/live').then(({ ok }) => process.exit(ok ? 0 : 1))"]
# No npm and no shell in between, so that SIGTERM reaches the program.
CMD ["node", "dist/src/main.js"]

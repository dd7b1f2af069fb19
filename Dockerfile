# Chancery: the compiled program and its runtime dependencies, nothing else.
FROM node:24-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc tsconfig.json build.ts ./
COPY src src
COPY providers providers
RUN npm ci && npm run build

FROM node:24-slim AS dependencies
WORKDIR /chancery
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts

FROM node:24-slim
WORKDIR /chancery
COPY --from=dependencies /chancery/node_modules node_modules
COPY --from=build /build/dist dist
COPY package.json LICENSE NOTICE ./
# Not root, and nothing to write but /var/lib/chancery: mount /etc/chancery read-only, and /var/lib/chancery for store and vault.
USER node
WORKDIR /var/lib/chancery
ENTRYPOINT ["node", "/chancery/dist/src/main.js"]
CMD ["--config", "/etc/chancery/chancery.yaml", "serve"]

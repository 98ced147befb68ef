# The image of kuik where a container engine is; `make image` makes the same content without one.
#
#     docker build -t kube-image-keeper:dev .

FROM node:24-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build && node dist/tools/release/app.js /rootfs && cp "$(command -v node)" /rootfs/usr/local/bin/node

# glibc: the native module of Temporal does not load on Alpine. Certificates and libraries, no shell, no package manager.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /rootfs/ /
ENV NODE_ENV=production PATH=/usr/local/bin:/usr/bin:/bin
WORKDIR /app
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/kuik"]
CMD ["run"]

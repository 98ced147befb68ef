# The image of kuik where a container engine is; `make image` makes the same content without one.
#
#     docker build -t kube-image-keeper:dev .
#
# With its commit, which kuik version and the metric of the build tell (the repository itself is left out):
#
#     docker build -t kube-image-keeper:dev --build-arg REVISION="$(git rev-parse HEAD)" --build-arg BUILT="$(git show -s --format=%cI)" .

FROM node:24-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
ARG REVISION= BUILT=
RUN npm run build && node dist/tools/release/app.js /rootfs --revision "$REVISION" --built "$BUILT" && cp "$(command -v node)" /rootfs/usr/local/bin/node

# glibc: the native module of Temporal does not load on Alpine. Certificates and libraries, no shell, no package manager.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /rootfs/ /
ENV NODE_ENV=production PATH=/usr/local/bin:/usr/bin:/bin
WORKDIR /app
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/kuik"]
CMD ["run"]

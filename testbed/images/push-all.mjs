// usage: push-all.mjs REGISTRY BUILDKIT-DIR OLDEST-BUILDKIT-DIR BUSYBOX-AMD64 BUSYBOX-ARM64
// Fills a registry with the images that the tests pull under their names on docker.io.
import fs from "node:fs";
import { builderImage, path, shellFiles } from "./builder-image.mjs";
import { platformImage, programWithLibraries, pushIndex } from "./image.mjs";

const [registry, buildkit, oldestBuildkit, busyboxAmd64, busyboxArm64] = process.argv.slice(2);
const busyboxes = { amd64: busyboxAmd64, arm64: busyboxArm64 };
const shell = (architecture) => shellFiles(busyboxes[architecture], busyboxAmd64);
const builder = (programs, buildkitd) => builderImage(programs, busyboxAmd64, buildkitd);

await pushIndex(registry, "library/busybox:latest", everyPlatform({}));
await pushIndex(registry, "library/alpine:latest", everyPlatform(alpineFiles()));
await pushIndex(registry, "moby/buildkit:buildx-stable-1", [builder(buildkit)]);
await pushIndex(registry, "moby/buildkit:v0.12.5", [builder(oldestBuildkit)]);
await pushIndex(registry, "moby/buildkit:v0.11.6", [builder(oldestBuildkit, tooOldBuildkit())]);
await pushIndex(registry, "docker/dockerfile:1", [frontend()]);
await pushIndex(registry, "library/registry:2", [distribution()]);
await pushIndex(registry, "library/node:lts", [node()]);
await pushIndex(registry, "library/redis:7", [redis()]);

function everyPlatform(more) {
  return Object.keys(busyboxes).map((architecture) =>
    platformImage({
      architecture,
      files: { ...shell(architecture), ...more },
      config: { Env: path, Cmd: ["sh"] },
    }),
  );
}

function alpineFiles() {
  const release = 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.20.0\nPRETTY_NAME="Alpine Linux v3.20"\n';
  return { "/etc/os-release": { content: release }, "/etc/alpine-release": { content: "3.20.0\n" } };
}

/** A daemon that says it is older than the oldest one supported: that one, with a version of the same length. */
function tooOldBuildkit() {
  const binary = fs.readFileSync(`${oldestBuildkit}/buildkitd`);
  for (let at = binary.indexOf("v0.12.5"); at >= 0; at = binary.indexOf("v0.12.5", at))
    binary.write("v0.11.6", at);
  return { content: binary };
}

/** Labels and entry point as docker/dockerfile has them: BuildKit reads the labels before it runs a frontend. */
function frontend() {
  return platformImage({
    architecture: "amd64",
    files: {
      "/bin/dockerfile-frontend": { from: `${buildkit}/dockerfile-frontend`, mode: 0o755 },
    },
    config: {
      Env: path,
      Entrypoint: ["/bin/dockerfile-frontend"],
      Labels: {
        "moby.buildkit.frontend.network.none": "true",
        "moby.buildkit.frontend.caps":
          "moby.buildkit.frontend.inputs,moby.buildkit.frontend.subrequests,moby.buildkit.frontend.contexts",
      },
    },
  });
}

function distribution() {
  const config =
    "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: /var/lib/registry\nhttp:\n  addr: :5000\n";
  return platformImage({
    architecture: "amd64",
    files: {
      ...shell("amd64"),
      ...programWithLibraries("/usr/bin/docker-registry", "/bin/registry"),
      "/etc/docker/registry/config.yml": { content: config },
    },
    config: {
      Env: path,
      Entrypoint: ["registry"],
      Cmd: ["serve", "/etc/docker/registry/config.yml"],
      ExposedPorts: { "5000/tcp": {} },
      Volumes: { "/var/lib/registry": {} },
    },
  });
}

/** Node and nothing else but a shell: where the one bundled file has to run. */
function node() {
  return platformImage({
    architecture: "amd64",
    files: { ...shell("amd64"), ...programWithLibraries(process.execPath, "/usr/local/bin/node") },
    config: { Env: path, Cmd: ["node"] },
  });
}

/** A database for tests of tests. Debian's server and its dump checker are one program, which goes by its name. */
function redis() {
  return platformImage({
    architecture: "amd64",
    files: {
      ...shell("amd64"),
      ...programWithLibraries("/usr/bin/redis-check-rdb", "/usr/local/bin/redis-server"),
      ...programWithLibraries("/usr/bin/redis-cli", "/usr/local/bin/redis-cli"),
    },
    config: {
      Env: path,
      Cmd: ["redis-server", "--protected-mode", "no"],
      ExposedPorts: { "6379/tcp": {} },
    },
  });
}

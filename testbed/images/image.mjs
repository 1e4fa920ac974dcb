// Makes small images out of files of this machine and pushes them to a registry that speaks plain HTTP.
// Formats: OCI image-spec 1.1; pushing: OCI distribution-spec 1.1.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";

const types = {
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
  config: "application/vnd.oci.image.config.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  index: "application/vnd.oci.image.index.v1+json",
};

process.umask(0o022);

/** Nothing in an image tells when it was made. */
const epoch = "2024-01-01T00:00:00Z";

/**
 * Describes one platform of an image.
 * `files` maps a path in the image to where it comes from: `{from}` a file of this machine (links followed),
 * `{content}`, `{link}` a symbolic link's target, `{dir: true}` an empty directory; `mode` in octal.
 * `config` is the OCI image config's `config` object.
 */
export function platformImage({ architecture, files, config }) {
  const tar = tarOf(files);
  const layer = blob(types.layer, gzipSync(tar, { level: 1 }));
  const configBlob = blob(
    types.config,
    JSON.stringify({
      created: epoch,
      architecture,
      os: "linux",
      config,
      rootfs: { type: "layers", diff_ids: [digestOf(tar)] },
      history: [{ created: epoch, created_by: "slipway testbed" }],
    }),
  );
  const manifest = blob(
    types.manifest,
    JSON.stringify({
      schemaVersion: 2,
      mediaType: types.manifest,
      config: configBlob.descriptor,
      layers: [layer.descriptor],
    }),
  );
  return { platform: { architecture, os: "linux" }, blobs: [layer, configBlob], manifest };
}

/** Pushes an index of the given platforms as `name` (`moby/buildkit:tag`) to `registry` (`host:port`). */
export async function pushIndex(registry, name, platforms) {
  const [repository, tag] = name.split(":");
  const base = `http://${registry}/v2/${repository}`;
  for (const { blobs, manifest } of platforms) {
    for (const each of blobs) await pushBlob(base, each);
    await pushManifest(base, manifest.descriptor.digest, manifest);
  }
  const index = blob(
    types.index,
    JSON.stringify({
      schemaVersion: 2,
      mediaType: types.index,
      manifests: platforms.map(({ manifest, platform }) => ({ ...manifest.descriptor, platform })),
    }),
  );
  await pushManifest(base, tag, index);
}

/** A program of this machine with the libraries that `ldd` names, under the paths where the loader looks. */
export function programWithLibraries(program, target = program) {
  const files = { [target]: { from: program, mode: 0o755 } };
  const listed = execFileSync("sh", ["-c", 'ldd "$1" 2>/dev/null || true', "sh", program], {
    encoding: "utf8",
  });
  for (const line of listed.split("\n")) {
    const library = /(?:=> )?(\/\S+) \(0x/.exec(line)?.[1];
    if (library) files[library] = { from: library, mode: 0o755 };
  }
  return files;
}

async function pushBlob(base, { bytes, descriptor }) {
  const head = await fetch(`${base}/blobs/${descriptor.digest}`, { method: "HEAD" });
  if (head.ok) return;
  const start = await expect(fetch(`${base}/blobs/uploads/`, { method: "POST" }), 202);
  const location = new URL(start.headers.get("location"), base);
  location.searchParams.set("digest", descriptor.digest);
  const headers = { "content-type": "application/octet-stream" };
  await expect(fetch(location, { method: "PUT", headers, body: bytes }), 201);
}

async function pushManifest(base, reference, { bytes, descriptor }) {
  const headers = { "content-type": descriptor.mediaType };
  await expect(fetch(`${base}/manifests/${reference}`, { method: "PUT", headers, body: bytes }), 201);
}

async function expect(pending, status) {
  const response = await pending;
  if (response.status !== status)
    throw new Error(`${response.url}: ${response.status} ${await response.text()}`);
  return response;
}

function blob(mediaType, content) {
  const bytes = Buffer.from(content);
  return { bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length } };
}

function digestOf(bytes) {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

function tarOf(files) {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "slipway-image-"));
  try {
    for (const [name, file] of Object.entries(files)) {
      const target = path.join(root, name);
      fs.mkdirSync(path.dirname(target), { recursive: true });
      if (file.dir) fs.mkdirSync(target, { recursive: true });
      else if (file.link) fs.symlinkSync(file.link, target);
      else if (file.from) fs.copyFileSync(fs.realpathSync(file.from), target);
      else fs.writeFileSync(target, file.content);
      if (file.mode) fs.chmodSync(target, file.mode);
    }
    const flags = [
      "--format=posix",
      "--pax-option=delete=atime,delete=ctime",
      "--sort=name",
      `--mtime=${epoch}`,
    ];
    const owner = ["--owner=0", "--group=0", "--numeric-owner"];
    const entries = fs.readdirSync(root);
    return execFileSync("tar", [...flags, ...owner, "-C", root, "-c", ...entries], { maxBuffer: 2 ** 30 });
  } finally {
    fs.rmSync(root, { recursive: true });
  }
}

import { createHash } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { pack } from "tar-stream";
import { frameMessage } from "../../src/http2/index.js";
import type { FakeBuildkitd } from "./fake-buildkitd.js";
import { bytesMessage } from "./server-call.js";

/** An image archive as BuildKit's docker exporter makes it. */
export async function imageArchive(): Promise<Buffer> {
  const hex = (text: string) => createHash("sha256").update(text).digest("hex");
  const config = '{"rootfs":{"diff_ids":[]}}';
  const manifest = JSON.stringify({ config: { digest: `sha256:${hex(config)}` }, layers: [] });
  const tar = pack();
  const descriptor = {
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    digest: `sha256:${hex(manifest)}`,
    size: manifest.length,
    annotations: {
      "io.containerd.image.name": "docker.io/library/app:1",
      "org.opencontainers.image.ref.name": "1",
    },
  };
  tar.entry({ name: `blobs/sha256/${hex(manifest)}` }, manifest);
  tar.entry({ name: `blobs/sha256/${hex(config)}` }, config);
  tar.entry({ name: "index.json" }, JSON.stringify({ schemaVersion: 2, manifests: [descriptor] }));
  const image = { Config: `blobs/sha256/${hex(config)}`, RepoTags: ["app:1"], Layers: [] };
  tar.entry({ name: "manifest.json" }, JSON.stringify([image]));
  tar.entry({ name: "oci-layout" }, '{"imageLayoutVersion":"1.0.0"}');
  tar.finalize();
  return buffer(tar);
}

/** Hands an export over to the client, as the daemon does while it solves, and gives how the client took it. */
export async function exported(daemon: FakeBuildkitd, bytes: Uint8Array, session = 0) {
  const remote = await daemon.session(session);
  const call = await remote.call("/moby.filesync.v1.FileSend/diffcopy", {
    "buildkit-attachable-exporter-id": "0",
    "exporter-md-image.name": "docker.io/library/app:1",
  });
  for (let at = 0; at < bytes.length; at += 4096)
    call.stream.write(frameMessage(bytesMessage(bytes.subarray(at, at + 4096))));
  call.stream.end();
  return call.status;
}

import { once } from "node:events";
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import type { BuildkitClient } from "../../buildkit/index.js";
import { imageArchive } from "./image-archive.js";

test("an archive that is given up in the middle of a layer ends the reading of the layer", async () => {
  const layer = { digest: `sha256:${"a".repeat(64)}`, size: 2 ** 40, mediaType: "" };
  const blob = new Readable({
    read() {
      this.push(Buffer.alloc(64 * 1024));
    },
  });
  const content = {
    root: layer,
    manifests: [{ ...layer, config: layer, layers: [layer], diffIds: [] }],
    documents: new Map(),
  };
  const client = { openBlob: () => blob } as unknown as BuildkitClient;
  const archive = imageArchive(client, { content, names: [], held: new Set(), format: "docker" });
  await once(archive, "readable");
  const closed = new Promise((resolve) => blob.once("close", resolve));
  archive.destroy();
  await closed;
  expect(blob.destroyed).toBe(true);
});

import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { plainDaemon } from "../../test/support/plain-daemon.js";
import { GrpcError, grpcCodes } from "../http2/index.js";
import { service } from "../session/index.js";
import { BuildkitClient } from "./client.js";
import { Content } from "./gen/containerd/services/content/v1/content_pb.js";
import { readContent } from "./read-content.js";

const blob = Buffer.alloc(300_000, "slipway");
const digest = `sha256:${createHash("sha256").update(blob).digest("hex")}`;

/** A store that sends these pieces for any digest but `sha256:000…`. */
function store(pieces: { offset: number; data: Buffer }[]) {
  return plainDaemon(
    service(Content, {
      async *read(request) {
        if (/^sha256:0+$/.test(request.digest)) throw new GrpcError(grpcCodes.notFound, "not found");
        for (const { offset, data } of pieces) yield { offset: BigInt(offset), data };
      },
    }),
  );
}

const halves = [
  { offset: 0, data: blob.subarray(0, 100_000) },
  { offset: 100_000, data: blob.subarray(100_000) },
];

test("reads a blob and checks its digest", async () => {
  await using daemon = store(halves);
  await using client = await BuildkitClient.connect(daemon.dial);
  expect((await readContent(client, digest)).equals(blob)).toBe(true);
});

test("refuses a blob that does not match its digest", async () => {
  await using daemon = store([{ offset: 0, data: Buffer.from("other") }]);
  await using client = await BuildkitClient.connect(daemon.dial);
  await expect(readContent(client, digest)).rejects.toMatchObject({ code: "CONTENT_DIGEST", digest });
});

test("refuses a gap, and more than the limit", async () => {
  await using daemon = store(halves);
  await using client = await BuildkitClient.connect(daemon.dial);
  await expect(readContent(client, digest, { limit: 299_999 })).rejects.toMatchObject({
    code: "CONTENT_TOO_LARGE",
  });
  await using gappy = store([{ offset: 1, data: blob }]);
  await using other = await BuildkitClient.connect(gappy.dial);
  await expect(readContent(other, digest)).rejects.toMatchObject({ code: "CONTENT_GAP" });
});

test("a blob that is not there is NotFound; what is no digest is not asked for", async () => {
  await using daemon = store([]);
  await using client = await BuildkitClient.connect(daemon.dial);
  const missing = readContent(client, `sha256:${"0".repeat(64)}`);
  await expect(missing).rejects.toMatchObject({ code: "BUILDKIT_STATUS", grpcCode: 5 });
  for (const wrong of ["", "sha256:", "sha256:../../x", "md5:aa", `sha256:${"A".repeat(64)}`]) {
    await expect(readContent(client, wrong)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  }
  expect(daemon.calls).toHaveLength(1);
});

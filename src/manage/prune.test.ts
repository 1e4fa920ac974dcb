import { create } from "@bufbuild/protobuf";
import { afterEach, describe, expect, test } from "vitest";
import { plainDaemon } from "../../test/support/plain-daemon.js";
import { BuildkitClient, control } from "../buildkit/index.js";
import { type ServiceHandlers, service } from "../session/index.js";
import { diskUsage } from "./disk-usage.js";
import { prune } from "./prune.js";

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function clientOf(handlers: ServiceHandlers<typeof control.Control>): Promise<BuildkitClient> {
  const daemon = plainDaemon(service(control.Control, handlers));
  cleanUps.push(async () => await daemon[Symbol.asyncDispose]());
  const client = await BuildkitClient.connect(daemon.dial);
  cleanUps.push(() => client.close());
  return client;
}

const record = (ID: string, Size: bigint, more: { Parent?: string; Parents?: string[] } = {}) =>
  create(control.UsageRecordSchema, { ID, Size, ...more });

test("disk usage is given the smallest first, with the one parent that old daemons name", async () => {
  const asked: string[][] = [];
  const client = await clientOf({
    diskUsage(request) {
      asked.push(request.filter);
      return {
        record: [record("b", 2n), record("c", 1n, { Parent: "p" }), record("a", 2n, { Parents: ["q", "r"] })],
      };
    },
  });
  const found = await diskUsage(client, { filter: ["type==regular"] });
  expect(asked).toEqual([["type==regular"]]);
  expect(found.map(({ id, size, parents }) => [id, size, parents])).toEqual([
    ["c", 1, ["p"]],
    ["a", 2, ["q", "r"]],
    ["b", 2, []],
  ]);
});

describe("prune", () => {
  test("asks in BuildKit's units and gives each record as it goes", async () => {
    let asked: control.PruneRequest | undefined;
    const client = await clientOf({
      info: () => ({ buildkitVersion: { version: "v0.30.0" } }),
      async *prune(request) {
        asked = request;
        await Promise.resolve();
        yield record("a", 1n);
        yield record("b", 2n);
      },
    });
    const ids: string[] = [];
    const options = { all: true, filter: ["id~=x"], keepDuration: 1.5, reservedSpace: 1, maxUsedSpace: 2 };
    for await (const { id } of prune(client, options)) ids.push(id);
    expect(ids).toEqual(["a", "b"]);
    expect(asked).toMatchObject({
      all: true,
      filter: ["id~=x"],
      keepDuration: 1_500_000n,
      reservedSpace: 1n,
      maxUsedSpace: 2n,
      minFreeSpace: 0n,
    });
  });

  test("asks an old daemon for nothing that it does not know", async () => {
    const client = await clientOf({ info: () => ({ buildkitVersion: { version: "v0.16.0" } }) });
    await expect(prune(client, { minFreeSpace: 1 }).next()).rejects.toThrow("buildkit v0.17.0+ is required");
  });

  test("ends with the loop, and with the signal", async () => {
    let ended = 0;
    const client = await clientOf({
      async *prune(_, call) {
        call.signal.addEventListener("abort", () => ended++, { once: true });
        yield record("a", 1n);
        await new Promise(() => {});
      },
    });
    for await (const { id } of prune(client)) {
      expect(id).toBe("a");
      break;
    }
    await expect.poll(() => ended).toBe(1);
    const stop = new AbortController();
    const pruning = prune(client, { signal: stop.signal });
    await pruning.next();
    stop.abort(new Error("enough"));
    await expect(pruning.next()).rejects.toMatchObject({ code: "ABORTED" });
    await expect(prune(client, { signal: stop.signal }).next()).rejects.toMatchObject({ code: "ABORTED" });
  });
});

import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type BuildEvent, Builder, type Connection, connect, files } from "../../src/index.js";
import { engineEnv } from "../support/engine-env.js";

/** Many builds in one process, side by side and one after the other. */
const { long } = engineEnv();
let builder: Builder;
let connection: Connection;
let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), "slipway-many-"));
  builder = await Builder.ensure({ name: "many", driverOpts: { network: "host" } });
  connection = await connect({ builder });
});

afterAll(async () => {
  await connection?.close();
  await builder?.remove();
  await rm(scratch, { recursive: true, force: true });
});

const context = (text: string) => files({ Dockerfile: "FROM scratch\nCOPY f /\n", f: text });

async function buildInto(name: string, onEvent?: (event: BuildEvent) => void): Promise<string> {
  const dest = path.join(scratch, name);
  await connection.build({
    context: context(name),
    outputs: [{ type: "local", dest }],
    ...(onEvent && { onEvent }),
  });
  return readFile(path.join(dest, "f"), "utf8");
}

test("STO-18 MEM-12 builds side by side get each its own context and result", async () => {
  const names = Array.from({ length: long ? 50 : 20 }, (_, index) => `side-${index}`);
  const started = new Set<string>();
  expect(await Promise.all(names.map((name) => buildInto(name, () => void started.add(name))))).toEqual(
    names,
  );
  expect([...started].sort()).toEqual([...names].sort());
});

test("FLT-93 builds into one directory leave whole files, of one or another of them", async () => {
  const texts = ["a", "b", "c", "d"].map((letter) => letter.repeat(100_000));
  const dest = path.join(scratch, "shared");
  await Promise.all(
    texts.map((text) => connection.build({ context: context(text), outputs: [{ type: "local", dest }] })),
  );
  expect(await readdir(dest)).toEqual(["f"]);
  expect(texts).toContain(await readFile(path.join(dest, "f"), "utf8"));
});

test("FLT-34 one of them that is aborted leaves the others alone", async () => {
  const abort = new AbortController();
  const endless = connection.build({
    context: files({ Dockerfile: "FROM busybox\nRUN echo begun && sleep 343434\n" }),
    signal: abort.signal,
    onEvent: (event) => {
      if (event.type === "status" && event.logs.length > 0) abort.abort(new Error("enough"));
    },
  });
  const others = Promise.all(["beside-1", "beside-2"].map((name) => buildInto(name)));
  await expect(endless).rejects.toMatchObject({ code: "ABORTED", cause: { message: "enough" } });
  expect(await others).toEqual(["beside-1", "beside-2"]);
});

test("MEM-11 one after the other they leave nothing behind in memory", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const heap = async () => {
    // What a build's end leaves to the next turns is not a leak.
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    collect();
    return process.memoryUsage().heapUsed;
  };
  const many = long ? 100 : 30;
  let tenth = 0;
  for (let count = 1; count <= many; count++) {
    await buildInto(`after-${count % 2}`);
    if (count === 10) tenth = await heap();
  }
  expect((await heap()) / tenth).toBeLessThan(1.1);
});

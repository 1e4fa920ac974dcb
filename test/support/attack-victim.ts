// Bundled by attack.ts and run as a process of its own: uses the library against a scripted daemon and tells how it ended.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { connect as dialSocket } from "node:net";
import path from "node:path";
import { Writable } from "node:stream";
import { describeImage } from "../../src/build/index.js";
import { BuildkitClient, readContent } from "../../src/buildkit/index.js";
import { type EventSink, build, files } from "../../src/index.js";
import { BuildHistory } from "../../src/manage/history/build-history.js";
import type { BuildRecord } from "../../src/manage/history/build-record.js";
import { readSpans } from "../../src/manage/history/build-trace.js";
import { diskUsage } from "../../src/manage/index.js";
import { plain } from "../../src/progress/index.js";
import { collectReport } from "../../src/report/index.js";

/** The blob that the daemon has, by its digest: of `x`. */
const digest = `sha256:${createHash("sha256").update("x").digest("hex")}`;
const attackDigest = process.argv[5] ?? digest;
const calls: Record<string, () => Promise<unknown>> = {
  workers: () => withClient((client) => client.workers()),
  image: () => withClient((client) => describeImage(client, attackDigest)),
  du: () => withClient((client) => diskUsage(client)),
  reads: () =>
    withClient((client) =>
      Promise.all(Array.from({ length: 60 }, () => readContent(client, digest, { limit: 1 << 20 }))),
    ),
  trace: () =>
    withHistory(async (history) => {
      const [record] = await history.records();
      return await readSpans(history, record as BuildRecord);
    }),
  records: () => withHistory((history) => history.records({ limit: 0 })),
  remove: () => withHistory((history) => history.removeAll()),
};

const [address = "", use = "build", dest = ""] = process.argv.slice(2);
const nothing = new Writable({ write: (_chunk, _encoding, done) => done() });
const outcome = { code: "", message: "", peakMebibytes: 0, milliseconds: 0 };
try {
  await (calls[use] ?? runBuild)();
} catch (error) {
  outcome.code = (error as { code?: string }).code ?? (error as Error).name;
  outcome.message = (error as Error).message.slice(0, 300);
}
const peak = /VmHWM:\s*(\d+)/.exec(readFileSync("/proc/self/status", "latin1"))?.[1];
outcome.peakMebibytes = Math.round(Number(peak) / 1024);
outcome.milliseconds = Math.round(process.cpuUsage().user / 1000);
process.stdout.write(JSON.stringify(outcome), () => process.exit(0));

async function withClient(work: (client: BuildkitClient) => Promise<unknown>): Promise<void> {
  await using client = await BuildkitClient.connect(() =>
    Promise.resolve(dialSocket(address.slice("unix://".length))),
  );
  await work(client);
}

async function withHistory(work: (history: BuildHistory) => Promise<unknown>): Promise<void> {
  await withClient(async (client) => {
    // The store beside the history is friendly, and empty.
    const builder = { name: "b", store: { localState: { readRef: async () => undefined } } };
    const nodes = [{ name: "n", driver: { close: async () => {} }, client }];
    await work(
      new BuildHistory(...([builder, nodes] as unknown as ConstructorParameters<typeof BuildHistory>)),
    );
  });
}

async function runBuild(): Promise<void> {
  const display = plain(nothing);
  const report = collectReport();
  const onEvent: EventSink = (event) => {
    display(event);
    report(event);
  };
  await build({
    address,
    context: files({ Dockerfile: "FROM scratch\nCOPY a /\n", a: "a" }),
    env: { ...process.env, DOCKER_CONFIG: path.dirname(address.slice("unix://".length)) },
    onEvent,
    ...(use === "provenance" && { metadataProvenance: "max" }),
    ...(use === "export" && { outputs: [{ type: "local", dest }] }),
  });
}

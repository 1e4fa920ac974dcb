// Bundled by attack.ts and run as a process of its own: uses the library against a scripted daemon and tells how it ended.
import { readFileSync } from "node:fs";
import path from "node:path";
import { Writable } from "node:stream";
import { BuildkitClient } from "../../src/buildkit/index.js";
import { type EventSink, build, files } from "../../src/index.js";
import { connect as dialSocket } from "node:net";
import { plain } from "../../src/progress/index.js";
import { collectReport } from "../../src/report/index.js";

const [address = "", use = "build", dest = ""] = process.argv.slice(2);
const nothing = new Writable({ write: (_chunk, _encoding, done) => done() });
const outcome = { code: "", message: "", peakMebibytes: 0, milliseconds: 0 };
try {
  await (use === "workers" ? workers() : runBuild());
} catch (error) {
  outcome.code = (error as { code?: string }).code ?? (error as Error).name;
  outcome.message = (error as Error).message.slice(0, 300);
}
const peak = /VmHWM:\s*(\d+)/.exec(readFileSync("/proc/self/status", "latin1"))?.[1];
outcome.peakMebibytes = Math.round(Number(peak) / 1024);
outcome.milliseconds = Math.round(process.cpuUsage().user / 1000);
process.stdout.write(JSON.stringify(outcome), () => process.exit(0));

async function workers(): Promise<void> {
  await using client = await BuildkitClient.connect(() =>
    Promise.resolve(dialSocket(address.slice("unix://".length))),
  );
  await client.workers();
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

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type Server, type Socket, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { control, gateway } from "../../src/buildkit/index.js";
import { type ServerCall, frameMessage } from "../../src/http2/index.js";
import { type Attachable, service } from "../../src/session/index.js";
import { FakeBuildkitd, type FakeSession } from "./fake-buildkitd.js";

/** Largest resident set of slipway under any attack, in MiB. */
export const mostMebibytes = 512;
/** Seconds of the processor after which an attack counts as one that never ends. */
const mostSeconds = 60;

/** What of slipway an attack meets. */
export type AttackedUse =
  | "build"
  | "engineImage"
  | "workers"
  | "provenance"
  | "export"
  | "image"
  | "reads"
  | "trace"
  | "records"
  | "remove"
  | "du";

/** What a hostile daemon does in a build. What is not given is done as a friendly one would. */
export interface Attack {
  /** Serialised StatusResponses. */
  status?: () => Iterable<Uint8Array>;
  /** A serialised SolveResponse. */
  solve?: Uint8Array;
  /** A serialised ListWorkersResponse. */
  workers?: Uint8Array;
  /** Serialised BuildHistoryEvents. */
  history?: () => Iterable<Uint8Array>;
  /** A serialised DiskUsageResponse. */
  diskUsage?: Uint8Array;
  /** Blobs of the content store. */
  blobs?: ReadonlyMap<string, Uint8Array>;
  /** Calls back through the session; the build waits for it. */
  session?: (session: FakeSession) => Promise<void>;
  /** What of slipway is used: `build` if not given. */
  use?: AttackedUse;
  /** Takes connections in the daemon's stead, before HTTP/2. */
  serve?: (socket: Socket) => void;
}

/** How the process ended; no code for a success. */
export interface AttackOutcome {
  code: string;
  message: string;
  peakMebibytes: number;
  /** Of the processor. */
  milliseconds: number;
}

const bundled = new Map<string, Promise<string>>();

/** Runs slipway as a process of its own against a daemon that does this. */
export async function runAttack(attack: Attack): Promise<AttackOutcome> {
  const dir = await mkdtemp(join(tmpdir(), "slipway-attack-"));
  try {
    // One that takes images from an engine loads nothing else, so that its memory is that work's.
    const entry = attack.use === "engineImage" ? "save-victim.ts" : "attack-victim.ts";
    const bundling = bundled.get(entry) ?? bundleVictim(entry);
    bundled.set(entry, bundling);
    const victim = await bundling;
    await using daemon: FakeBuildkitd = new FakeBuildkitd({
      services: servicesOf(attack, () => daemon.session()),
    });
    const address = join(dir, "buildkitd.sock");
    const server = createServer((socket) => (attack.serve ?? ((one) => daemon.serve(one)))(socket)).listen(
      address,
    );
    const sockets = track(server);
    await once(server, "listening");
    try {
      return await runVictim(victim, [
        `unix://${address}`,
        attack.use ?? "build",
        join(dir, "out"),
        ...(attack.blobs?.keys() ?? []),
      ]);
    } finally {
      for (const socket of sockets) socket.destroy();
      server.close();
    }
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function track(server: Server): Set<Socket> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    socket.on("error", () => {});
    sockets.add(socket);
  });
  return sockets;
}

async function bundleVictim(entry: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "slipway-victim-"));
  const outfile = join(dir, "victim.mjs");
  process.once("exit", () => void rm(dir, { recursive: true, force: true }));
  await build({
    entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    outfile,
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
    logLevel: "error",
  });
  return outfile;
}

async function runVictim(victim: string, args: readonly string[]): Promise<AttackOutcome> {
  // A victim that grows without end is to fail its test, not the machine.
  const limits = `ulimit -t ${mostSeconds} && exec "$0" --max-old-space-size=1024 "$@"`;
  const child = spawn("/bin/bash", ["-c", limits, process.execPath, victim, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-2000)));
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  if (stdout === "") throw new Error(`the victim ended with ${signal ?? code}: ${stderr}`);
  return JSON.parse(stdout) as AttackOutcome;
}

function servicesOf(attack: Attack, session: () => Promise<FakeSession>): Attachable[] {
  const friendly = [
    service(control.Control, { info: () => ({ buildkitVersion: { version: "v0.29.0" } }) }),
    service(gateway.LLBBridge, { solve: () => ({}), return: () => ({}), ping: () => ({}) }),
  ];
  const name = "/moby.buildkit.v1.Control";
  return [
    ...friendly,
    raw(`${name}/Status`, () => attack.status?.() ?? []),
    raw(`${name}/ListWorkers`, () => [attack.workers ?? new Uint8Array()]),
    raw(`${name}/DiskUsage`, () => [attack.diskUsage ?? new Uint8Array()]),
    raw(`${name}/ListenBuildHistory`, () => attack.history?.() ?? []),
    raw(`${name}/Solve`, async (call) => {
      // The status comes first: what is said after the build's end is not waited for.
      if (attack.status) await new Promise((resolve) => call.signal.addEventListener("abort", resolve));
      if (attack.session) await session().then(attack.session);
      return [attack.solve ?? new Uint8Array()];
    }),
    raw("/containerd.services.content.v1.Content/Read", async (call) => {
      let digest = "";
      for await (const request of call.messages()) digest = request.subarray(2, 73).toString();
      return contentOf(attack.blobs?.get(digest) ?? new Uint8Array());
    }),
  ];
}

/** A method whose answers are written as they are. */
function raw(
  path: string,
  answer: (call: ServerCall) => Iterable<Uint8Array> | Promise<Iterable<Uint8Array>>,
): Attachable {
  return {
    methods: [path],
    async handle(call) {
      for (const message of await answer(call)) if (!call.write(frameMessage(message))) await call.drained();
    },
  };
}

/** ReadContentResponses, as buildkitd sends them. */
function* contentOf(data: Uint8Array): Iterable<Uint8Array> {
  const piece = 1 << 20;
  for (let at = 0; at === 0 || at < data.length; at += piece)
    yield Buffer.concat([
      Buffer.concat([Buffer.of(8), varint(at)]),
      bytesField(2, data.subarray(at, at + piece)),
    ]);
}

/** One field of bytes, a string or a message. */
export function bytesField(number: number, value: Uint8Array | string): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AwkwardContext, type AwkwardOptions, writeAwkwardContext } from "../support/awkward-context.js";
import { engineEnv } from "../support/engine-env.js";
import { describeTree } from "../support/file-tree.js";
import { lastStatus, parsePlainLog } from "../support/plain-log.js";
import { type Client, succeed, twoClients } from "../support/two-clients.js";

const env = engineEnv();
const { slipway, buildx } = twoClients(env.buildx ?? "", { SOURCE_DATE_EPOCH: "1700000000" });
const builder = "differential";
let work: string;

beforeAll(async () => {
  work = await mkdtemp(path.join(tmpdir(), "slipway-differential-"));
  await succeed(slipway, ["create", "--name", builder, "--driver-opt", "network=host", "--bootstrap"]);
});

afterAll(async () => {
  await slipway.run(["rm", "-f", builder]);
  await rm(work, { recursive: true, force: true });
});

/** What came out of one build, in a form that two clients can be compared by. */
interface Outcome {
  tree: string[];
  tar: Buffer;
  layout: Buffer;
  metadata: Record<string, unknown>;
  /** Ends of the steps by name. */
  ends: Record<string, string>;
  /** What the daemon says it got of the context. */
  transferred: string | undefined;
}

async function buildAll(
  client: Client,
  { args }: AwkwardContext,
  { local }: { local: boolean },
): Promise<Outcome> {
  const out = await mkdtemp(path.join(work, "out-"));
  const outputs = ["type=tar,dest=tar", "type=oci,dest=oci,rewrite-timestamp=true"];
  if (local) outputs.push("type=local,dest=local");
  const flags = [
    ...["--builder", builder, "--progress", "plain", "--provenance=false", "--metadata-file", "metadata"],
    ...outputs.flatMap((output) => ["-o", output]),
  ];
  const { stderr } = await succeed(client, ["build", ...flags, ...args], { cwd: out });
  const steps = parsePlainLog(stderr);
  const outcome = {
    tree: local ? describeTree(path.join(out, "local")) : [],
    tar: await readFile(path.join(out, "tar")),
    layout: await readFile(path.join(out, "oci")),
    metadata: JSON.parse(await readFile(path.join(out, "metadata"), "utf8")) as Record<string, unknown>,
    ends: Object.fromEntries(steps.map(({ name, end }) => [name, end])),
    transferred: lastStatus(steps, "[internal] load build context", "transferring context:"),
  };
  await rm(out, { recursive: true });
  return outcome;
}

function isStep(name: string): boolean {
  return /^\[.*\d+\/\d+\] /.test(name);
}

const contexts: AwkwardOptions[] = [
  { seed: 1, ignore: "none", special: false },
  { seed: 2, ignore: ".dockerignore", special: false },
  { seed: 3, ignore: "Dockerfile.dockerignore", special: true },
  ...(env.long ? Array.from({ length: 30 }, (_, index) => randomOptions(100 + index)) : []),
];

function randomOptions(seed: number): AwkwardOptions {
  const ignore = (["none", ".dockerignore", "Dockerfile.dockerignore"] as const)[seed % 3] ?? "none";
  return { seed, ignore, special: seed % 4 === 0 };
}

describe.skipIf(!env.buildx)("slipway and buildx build the same", () => {
  it.each(contexts)("of the context $seed, ignore file $ignore, special files $special", async (options) => {
    const directory = path.join(work, `seed-${options.seed}`);
    const context = await writeAwkwardContext(directory, options);
    const local = !options.special;
    const [first, second] = options.seed % 2 ? [slipway, buildx] : [buildx, slipway];

    const cold = await buildAll(first, context, { local });
    const warm = await buildAll(second, context, { local });
    expectCached(warm, cold);

    await succeed(buildx, ["prune", "--builder", builder, "--all", "--force"]);
    const again = await buildAll(second, context, { local });
    expect(again.tree).toEqual(cold.tree);
    expect(again.tar.equals(cold.tar)).toBe(true);
    expect(again.metadata["containerimage.digest"]).toBe(cold.metadata["containerimage.digest"]);
    const warmAgain = await buildAll(first, context, { local });
    expectCached(warmAgain, again);
    expect(warmAgain.transferred).toBe(warm.transferred);
    await rm(directory, { recursive: true });
  });
});

/** Everything came from what the other client left, and nothing but names and times of the context was sent again. */
function expectCached(warm: Outcome, cold: Outcome): void {
  const steps = Object.entries(warm.ends).filter(([name]) => isStep(name));
  expect(steps.length).toBeGreaterThan(30);
  expect(steps.filter(([name, end]) => end !== "CACHED" && !/ FROM /.test(name))).toEqual([]);
  expect(Object.keys(warm.ends).sort()).toEqual(Object.keys(cold.ends).sort());
  expect(warm.tree).toEqual(cold.tree);
  expect(warm.tar.equals(cold.tar)).toBe(true);
  expect(warm.layout.equals(cold.layout)).toBe(true);
  expect({ ...warm.metadata, "buildx.build.ref": "" }).toEqual({ ...cold.metadata, "buildx.build.ref": "" });
  expect(warm.transferred).toMatch(/^[\d.]+k?B$/);
}

import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readBake } from "../../src/bake/index.js";
import { chance, expressionFile, randomExpression } from "../support/bake-generator.js";

/** Expressions of one run, all in a few definitions, so that buildx is started only a few times. */
const [files, perFile] = process.env["SLIPWAY_LONG"] ? [100, 100] : [4, 150];

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "slipway-bake-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** What buildx prints for a definition; its targets' arguments as they are. */
async function printed(name: string, content: string, ...args: string[]) {
  const buildx = process.env["TESTBED_BUILDX"];
  if (!buildx) throw new Error("TESTBED_BUILDX is not set: run this inside testbed/with");
  const file = path.join(directory, name);
  await writeFile(file, content);
  const { stdout } = await promisify(execFile)(buildx, ["bake", "-f", file, "--print", ...args], {
    maxBuffer: 64 << 20,
  });
  return JSON.parse(stdout) as { target: Record<string, { args?: Record<string, string> }> };
}

test("random expressions come to what they come to in buildx", { timeout: 300_000 }, async () => {
  const differing: string[] = [];
  for (let seed = 1; seed <= files; seed++) {
    const pick = chance(seed);
    const expressions = Array.from({ length: perFile }, () => randomExpression(pick, 3));
    const content = expressionFile(expressions);
    const theirs = (await printed("docker-bake.hcl", content)).target["default"]?.args ?? {};
    const plan = await readBake({ files: [{ name: "docker-bake.hcl", content }], env: {} });
    const ours = plan.toJSON().target["default"]?.["args"] as Record<string, string>;
    for (const [at, expression] of expressions.entries()) {
      const [mine, other] = [ours[`a${at}`], theirs[`a${at}`]];
      if (mine !== other) differing.push(`${expression}\n  buildx:  ${other}\n  slipway: ${mine}`);
    }
  }
  expect(differing).toEqual([]);
});

import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { build as bundle } from "esbuild";
import { afterAll, expect, test } from "vitest";
import { Builder } from "../../src/index.js";

const run = promisify(execFile);
const checkout = join(import.meta.dirname, "../..");

afterAll(async () => {
  const builder = await Builder.open({ name: "ci" }).catch(() => undefined);
  await builder?.remove();
});

test("the README's library examples run as they stand", async () => {
  const readme = await readFile(join(checkout, "README.md"), "utf8");
  const examples = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code ?? "");
  expect(examples).toHaveLength(2);
  const scratch = await mkdtemp(join(tmpdir(), "slipway-readme-"));
  try {
    const outputs: string[] = [];
    for (const [index, code] of examples.entries()) {
      const file = join(scratch, `${index}.mjs`);
      await writeFile(join(scratch, `${index}.ts`), code);
      await bundle({
        entryPoints: [join(scratch, `${index}.ts`)],
        outfile: file,
        bundle: true,
        platform: "node",
        format: "esm",
        target: "node20",
        alias: {
          slipway: join(checkout, "src/index.ts"),
          "slipway/progress": join(checkout, "src/progress/index.ts"),
        },
        banner: {
          js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
        },
      });
      const { stdout, stderr } = await run(process.execPath, [file], { timeout: 120_000 });
      outputs.push(stdout, stderr);
    }
    expect(outputs[0]).toMatch(/^sha256:[0-9a-f]{64} 1\n$/);
    expect(outputs[3]).toContain("#");
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
});

import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { blocksOf, readPage } from "../support/docs-page.js";
import { engineEnv } from "../support/engine-env.js";
import { runPage } from "../support/page-run.js";
import { Workplace } from "../support/workplace.js";

/** `npm run test:versions`: the same image by BuildKits of different releases. */
const versions = (process.env["TESTBED_BUILDKITS"] ?? "").split(" ").filter(Boolean);
const { registry } = engineEnv();
const page = "docs/reproducible.md";

test.skipIf(!versions.includes("v0.20.2"))("the page builds the same by 0.20.2 and the newest", async () => {
  await using place = await Workplace.open("reproducible-page");
  const dir = place.path("run");
  await mkdir(dir);
  const blocks = blocksOf(await readPage(page)).flatMap((block) =>
    block.text.includes("--driver-opt image=moby/buildkit:v0.20.2")
      ? [{ ...block, notRun: undefined as never, text: block.text.split("\n")[1] ?? "" }]
      : [block],
  );
  const env = { ...place.env, WITH_OLD_BUILDKIT: "1" };
  await runPage({ page, blocks, dir, registry, env });
  const digest = async (name: string) =>
    (JSON.parse(await readFile(path.join(dir, "page", name), "utf8")) as Record<string, string>)[
      "containerimage.digest"
    ];
  expect(await digest("new.json")).toBe(await digest("old.json"));
  const inspected = await place.succeed(["inspect", "reproducible-old"]);
  expect(inspected.stdout).toMatch(/BuildKit version: +v0\.20\.2\n/);
});

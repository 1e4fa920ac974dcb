import { mkdir } from "node:fs/promises";
import { expect, test } from "vitest";
import { containerName } from "../../src/driver/index.js";
import type { EngineClient } from "../../src/engine-api/index.js";
import { fakeRegistry } from "../support/fake-registry.js";
import { blocksOf, docsPages, readPage } from "../support/docs-page.js";
import { engineEnv } from "../support/engine-env.js";
import { runPage } from "../support/page-run.js";
import { Workplace } from "../support/workplace.js";

const { registry, engine } = engineEnv();

for (const page of await docsPages()) {
  const text = await readPage(page);
  const blocks = blocksOf(text);
  for (const { line, notRun } of blocks) if (notRun) console.log(`${page}:${line}: not run: ${notRun}`);
  const runs = blocks.filter(({ kind, notRun }) => kind !== "set-up" && kind !== "read" && !notRun);
  if (runs.length === 0) continue;
  // Where an engine is there already, only builders on the host's network can push to the testbed's registry.
  const cannotPush = engine === "existing" && text.includes("--push") && !text.includes("network=host");
  if (cannotPush) console.log(`${page}: not run: its builder cannot push to the registry beside this engine`);
  test.skipIf(cannotPush)(`${page} runs from top to bottom`, async () => {
    await using place = await Workplace.open("docs");
    await expectFreeNames(place.engine, text);
    const before = await imageNames(place.engine);
    try {
      const dir = place.path("run");
      await mkdir(dir);
      await runPage({ page, blocks, dir, registry, env: place.env });
    } finally {
      // An engine that is somebody's keeps only what was there.
      for (const name of await imageNames(place.engine))
        if (!before.has(name) && text.includes(name.replace(registry, "registry.example.com")))
          await place.engine.images.remove(name, { force: true });
    }
  });
}

const credentials = "docs/secrets-and-credentials.md";
const cannotReach = engine === "existing";
if (cannotReach)
  console.log(`${credentials}: not pushed with a password: the registry for that is on this machine`);
test.skipIf(cannotReach)(
  "the credentials callback of the page pushes to a registry with a password",
  async () => {
    await using place = await Workplace.open("docs-credentials");
    const guarded = await fakeRegistry({ auth: "bearer" });
    try {
      const dir = place.path("run");
      await mkdir(dir);
      const blocks = blocksOf(await readPage(credentials)).filter(
        ({ kind, text }) => kind === "set-up" || kind === "file" || text.includes("credentials:"),
      );
      await runPage({ page: credentials, blocks, dir, registry: guarded.host, env: place.env });
      expect([...guarded.manifests.keys()]).toContain("team/app:1");
      expect(guarded.tokens).toContain("repository:team/app:pull,push");
    } finally {
      await guarded.close();
    }
  },
);

/** Pages call their builders by fixed names; one that is there already would be taken for theirs, and removed. */
async function expectFreeNames(engine: EngineClient, text: string): Promise<void> {
  const names = new Set(
    [...text.matchAll(/(?:--name[ =]|\bname: ")([a-zA-Z][\w-]*)/g)].map(([, name]) => name),
  );
  const containers = await engine.containers.list({ all: true });
  const taken = new Set(containers.flatMap(({ Names }) => Names));
  const used = [...names].filter((name) => taken.has(`/${containerName(`${name}0`)}`));
  expect(used, "builders of these names are on the engine already").toEqual([]);
}

async function imageNames(engine: EngineClient): Promise<Set<string>> {
  const images = await engine.images.list();
  return new Set(images.flatMap(({ RepoTags }) => RepoTags ?? []));
}

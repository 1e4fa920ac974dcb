import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Builder, build, diskUsage, files, history, prune } from "../../src/index.js";
import { engineEnv } from "../support/engine-env.js";
import { Workplace } from "../support/workplace.js";

const { registry, engine } = engineEnv();

/** A builder of one driver. */
interface Subject {
  builder: Builder;
  env: Record<string, string | undefined>;
  /** What its engine's store cannot do, by row. */
  without: readonly string[];
}

/** What the classic store of Docker 20.10 cannot hold; its BuildKit 0.8 keeps no history either. */
const classicStore = [
  "OCI archive",
  "docker archive",
  "several platforms",
  "cache to a registry",
  "attestations",
];

let place: Workplace;
const closing: (() => Promise<unknown>)[] = [];

const open = (name: string, env: Record<string, string | undefined>) => Builder.open({ name, env });

async function containerSubject(name: string): Promise<Subject & { container: string }> {
  const builder = await place.builder(name, "--driver-opt", "network=host", "--bootstrap");
  const { env } = place;
  const container = place.container(builder);
  return { builder: await open(builder, env), env, without: [], container };
}

const subjects: Record<string, () => Promise<Subject>> = {
  "docker-container": () => containerSubject("own"),
  async docker() {
    // The engine's own BuildKit takes bases from its store; 20.10's knows no mirrors.
    await place.engine.images.pull("busybox:latest");
    const { env } = place;
    const without = engine === "docker" ? [...classicStore, "history"] : [];
    return { builder: await open("default", env), env, without };
  },
  async remote() {
    const { container } = await containerSubject("daemon");
    const name = `${place.id}-remote`;
    await place.succeed(["create", "--name", name, "--driver", "remote", `docker-container://${container}`]);
    return { builder: await open(name, place.env), env: place.env, without: [] };
  },
  ...(process.env["KUBECONFIG"] && {
    async kubernetes() {
      const name = `${place.id}-pods`;
      await place.succeed(["create", "--name", name, "--driver", "kubernetes", "--bootstrap"]);
      closing.push(() => place.run(["rm", "-f", name]));
      const env = { ...place.env, KUBECONFIG: process.env["KUBECONFIG"] };
      return { builder: await open(name, env), env, without: [] };
    },
  }),
};

const context = files({
  Dockerfile: "FROM busybox\nRUN --mount=type=secret,id=s cp /run/secrets/s /said\nCOPY greeting /\n",
  greeting: "ahoy\n",
});
const image = files({ Dockerfile: "FROM scratch\nCOPY a /\n", a: "a" });

/** What each driver is to do; a row returns nothing, or fails. */
const rows: Record<string, (subject: Subject, name: string) => Promise<unknown>> = {
  async "files, with a secret"({ builder, env }, name) {
    const dest = place.path(`${name}-out`);
    await build({ builder, env, context, secrets: { s: "quiet" }, outputs: [{ type: "local", dest }] });
    expect(await readFile(`${dest}/said`, "utf8")).toBe("quiet");
  },
  "tar archive": (subject, name) => archive(subject, name, "tar"),
  "OCI archive": (subject, name) => archive(subject, name, "oci"),
  "docker archive": (subject, name) => archive(subject, name, "docker"),
  async "image in the engine"({ builder, env }, name) {
    const tags = [`${place.id}:${name}`];
    await build({ builder, env, context: image, tags, load: true });
    await place.engine.images.remove(tags[0] as string, { force: true });
  },
  async push({ builder, env }, name) {
    const tags = [`${registry}/${place.id}/${name}:1`];
    const { digest } = await build({ builder, env, context: image, tags, push: true });
    expect(digest).toMatch(/^sha256:/);
  },
  "several platforms": ({ builder, env }, name) =>
    build({
      builder,
      env,
      context: image,
      platforms: ["linux/amd64", "linux/arm64"],
      tags: [`${registry}/${place.id}/${name}:2`],
      push: true,
    }),
  attestations: ({ builder, env }, name) =>
    build({
      builder,
      env,
      context: image,
      attests: ["type=provenance,mode=max"],
      tags: [`${registry}/${place.id}/${name}:3`],
      push: true,
    }),
  "cache to a registry": ({ builder, env }, name) =>
    build({
      builder,
      env,
      context: image,
      cacheTo: [{ type: "registry", attrs: { ref: `${registry}/${place.id}/${name}:cache`, mode: "max" } }],
      outputs: [{ type: "cacheonly" }],
    }),
  async history({ builder, env }) {
    await using builds = await history({ builder, env });
    expect((await builds.records({ limit: 5 })).length).toBeGreaterThan(0);
  },
  async "disk usage and prune"({ builder, env }) {
    expect(Array.isArray(await diskUsage({ builder, env }))).toBe(true);
    for await (const _ of prune({ builder, env, filter: ["id==none"] })) expect.fail("nothing has this id");
  },
  async "a cancel in a step"({ builder, env }) {
    const stop = new AbortController();
    const building = build({
      builder,
      env,
      context: files({ Dockerfile: `FROM busybox\nRUN echo begun-${Date.now()} && sleep 600\n` }),
      outputs: [{ type: "cacheonly" }],
      signal: stop.signal,
      onEvent(event) {
        if (event.type === "status" && event.logs.length > 0) stop.abort(new Error("enough"));
      },
    });
    await expect(building).rejects.toMatchObject({ code: "ABORTED" });
  },
};

async function archive(
  { builder, env }: Subject,
  name: string,
  type: "tar" | "oci" | "docker",
): Promise<void> {
  const dest = place.path(`${name}.${type}`);
  await build({ builder, env, context: image, outputs: [{ type, dest }] });
  expect((await readFile(dest)).length).toBeGreaterThan(1000);
}

/** One table of what each driver does here. */
describe("rows × drivers", () => {
  const table = new Map<string, string[]>(Object.keys(rows).map((row) => [row, []]));

  beforeAll(async () => void (place = await Workplace.open("drivers")), 60_000);
  afterAll(async () => {
    for (const close of closing.reverse()) await close();
    await place.close();
    const names = Object.keys(subjects);
    const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
    const lines = [...table].map(([row, cells]) => line([row, ...cells]));
    const head = [line([`on ${engine}`, ...names]), line(["---", ...names.map(() => "---")])];
    console.log([...head, ...lines].join("\n"));
  }, 60_000);

  it.each(Object.keys(subjects))(
    "%s",
    async (name) => {
      const subject = await (subjects[name] as () => Promise<Subject>)();
      const failed: Record<string, string> = {};
      for (const [row, run] of Object.entries(rows)) {
        const began = performance.now();
        const error = await run(subject, name).then(
          () => undefined,
          (failure: Error & { code?: string }) => failure,
        );
        const isRefused = subject.without.includes(row);
        const took = `${((performance.now() - began) / 1000).toFixed(1)} s`;
        table.get(row)?.push(error ? (isRefused ? "refused" : "FAILED") : took);
        // What the store cannot do is refused by name, and not by accident.
        if (isRefused !== (error !== undefined)) failed[row] = error?.stack ?? "was not refused";
        if (isRefused && error?.code === undefined) failed[row] = error?.stack ?? "was not refused";
      }
      expect(failed).toEqual({});
    },
    180_000,
  );
});

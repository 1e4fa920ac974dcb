import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { engineEnv } from "../support/engine-env.js";
import { type ClientResult, succeed, twoClients } from "../support/two-clients.js";

/** `du` and `prune` beside buildx's, on the cache of one builder. */
const { buildx: oracle } = engineEnv();
const builder = "disk-usage";
let work: string;
const clients = () => twoClients(oracle ?? "", { BUILDX_BUILDER: builder, DOCKER_CONFIG: work });
const slipway = (...args: string[]) => clients().slipway.run(args, { cwd: work });

beforeAll(async () => {
  work = await mkdtemp(path.join(tmpdir(), "slipway-du-"));
  await writeFile(path.join(work, "Dockerfile"), "FROM busybox\nCOPY . /\nRUN echo one > /one\n");
  await succeed(clients().slipway, ["create", "--name", builder, "--bootstrap"]);
  await succeed(clients().slipway, ["create", "--name", `${builder}-cold`]);
  await succeed(clients().slipway, ["build", "--progress", "quiet", "--output", "type=cacheonly", work]);
});

afterAll(async () => {
  await clients().slipway.run(["rm", "-f", builder, `${builder}-cold`]);
  await rm(work, { recursive: true, force: true });
});

describe.skipIf(!oracle)("as buildx does", () => {
  const all =
    "{{.ID}} {{.CreatedAt}} {{.Mutable}} {{.Reclaimable}} {{.Shared}} {{.Size}} {{.Description}} {{.UsageCount}} {{.Type}} {{.Parents}}";

  test.each([
    [["du"]],
    [["du", "--verbose"]],
    [["du", "--format", "pretty", "--filter", "type=regular"]],
    [["du", "--format", "json"]],
    [["du", "--format", all]],
    [["du", "--format", "table {{.ID}}\t{{.Type}}\t{{.UsageCount}}", "--filter", "type=source.local"]],
    [["du", "--filter", "description~=RUN"]],
    [["du", "--filter", "type=regular", "--filter", "shared!=true"]],
    [["du", "--filter", "until=1h"]],
    [["prune", "--force", "--filter", "until=300h"]],
  ])("%j", async (args) => {
    const plain = ({ stdout }: ClientResult) =>
      stdout.toString().replace(/(Less than a second|\d+ seconds?|About a minute|\d+ minutes) ago/g, "AGO");
    // The daemon may still be letting go of what the build before held, so that two answers differ.
    await vi.waitFor(
      async () => {
        const { slipway, buildx } = clients();
        const ours = await slipway.run(args, { cwd: work });
        const theirs = await buildx.run(args, { cwd: work });
        expect(ours.stderr).toBe("");
        expect(plain(ours)).toBe(plain(theirs));
        expect(ours.exitCode).toBe(0);
      },
      { timeout: 20_000, interval: 200 },
    );
  });

  test.each([
    [
      ["du", "--filter", "shared"],
      'invalid argument "shared" for "--filter" flag: bad format of filter (expected name=value)',
    ],
    [["du", "--filter", "type=a", "--filter", "type=b"], '"type" filter expects only one value'],
    [
      ["prune", "-f", "--filter", "until=1h", "--filter", "unused-for=2h"],
      'conflicting filters "until" and "unused-for"',
    ],
    [
      ["prune", "-f", "--filter", "until=xx"],
      `"until" filter expects a duration (e.g., '24h'): time: invalid duration "xx"`,
    ],
    [["du", "--format", "json", "--verbose"], "--format and --verbose cannot be used together"],
    [["du", "--format", "{{.Nosuch}}"], "can't evaluate field Nosuch"],
    [["du", "--timeout", "xx"], 'invalid argument "xx" for "--timeout" flag'],
    [["du", "--builder", `${builder}-cold`], ""],
    [["prune", "-f", "--builder", `${builder}-cold`], ""],
  ])("%j is refused", async (args, message) => {
    const [ours, theirs] = await Promise.all(
      [clients().slipway, clients().buildx].map((client) => client.run(args, { cwd: work })),
    );
    expect(ours?.stderr).toContain(message);
    expect(theirs?.stderr).toContain(message);
    expect(ours?.exitCode).toBe(theirs?.exitCode);
  });
});

test("what records are is asked for by true and false, and an unknown filter is refused", async () => {
  const ids = async (filter: string) => {
    const format = ["--format", "{{.ID}} {{.Mutable}}"];
    const { stdout } = await succeed(clients().slipway, ["du", "--filter", filter, ...format]);
    return stdout.toString().trim().split("\n").sort();
  };
  const [yes, no] = [await ids("mutable=true"), await ids("immutable!=true")];
  expect(yes.every((line) => line.endsWith(" true"))).toBe(true);
  expect(yes).toEqual(no);
  expect((await ids("mutable=false")).every((line) => line.endsWith(" false"))).toBe(true);
  const { exitCode, stderr } = await slipway("prune", "--force", "--filter", "tpye=regular");
  expect(exitCode).toBe(1);
  expect(stderr).toContain('unknown filter "tpye", did you mean type?; filters are description, id, ');
});

test("a builder that does not run is named, with the way out", async () => {
  const { exitCode, stderr } = await slipway("du", "--builder", `${builder}-cold`);
  expect([exitCode, stderr]).toEqual([
    1,
    `ERROR: builder ${builder}-cold is not running; boot it with: slipway inspect --bootstrap ${builder}-cold\n`,
  ]);
});

test("prune takes the filters of docker's configuration as well", async () => {
  const config = path.join(work, "config.json");
  await writeFile(config, JSON.stringify({ pruneFilters: ["until=300h"] }));
  const kept = await succeed(clients().slipway, ["prune", "--force"]);
  expect(kept.stdout.toString()).toBe("Total:\t0B\n");
  await rm(config);
  const pruned = await succeed(clients().slipway, ["prune", "--force", "--verbose"]);
  expect(pruned.stdout.toString()).toMatch(/^ID: +\w+\n(.*\n)*Total:\t[1-9]/);
});

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { ReportModel, ReportStep } from "../report/index.js";
import { buildInputs } from "./build-inputs.js";
import { Inputs } from "./inputs.js";
import { listInput } from "./list-input.js";
import { buildSummary } from "./summary.js";

test.each([
  ["a,b\nc\r\n\n d ", { commas: true }, ["a", "b", "c", "d"]],
  ["a,b\nc", { commas: false }, ["a,b", "c"]],
  ['"a,b",c', { commas: true }, ["a,b", "c"]],
  ['type=x,"dest=a,b"', { commas: false }, ["type=x,dest=a,b"]],
  ['"KEY=one\ntwo ""three"""\nOTHER=1', { commas: false }, ['KEY=one\ntwo "three"', "OTHER=1"]],
  ['KEY=a "b" c', { commas: false }, ['KEY=a "b" c']],
  ['"open\nnext', { commas: false }, ['"open', "next"]],
  ['KEY={"a":1,"b":2}', { commas: false }, ['KEY={"a":1,"b":2}']],
  ["", { commas: true }, []],
] as const)("the list %j", (text, options, expected) => expect(listInput(text, options)).toEqual(expected));

describe("inputs", () => {
  const env = {
    GITHUB_REPOSITORY: "octo/app",
    GITHUB_SHA: "abc",
    GITHUB_REF: "refs/heads/main",
    GITHUB_RUN_ID: "7",
    GITHUB_SERVER_URL: "https://github.com",
  };
  const options = (given: Record<string, string>, facts: { isPublic?: boolean; env?: object } = {}) => {
    const variables = Object.entries(given).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]);
    const all = { ...env, ...facts.env };
    return buildInputs(new Inputs({ ...all, ...Object.fromEntries(variables) }), {
      env: all,
      isPublic: facts.isPublic ?? false,
    });
  };

  test("that are not given build the repository at the workflow's commit", () => {
    expect(options({ "github-token": "t" })).toMatchObject({
      context: "https://github.com/octo/app.git#abc",
      secrets: { GIT_AUTH_TOKEN: "t" },
    });
    expect(options({}, { env: { GITHUB_REF: "refs/pull/5/merge" } }).context).toBe(
      "https://github.com/octo/app.git#refs/pull/5/merge",
    );
    expect(options({ context: "{{defaultContext}}:sub" }).context).toBe(
      "https://github.com/octo/app.git#abc:sub",
    );
  });

  test("become options of the build", () => {
    expect(
      options({
        context: ".",
        tags: "a:1,b:2\nc:3",
        labels: "a=1,2\nb",
        "build-args": "A=1\nB",
        "secret-envs": "x=Y,Z",
        "secret-files": "f=a,b",
        secrets: "__proto__=1",
        outputs: 'type=local,dest=out\ntype=oci,"dest=a,b.tar"',
        "cache-from": "type=gha\nuser/app:cache",
        "shm-size": "2gb",
        "no-cache": "true",
        load: "false",
        "cache-mounts": "mounts",
        "build-contexts": "base={{defaultContext}}",
      }),
    ).toMatchObject({
      context: ".",
      tags: ["a:1", "b:2", "c:3"],
      labels: { a: "1,2", b: "" },
      buildArgs: { A: "1", B: undefined },
      secrets: { x: { env: "Y" }, Z: { env: "Z" }, f: { file: "a,b" } },
      outputs: [{ type: "local" }, { type: "oci" }],
      cacheFrom: [{ type: "gha" }, { type: "registry", attrs: { ref: "user/app:cache" } }],
      shmSize: 2 ** 31,
      noCache: true,
      load: false,
      cacheMounts: { dir: "mounts" },
      buildContexts: { base: "https://github.com/octo/app.git#abc" },
    });
  });

  test("say where an image comes from, as far as may be known of the repository", () => {
    const run = "builder-id=https://github.com/octo/app/actions/runs/7/attempts/1";
    expect(options({ push: "true" }).provenance).toBe(`mode=min,inline-only=true,${run}`);
    expect(options({ push: "true" }, { isPublic: true }).provenance).toBe(`mode=max,${run}`);
    expect(options({ outputs: "type=image,push=true" }, { isPublic: true }).provenance).toBe(
      `mode=max,${run}`,
    );
    for (const given of [
      { load: "true" },
      { push: "true", sbom: "true" },
      { push: "true", load: "true" },
      {},
    ])
      expect(options(given).provenance).toBeUndefined();
    expect(options({ push: "true", provenance: "false" }).provenance).toBe("false");
  });
});

test("what the documentation gives the action, it takes", () => {
  const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
  const declared = [
    ...(read("action/action.yml").split("\noutputs:")[0] ?? "").matchAll(/^ {2}([a-z-]+):$/gm),
  ];
  const names = new Set(declared.map(([, name]) => name));
  const uses = [...read("docs/ci.md").matchAll(/uses: \S*slipway\S*\n( +)with:\n((?:\1 .*\n)+)/g)];
  expect(uses.length).toBeGreaterThan(0);
  for (const [, indent = "", block = ""] of uses)
    for (const [, name] of block.matchAll(new RegExp(`^${indent} {2}([a-z-]+):`, "gm")))
      expect(names).toContain(name);
});

test("a summary is markdown that nothing in it breaks", () => {
  const step = (number: number, name: string, start: number): ReportStep => ({
    number,
    digest: `sha256:${number}`,
    name,
    commonName: name,
    platform: "",
    group: "",
    state: "done",
    runs: [{ start, end: start + number * 10 }],
    milliseconds: number * 10,
    inputs: [],
    critical: number === 60,
    transfers: [],
    log: "",
    omittedBytes: 0,
    error: "",
  });
  const model: ReportModel = {
    title: "app|<b>`x`",
    outcome: "failed",
    failure: { message: "bad ```\n::error::x", step: 1, sources: [] },
    builder: "b",
    ref: "b/b0/x",
    begun: new Date(0),
    milliseconds: 1234,
    platforms: [],
    steps: [
      step(60, "[1/2] RUN echo a : b; %% c # d\n```", 0),
      ...Array.from({ length: 50 }, (_, at) => step(at + 2, "x", at)),
    ],
    criticalPath: [],
    warnings: [],
    messages: [],
    images: [],
  };
  const text = buildSummary(model, { digest: "sha256:1" });
  expect(text).toContain("### Not built: app&#124;&#60;b&#62;&#96;x&#96;");
  expect(text).toContain("````text\nbad ```\n");
  expect(text).toContain("Left out: the 11 shortest steps.");
  const chart = /```mermaid\n([\s\S]*?)\n```/.exec(text)?.[1]?.split("\n") ?? [];
  expect(chart.slice(0, 3)).toEqual(["gantt", "  dateFormat x", "  axisFormat %M:%S"]);
  for (const line of chart.slice(3))
    expect(line).toMatch(/^ {2}[^:;#%`]+ : (?:crit, )?(?:done, )?s\d+, \d+, \d+$/);
});

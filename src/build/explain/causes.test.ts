import { describe, expect, test } from "vitest";
import { type BuildFacts, type StepFacts, placeOf } from "./build-facts.js";
import { explainSteps } from "./causes.js";

const steps = (...names: string[]): StepFacts[] =>
  names.map((text) => {
    // `!` marks what ran, `<- a,b` what it takes from.
    const [name = "", from = ""] = text.replace(/^!/, "").split(" <- ");
    return { name, digest: name, cached: !text.startsWith("!"), inputs: from === "" ? [] : from.split("|") };
  });
const dockerfile = "FROM a\nARG V=1\nRUN make\nCOPY src /s/\nRUN test\n";
const context = "[internal] load build context";
const build = (part: Partial<BuildFacts>): BuildFacts => ({
  ref: "r",
  steps: [],
  args: new Map(),
  dockerfile,
  files: new Map(),
  noCache: [],
  ...part,
});
const before = build({
  steps: steps(
    "[1/4] FROM a@sha256:1",
    "[2/4] RUN make",
    `[3/4] COPY src /s/ <- ${context}`,
    "[4/4] RUN test",
    context,
  ),
  files: new Map([
    ["context/src/a", "1"],
    ["context/src/gone", "1"],
    ["context/other", "1"],
  ]),
});
const causes = (now: BuildFacts, earlier = before) =>
  explainSteps(now, earlier).map(({ name, causes }) => [name, causes]);

describe("a step ran again", () => {
  test("since files that it copies changed, and the next one since it did", () => {
    const now = build({
      steps: steps(
        "[1/4] FROM a@sha256:1",
        "[2/4] RUN make",
        `!${context}`,
        `![3/4] COPY src /s/ <- [2/4] RUN make|${context}`,
        "![4/4] RUN test <- [3/4] COPY src /s/",
      ),
      files: new Map([
        ["context/src/a", "2"],
        ["context/src/new", "1"],
        ["context/other", "2"],
      ]),
    });
    expect(causes(now)).toEqual([
      [
        "[3/4] COPY src /s/",
        [
          { kind: "file", path: "src/a", context: "context", change: "changed" },
          { kind: "file", path: "src/new", context: "context", change: "added" },
          { kind: "file", path: "src/gone", context: "context", change: "removed" },
        ],
      ],
      ["[4/4] RUN test", [{ kind: "step", name: "[3/4] COPY src /s/" }]],
    ]);
    const unknown = causes({ ...now, files: undefined });
    expect(unknown[0]?.[1]).toMatchObject([
      { kind: "unknown", why: expect.stringContaining("files") as string },
    ]);
  });

  test("since an argument, a setting, the instruction or the base changed", () => {
    const run = steps("[1/4] FROM a@sha256:1", "![2/4] RUN make <- [1/4] FROM a@sha256:1");
    expect(
      causes(
        build({
          steps: run,
          args: new Map([
            ["V", "2"],
            ["UNUSED", "1"],
          ]),
        }),
      ),
    ).toEqual([["[2/4] RUN make", [{ kind: "argument", name: "V" }]]]);
    const env = dockerfile.replace("ARG V=1", "ARG V=1\nENV A=b");
    expect(causes(build({ steps: run, dockerfile: env }))).toEqual([
      ["[2/4] RUN make", [{ kind: "instruction", before: "", after: "ENV A=b" }]],
    ]);
    expect(causes(build({ steps: steps("![2/4] RUN make all") }))).toEqual([
      ["[2/4] RUN make all", [{ kind: "instruction", before: "RUN make", after: "RUN make all" }]],
    ]);
    const other = steps("![1/4] FROM a@sha256:2", "![2/4] RUN make <- [1/4] FROM a@sha256:2");
    const base = { kind: "base", before: "a@sha256:1", after: "a@sha256:2" };
    expect(causes(build({ steps: other }))).toEqual([
      ["[1/4] FROM a@sha256:2", [base]],
      ["[2/4] RUN make", [base]],
    ]);
  });

  test("though nothing changed: not to be cached, gone from the cache, or not to be known", () => {
    const now = build({ steps: steps("![2/4] RUN make") });
    expect(causes({ ...now, noCache: "all" })).toEqual([["[2/4] RUN make", [{ kind: "no-cache" }]]]);
    expect(causes(now)).toEqual([["[2/4] RUN make", [{ kind: "evicted" }]]]);
    expect(causes(now, { ...before, dockerfile: undefined })).toMatchObject([
      ["[2/4] RUN make", [{ kind: "unknown" }]],
    ]);
    expect(
      causes(build({ steps: steps("![5/5] RUN new", "!exporting to image", "[2/4] RUN make") })),
    ).toEqual([]);
  });
});

test("names of steps are read", () => {
  expect(placeOf("[linux/amd64 build 2/5] RUN make")).toEqual({
    platform: "linux/amd64",
    stage: "build",
    number: 2,
    instruction: "RUN make",
  });
  expect(placeOf("[linux/arm64 2/5] RUN make")).toMatchObject({ platform: "linux/arm64", stage: "" });
  expect(placeOf("[build 2/5] RUN make")).toMatchObject({ platform: "", stage: "build" });
  expect(placeOf("[internal] load build context")).toBeUndefined();
  expect(placeOf("exporting to image")).toBeUndefined();
});

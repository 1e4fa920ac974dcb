import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testCertificates } from "../../test/support/certificates.js";
import { buildCallKinds, planKinds } from "./option-kinds.js";
import { type PlanOptions, build, connect, files, parseCache, parseOutput, plan, tar } from "./index.js";

const hello = { context: files({ Dockerfile: "FROM scratch\n" }), cacheDir: false as const };
let docker: string;
beforeAll(async () => {
  docker = await mkdtemp(join(tmpdir(), "slipway-options-"));
});
afterAll(() => rm(docker, { recursive: true }));

/** What somebody without types may give. */
const loose = (options: object) =>
  ({ env: { DOCKER_CONFIG: docker, PATH: "" }, ...options }) as unknown as PlanOptions;

async function refusal(options: object): Promise<string> {
  const error: unknown = await plan(loose(options)).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "INVALID_ARGUMENT" });
  // And before a builder is looked for.
  const other: unknown = await build({ ...loose(options), builder: "nosuch" }).catch(
    (thrown: unknown) => thrown,
  );
  expect(other).toMatchObject({ code: "INVALID_ARGUMENT" });
  return (error as Error).message;
}

test.each([
  [{}, 'the option context is missing; "." is the current directory'],
  [{ context: ".", tags: "app:1" }, 'the option tags must be a list, such as ["app:1"], not a text'],
  [{ context: ".", tag: ["app:1"] }, 'plan() has no option "tag", did you mean tags?'],
  [{ context: ".", platform: "linux/amd64" }, 'plan() has no option "platform", did you mean platforms?'],
  [{ context: ".", "no-cache": true }, 'plan() has no option "no-cache", did you mean noCache?'],
  [{ context: ".", toString: 1 }, 'plan() has no option "toString"'],
  [{ context: ".", ...(JSON.parse('{"__proto__":1}') as object) }, /./],
  [{ context: ".", tags: ["a", 5] }, "the option tags[1] must be a text, not the number 5"],
  [
    { context: ".", outputs: [{ type: "image", push: true }] },
    "the option outputs[0].push is not known; what an exporter takes belongs in attrs",
  ],
  [
    { context: ".", outputs: [{ type: "image", attrs: { push: true } }] },
    'the option outputs[0].attrs.push must be a text, such as "true", not true',
  ],
  [{ context: ".", outputs: [{ dest: "out" }] }, "the option outputs[0].type is missing"],
  [
    { context: ".", outputs: ["type=bogus"] },
    "the option outputs[0] must be an object, not a text; parseOutput() reads the command's words",
  ],
  [
    { context: ".", secrets: ["id=a,env=B"] },
    'the option secrets must be an object, such as { token: { env: "TOKEN" } }, not a list',
  ],
  [
    { context: ".", secrets: { a: 5 } },
    "the option secrets.a must be the value itself (a text or bytes), { file }, { env } or a function, not the number 5",
  ],
  [{ context: ".", secrets: { a: { path: "x" } } }, "the option secrets.a.path is not known"],
  [
    { context: new URL("file:///tmp") },
    /^the option context must be a directory or URL as a text, .* not an object of class URL$/,
  ],
  [
    { context: files({ x: 5 as never }) },
    /^the option context.files.x must be a text or bytes .* not the number 5$/,
  ],
  [{ context: { type: "folder", path: "." } }, /^the option context must be/],
  [{ context: tar(5 as never) }, "the option context.stream must be a stream or bytes, not the number 5"],
  [{ context: ".", shmSize: "64m" }, "the option shmSize must be a number of bytes, not a text"],
  [
    { context: ".", signal: new AbortController() },
    "the option signal must be an AbortSignal, not an object of class AbortController",
  ],
  [{ context: Promise.resolve(".") }, /not a promise, which is to be awaited first$/],
])("%j is refused by the option's name", async (options, message) => {
  const text = await refusal(options);
  if (typeof message === "string") expect(text).toBe(message);
  else expect(text).toMatch(message);
});

describe("every option", () => {
  const wrong: readonly unknown[] = [null, Symbol("x"), 1.5, Number.NaN, /x/, new Map(), []];
  test.each(Object.keys(planKinds))("%s refuses what it cannot be, by its name", async (name) => {
    let refused = 0;
    for (const value of wrong) {
      const error: unknown = await plan(loose({ ...hello, [name]: value })).catch(
        (thrown: unknown) => thrown,
      );
      if (!(error instanceof Error)) continue; // an empty list is a list
      expect(error).toMatchObject({ code: "INVALID_ARGUMENT" });
      expect(error.message).toContain(`the option ${name}`);
      refused++;
    }
    expect(refused).toBeGreaterThanOrEqual(wrong.length - 1);
  });

  test.each(Object.keys(planKinds).filter((name) => name !== "context"))(
    "%s may be undefined, which means not given",
    async (name) => {
      const bare = await plan(loose(hello));
      expect(
        await plan(
          loose({
            ...hello,
            [name]: undefined,
            ...(name === "cacheDir" && { cacheDir: false }),
            ...(name === "env" && { env: { DOCKER_CONFIG: docker } }),
          }),
        ),
      ).toEqual(bare);
    },
  );

  test("values inside of options may be undefined", async () => {
    const nothing = {
      secrets: { a: undefined },
      labels: { a: undefined },
      buildArgs: { NO_SUCH: undefined },
      buildContexts: { a: undefined },
    };
    const inside = {
      outputs: [{ type: "cacheonly", dest: undefined, attrs: undefined }],
      cacheTo: [{ type: "inline", attrs: { a: undefined } }],
    };
    const bare = await plan(
      loose({ ...hello, outputs: [parseOutput("type=cacheonly")], cacheTo: parseCache("type=inline") }),
    );
    expect(await plan(loose({ ...hello, ...nothing, ...inside }))).toEqual(bare);
  });

  test("connect() refuses what it does not know", async () => {
    await expect(connect({ bulider: "x" } as never)).rejects.toThrow(
      'connect() has no option "bulider", did you mean builder?',
    );
    await expect(connect("x" as never)).rejects.toThrow("connect() takes an object of options, not a text");
  });
});

describe("what a refusal suggests works", () => {
  const suggested = Object.entries(buildCallKinds).flatMap(([name, { is }]) => {
    const example = /such as (.+)$/.exec(is)?.[1];
    return example === undefined ? [] : [[name, example] as const];
  });
  test.each(suggested)("%s: %s", async (name, example) => {
    let value: unknown = runInNewContext(`(${example})`, {
      process: { env: { DOCKER_CONFIG: docker } },
      parseCache,
    });
    if (name === "trustCa") {
      value = join(docker, value as string);
      await writeFile(value as string, testCertificates.ca);
    }
    const here = /^(builder|address|provenance|sbom)$/.test(name);
    const options = { ...hello, ...(name !== "dockerfile" && name !== "file" && {}), [name]: value };
    if (name === "address")
      return expect(connect({ address: value } as never)).rejects.toMatchObject({ code: "DRIVER_CONNECT" });
    await expect(plan(loose(here ? { ...hello, [name]: value } : options))).resolves.toBeDefined();
  });
});

test("a context from memory takes bytes of every form and realm", async () => {
  const digest = async (x: unknown) =>
    (await plan(loose({ ...hello, context: files({ Dockerfile: "FROM scratch\n", x: x as string }) })))
      .inputDigest;
  const expected = await digest("hello");
  const bytes = new TextEncoder().encode("hello");
  const foreign: unknown = runInNewContext("new Uint8Array([104, 101, 108, 108, 111])");
  for (const same of [
    bytes,
    bytes.buffer,
    new DataView(bytes.buffer),
    new Blob(["hello"]),
    foreign,
    { content: new Blob([bytes]) },
    { content: bytes.buffer },
  ])
    expect(await digest(same)).toBe(expected);
});

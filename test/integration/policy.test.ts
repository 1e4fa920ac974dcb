import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { containerName } from "../../src/driver/index.js";
import {
  type BuildCallOptions,
  type BuildError,
  Builder,
  type PolicySource,
  type SourcePolicy,
  build,
  files,
  openResult,
} from "../../src/index.js";
import { engineEnv } from "../support/engine-env.js";
import { gitServer, makeRepository } from "../support/git-server.js";
import { type HttpTestServer, httpServer } from "../support/http-server.js";
import { twoClients } from "../support/two-clients.js";
import { Workplace } from "../support/workplace.js";

/** Functions that decide on what a build takes in, on the real daemon. */
const { registry, engine } = engineEnv();

let place: Workplace;
let builder: Builder;
let web: HttpTestServer;
let repositories: HttpTestServer;
let commit: string;

beforeAll(async () => {
  place = await Workplace.open("policy");
  web = await httpServer(({ url }) => ({ body: `content of ${url}\n` }));
  const repository = makeRepository(place.path("git/app.git"));
  commit = repository.commit({ Dockerfile: "FROM scratch\nCOPY name /\n", name: "app" }, "first");
  repositories = await gitServer(place.path("git"));
  builder = await Builder.ensure({ name: "policy", driverOpts: { network: "host" } });
  await builder.boot();
}, 120_000);

afterAll(async () => {
  await builder?.remove();
  await web?.close();
  await repositories?.close();
  await place?.[Symbol.asyncDispose]();
});

beforeEach(() => {
  web.requests.length = 0;
  repositories.requests.length = 0;
});

/** Builds with a policy; gives what came of it, and what the policy saw. */
async function attempt(
  dockerfile: string,
  policy: SourcePolicy | readonly SourcePolicy[],
  more: Partial<BuildCallOptions> = {},
) {
  const messages: string[] = [];
  const outcome = await build({
    builder,
    context: files({ Dockerfile: dockerfile, name: "x" }),
    outputs: [{ type: "cacheonly" }],
    policy,
    onEvent: (event) => void (event.type === "message" && messages.push(event.text)),
    ...more,
  }).then(
    (result) => ({ result, error: undefined }),
    (error: BuildError) => ({ result: undefined, error }),
  );
  return { ...outcome, messages };
}

const denying =
  (type: PolicySource["type"], reason: string): SourcePolicy =>
  (source) =>
    source.type === type ? { deny: true, reason } : "allow";

describe("a policy", () => {
  test("sees images, repositories, URLs and contexts before they are fetched, each as what it is", async () => {
    const seen = new Map<string, PolicySource>();
    const fetched = new Map<string, number>();
    const { error, result } = await attempt(
      `# syntax=docker/dockerfile:1
FROM busybox AS base
ADD ${web.origin}/file /file
ADD --checksum=${commit} ${repositories.origin}/app.git#main /app
COPY --from=alpine /etc /etc
COPY name /
`,
      (source) => {
        if (seen.has(source.identifier)) return "allow";
        seen.set(source.identifier, source);
        if (source.type === "http") fetched.set("http", web.requests.length);
        return "allow";
      },
    );
    expect(error).toBeUndefined();
    expect(fetched.get("http")).toBe(0);
    const all = [...seen.values()];
    const one = (type: string, part = "") =>
      all.find((source) => source.type === type && source.identifier.includes(part));
    expect(one("image", "docker/dockerfile:1")).toBeDefined();
    expect(one("image", "busybox")).toMatchObject({
      domain: "docker.io",
      repository: "docker.io/library/busybox",
      tag: "latest",
      platform: "linux/amd64",
    });
    expect(one("image", "alpine")).toBeDefined();
    expect(one("http")).toMatchObject({ url: `${web.origin}/file` });
    expect(one("git")).toMatchObject({
      url: `${repositories.origin}/app.git`,
      ref: "main",
      checksum: commit,
    });
    expect(one("local", "context")).toMatchObject({ name: "context" });
    expect(result?.judged?.map(({ source }) => source)).toEqual(
      expect.arrayContaining([`${web.origin}/file`, "local://context"]),
    );
  });

  test("that denies ends the build by the source's name and with its reason, and nothing is fetched", async () => {
    const http = await attempt(`FROM scratch\nADD ${web.origin}/denied /\n`, denying("http", "no downloads"));
    expect(http.error).toMatchObject({ code: "BUILD_FAILED" });
    expect(http.error?.message).toMatch(
      new RegExp(`source "${web.origin}/denied" not allowed by policy: action DENY: no downloads$`),
    );
    expect(http.error?.judged).toContainEqual({
      source: `${web.origin}/denied`,
      verdict: "deny",
      reason: "no downloads",
    });
    expect(http.messages).toContain(`policy: ${web.origin}/denied is denied: no downloads`);
    expect(web.requests).toEqual([]);
    const url = `${repositories.origin}/app.git#main`;
    const git = await attempt(`FROM scratch\nADD ${url} /\n`, denying("git", "not that"));
    expect(git.error?.message).toContain("not allowed by policy: action DENY: not that");
    const asContext = await attempt("", denying("git", "not that"), { context: url });
    expect(asContext.error?.message).toContain("not allowed by policy: action DENY: not that");
    expect(repositories.requests).toEqual([]);
    const image = await attempt("FROM not-there:1\nCOPY name /\n", denying("image", "own bases only"));
    expect(image.error?.message).toContain("own bases only");
    expect(image.error?.message).not.toContain("not found");
    const local = await attempt("FROM scratch\nCOPY name /\n", denying("local", "nothing of mine"));
    expect(local.error?.message).toContain("nothing of mine");
  });

  test("is asked about a Dockerfile at a URL, and a context that is looked into for rego, before these are fetched", async () => {
    const file = await attempt("", denying("http", "no"), { file: `${web.origin}/Dockerfile` });
    expect(file.error?.message).toContain(
      `failed to fetch the Dockerfile ${web.origin}/Dockerfile: failed to load LLB`,
    );
    expect(file.error?.message).toMatch(/action DENY: no$/);
    const context = await attempt("", denying("http", "no"), { context: `${web.origin}/context.tar` });
    expect(context.error?.message).toMatch(/action DENY: no$/);
    const rules = place.path("rules.json");
    await writeFile(
      rules,
      JSON.stringify({ rules: [{ action: "DENY", selector: { identifier: "http://*" } }] }),
    );
    const env = { ...process.env, EXPERIMENTAL_BUILDKIT_SOURCE_POLICY: rules };
    const byFile = await attempt("", () => "allow", { file: `${web.origin}/Dockerfile`, env });
    expect(byFile.error?.message).toContain("denied by policy");
    expect(web.requests).toEqual([]);
  });

  test("converts: to another image, to a pinned one, to a URL with a checksum", async () => {
    const { error, result, messages } = await attempt("FROM not-there:1\nRUN true\n", (source) =>
      source.type === "image" && source.tag === "1"
        ? { convert: "docker-image://busybox", reason: "a mirror" }
        : "allow",
    );
    expect(error).toBeUndefined();
    const to = "docker-image://docker.io/library/busybox:latest";
    const from = "docker-image://docker.io/library/not-there:1";
    expect(result?.judged).toContainEqual({
      source: from,
      platform: "linux/amd64",
      verdict: "convert",
      to,
      reason: "a mirror",
    });
    expect(messages).toContain(`policy: ${from} is replaced by ${to}: a mirror`);
    const wrong = { convert: { attrs: { "http.checksum": `sha256:${"0".repeat(64)}` } } };
    const checked = await attempt(`FROM scratch\nADD ${web.origin}/a /\n`, (source) =>
      source.type === "http" ? wrong : "allow",
    );
    expect(checked.error?.message).toContain("digest mismatch");
    const elsewhere = await attempt(`FROM scratch\nADD ${web.origin}/old /\n`, (source) =>
      source.type === "http" ? { convert: `${web.origin}/new` } : "allow",
    );
    expect(elsewhere.error).toBeUndefined();
    expect(new Set(web.requests.map(({ url }) => url))).toEqual(new Set(["/a", "/new"]));
  });

  test("learns what a source is before it decides: digests, configs, commits, attestations", async () => {
    const built = (name: string, provenance: boolean | string) =>
      build({
        builder,
        context: files({ Dockerfile: "FROM busybox\nUSER app\n" }),
        outputs: [{ type: "registry", attrs: { name: `${registry}/${name}` } }],
        provenance,
      });
    const signed = await built("policy-attested:1", "mode=max");
    const plain = await built("policy-plain:1", false);
    const found: Record<string, unknown> = {};
    const { error } = await attempt(
      `FROM ${registry}/policy-attested:1 AS one
FROM ${registry}/policy-plain:1
ADD ${web.origin}/resolved /
ADD ${repositories.origin}/app.git#main /app
`,
      async (source) => {
        if (source.type === "image") {
          const { digest, config, attestations } = await source.resolve({
            attestations: ["https://slsa.dev/provenance/v1"],
          });
          found[source.repository] = { digest, config };
          for (const { mediaType, annotations, data } of attestations?.blobs.values() ?? [])
            if (mediaType === "application/vnd.in-toto+json")
              found[annotations["in-toto.io/predicate-type"] ?? ""] = JSON.parse(
                Buffer.from(data).toString(),
              );
          found[`${source.repository} has`] = attestations !== undefined;
        }
        if (source.type === "http") found["http"] = await source.resolve();
        if (source.type === "git") found["git"] = await source.resolve({ objects: true });
        return "allow";
      },
    );
    expect(error).toBeUndefined();
    expect(found[`${registry}/policy-plain`]).toMatchObject({
      digest: plain.digest,
      config: { config: { User: "app" } },
    });
    // Asked for those of an image that is no index, BuildKit ends.
    expect(found[`${registry}/policy-plain has`]).toBe(false);
    expect(found["http"]).toMatchObject({ checksum: expect.stringMatching(/^sha256:/) as string });
    expect(found["git"]).toMatchObject({ commit, ref: "refs/heads/main" });
    expect(signed.digest).toBeDefined();
  });

  test("has several beside each other: rules of a file come first, then each function in order", async () => {
    const rules = place.path("convert.json");
    await writeFile(
      rules,
      JSON.stringify({
        rules: [
          {
            action: "CONVERT",
            selector: { identifier: "docker-image://docker.io/library/not-there:2" },
            updates: { identifier: "docker-image://docker.io/library/busybox:latest" },
          },
        ],
      }),
    );
    const seen: string[] = [];
    const { error } = await attempt(
      "FROM not-there:2\nRUN true\n",
      [
        (source) => (source.type === "image" && seen.push(source.repository), "allow"),
        (source) => (source.type === "image" ? { deny: true, reason: "by the second" } : "allow"),
        () => ({ deny: true, reason: "by the third" }),
      ],
      { env: { ...process.env, EXPERIMENTAL_BUILDKIT_SOURCE_POLICY: rules } },
    );
    // The Dockerfile itself is what the third is asked about first.
    expect(error?.message).toMatch(/by the (second|third)$/);
    const second = await attempt(
      "FROM not-there:2\nRUN true\n",
      [
        (source) => (source.type === "image" && seen.push(source.repository), "allow"),
        (source) => (source.type === "image" ? { deny: true, reason: "by the second" } : "allow"),
      ],
      { env: { ...process.env, EXPERIMENTAL_BUILDKIT_SOURCE_POLICY: rules } },
    );
    expect(second.error?.message).toMatch(/by the second$/);
    expect(new Set(seen)).toEqual(new Set(["docker.io/library/busybox"]));
  });

  test.each<[string, SourcePolicy, string]>([
    [
      "throws",
      () => {
        throw new Error("the list cannot be read");
      },
      "the policy failed on local://dockerfile: the list cannot be read",
    ],
    ["rejects", () => Promise.reject(new Error("lost")), "the policy failed on local://dockerfile: lost"],
    ["gives nonsense", () => "maybe" as "allow", 'on local://dockerfile: it gave "maybe", where "allow"'],
    ["never answers", () => new Promise(() => {}), "did not answer within 0.2 s whether local://dockerfile"],
  ])("that %s fails the build by the source's name", async (_what, policy, message) => {
    const { error } = await attempt("FROM scratch\nCOPY name /\n", policy, {
      policyTimeoutMilliseconds: 200,
    });
    expect(error).toMatchObject({ code: "POLICY_FAILED", source: "local://dockerfile" });
    expect(error?.message).toContain(message);
  });

  test("is told when its answer is of no use any more", async () => {
    const abort = new AbortController();
    let signal: AbortSignal | undefined;
    const { error } = await attempt(
      "FROM busybox\n",
      (source) => {
        ({ signal } = source);
        abort.abort();
        return new Promise(() => {});
      },
      { signal: abort.signal },
    );
    expect(error).toMatchObject({ code: "ABORTED" });
    expect(signal?.aborted).toBe(true);
  });
});

describe("a policy beside what may be fetched of the network", () => {
  const fetching = `FROM busybox\nRUN wget -q -O - URL || echo no\n`;
  const url = () => `http://${registry}/v2/`;
  const run = (policy: SourcePolicy, allowHosts: string[]) =>
    attempt(fetching.replace("URL", url()), policy, { noCache: true, proxyNetwork: { allowHosts } });

  test("must allow what a step asks for as well", async () => {
    const seen: string[] = [];
    const watching: SourcePolicy = (source) => (source.type === "http" && seen.push(source.url), "allow");
    const both = await run(watching, [registry]);
    expect(both.result?.network?.requests).toMatchObject([{ url: url(), allowed: true, status: 200 }]);
    expect(seen).toEqual([url()]);
    const denied = await run(denying("http", "not from here"), [registry]);
    expect(denied.result?.network?.requests).toEqual([{ url: url(), allowed: false }]);
    expect(denied.result?.judged).toContainEqual({ source: url(), verdict: "deny", reason: "not from here" });
    // What the hosts do not allow is not asked about.
    await run(watching, ["example.com"]);
    expect(seen).toEqual([url()]);
  });

  test("that fails ends the build, also where the step would go on", async () => {
    const failing: SourcePolicy = (source) => {
      if (source.type === "http") throw new Error("broken");
      return "allow";
    };
    const { error } = await run(failing, [registry]);
    expect(error).toMatchObject({ code: "POLICY_FAILED", message: `the policy failed on ${url()}: broken` });
  });
});

describe("a policy by other ways", () => {
  test("holds at an address, as for the driver remote, and for a result that is opened and exported", async () => {
    const target = { address: `docker-container://${containerName("policy0")}` };
    const context = files({ Dockerfile: "FROM busybox\nRUN echo text >/file\n" });
    const denied = openResult({ ...target, context, policy: denying("image", "no images") });
    await expect(denied).rejects.toThrow(/no images$/);
    const seen: string[] = [];
    await using result = await openResult({
      ...target,
      context,
      policy: ({ identifier }) => (seen.push(identifier), "allow"),
    });
    expect((await result.readFile("/file")).toString()).toBe("text\n");
    seen.length = 0;
    await result.export([{ type: "tar", dest: place.path("out.tar") }]);
    expect(seen.some((one) => one.includes("busybox"))).toBe(true);
  });

  test("holds by an engine's own BuildKit, where that is new enough", async () => {
    const { error } = await attempt("FROM busybox\n", denying("image", "no images"), { builder: "default" });
    // Docker 29 has 0.27 or later.
    if (engine === "docker-29") expect(error?.message).toMatch(/no images$/);
    else expect(error?.message).toContain("needs v0.27 or later");
  });

  test("is refused by BuildKit 0.12.5 by name, before anything is sent", async () => {
    const old = await Builder.ensure({
      name: "policy-old",
      driverOpts: { network: "host", image: "moby/buildkit:v0.12.5" },
    });
    try {
      let asked = 0;
      const { error } = await attempt("FROM busybox\n", () => (asked++, "allow"), { builder: old });
      expect(error).toMatchObject({
        code: "INVALID_ARGUMENT",
        message: expect.stringContaining("policy (--policy-module) needs v0.27 or later") as string,
      });
      expect(asked).toBe(0);
    } finally {
      await old.remove();
    }
  });
});

describe("the command", () => {
  const module = `
export default [
  (source) => (source.type === "image" && source.tag === "latest" ? { deny: true, reason: "pin it" } : "allow"),
];
`;

  test("takes policies from modules, for build and for bake", async () => {
    const own = await place.builder("b", "--driver-opt", "network=host", "--bootstrap");
    const dir = await place.context({
      Dockerfile: "FROM busybox\nRUN true\n",
      "policy.mjs": module,
      "allow.mjs": "await null;\nexport default async () => 'allow';\n",
      "docker-bake.json": '{"target":{"default":{"output":["type=cacheonly"]}}}',
    });
    const run = (...args: string[]) => place.run([...args], { cwd: dir });
    const flags = ["--policy-module", "allow.mjs", "--policy-module", path.join(dir, "policy.mjs")];
    const built = await run("build", "--builder", own, "-o", "type=cacheonly", ...flags, ".");
    expect(built.exitCode).toBe(1);
    expect(built.stderr).toMatch(/ERROR: failed to build: failed to solve: .*action DENY: pin it\n/);
    expect(built.stderr).toContain(
      "policy: docker-image://docker.io/library/busybox:latest is denied: pin it",
    );
    const baked = await run("bake", "--builder", own, ...flags);
    expect(baked.exitCode).toBe(1);
    expect(baked.stderr).toContain("action DENY: pin it");
    const good = await run("build", "--builder", own, "-o", "type=cacheonly", ...flags.slice(0, 2), ".");
    expect(good.stderr).not.toContain("ERROR");
    expect(good.exitCode).toBe(0);
    expect((await run("bake", "--builder", own, ...flags.slice(0, 2))).exitCode).toBe(0);
  });

  test("takes them on a builder of the driver remote", async () => {
    const far = `docker-container://${containerName("policy0")}`;
    const remote = await place.builder("remote", "--driver", "remote", far);
    const dir = await place.context({ Dockerfile: "FROM busybox\nRUN true\n", "policy.mjs": module });
    const built = await place.run(
      ["build", "--builder", remote, "-o", "type=cacheonly", "--policy-module", "policy.mjs", "."],
      { cwd: dir },
    );
    expect(built.exitCode).toBe(1);
    expect(built.stderr).toContain("action DENY: pin it");
  });

  test("refuses modules that are none, by their names", async () => {
    const dir = await place.context({
      Dockerfile: "FROM scratch\n",
      "none.mjs": "export const policy = () => 'allow';\n",
      "text.mjs": "export default 'allow';\n",
      "empty.mjs": "export default [];\n",
      "hole.mjs": "export default [() => 'allow', undefined];\n",
      "broken.mjs": "export default (;\n",
      "throws.mjs": "throw new Error('no list here');\n",
    });
    const stderr = async (file: string) => {
      const { exitCode, stderr } = await place.run(["build", "--policy-module", file, "."], { cwd: dir });
      expect(exitCode).toBe(1);
      return stderr;
    };
    expect(await stderr("none.mjs")).toContain("the policy module none.mjs has no default export");
    expect(await stderr("text.mjs")).toContain("has a text as its default export");
    expect(await stderr("empty.mjs")).toContain("has a list as its default export");
    expect(await stderr("hole.mjs")).toContain("has a list as its default export");
    expect(await stderr("broken.mjs")).toContain("cannot load the policy module broken.mjs: ");
    expect(await stderr("throws.mjs")).toContain("cannot load the policy module throws.mjs: no list here");
    expect(await stderr("missing.mjs")).toContain("cannot load the policy module missing.mjs: ");
    expect(await stderr("")).toContain("a policy module is a file");
  });

  test("follows the rule of the page as buildx does", async () => {
    const { buildx } = engineEnv();
    if (buildx === undefined) {
      console.log("not compared with buildx, which is not there");
      return;
    }
    const own = await place.builder("same", "--driver-opt", "network=host", "--bootstrap");
    const page = await readFile(new URL("../../docs/coming-from-buildx.md", import.meta.url), "utf8");
    const block = (name: string) =>
      new RegExp(`^\`\`\`\\w+ file=${name}\n(.*?)^\`\`\``, "ms").exec(page)?.[1] ?? "";
    const digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
    const dir = await place.context({
      "tagged.Dockerfile": "FROM busybox:latest\nCOPY a /\n",
      "pinned.Dockerfile": `FROM busybox:latest@${digest}\nCOPY a /\n`,
      a: "a",
      "Dockerfile.pinned.rego": block("Dockerfile.pinned.rego"),
      "pinned.mjs": block("pinned.mjs"),
    });
    const clients = twoClients(buildx, { ...place.env, PATH: process.env["PATH"] } as Record<string, string>);
    const rules = {
      buildx: ["--policy", "filename=Dockerfile.pinned.rego"],
      slipway: ["--policy-module", "pinned.mjs"],
    };
    for (const client of [clients.slipway, clients.buildx]) {
      const run = (file: string) =>
        client.run(["build", "--builder", own, ...rules[client.name], "-f", file, "."], { cwd: dir });
      const tagged = await run("tagged.Dockerfile");
      expect(tagged.stderr, client.name).toContain(
        "docker.io/library/busybox:latest is not pinned to a digest",
      );
      // It gets as far as the registry, which does not have it.
      const pinned = await run("pinned.Dockerfile");
      expect(pinned.stderr, client.name).not.toContain("is not pinned");
      expect(pinned.stderr, client.name).toContain("not found");
    }
  });
});

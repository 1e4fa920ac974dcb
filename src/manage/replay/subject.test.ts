import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeProvenance, planReplay, replay } from "./replay.js";

/** Subjects of all forms, and such as somebody made to mislead. */
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), "slipway-subject-"));
});

afterAll(() => rm(dir, { recursive: true, force: true }));

const v1 = "https://slsa.dev/provenance/v1";
const predicate = {
  buildDefinition: {
    externalParameters: {
      configSource: {
        uri: "https://example.com/app.git#main",
        path: "Dockerfile",
        digest: { sha1: "a".repeat(40) },
      },
      request: {
        frontend: "dockerfile.v0",
        args: { "build-arg:VERSION": "1", "label:a": "b", target: "app", "attest:sbom": "" },
        secrets: [{ id: "token" }, { id: "npm", optional: true }],
        ssh: [{ id: "default", optional: true }],
      },
    },
    internalParameters: {
      builderPlatform: "linux/amd64",
      buildConfig: {
        llbDefinition: [
          { id: "step0", op: { Op: { source: { identifier: "git://example.com/app.git#main" } } } },
        ],
      },
    },
    resolvedDependencies: [
      { uri: "pkg:docker/alpine@3.20?platform=linux%2Famd64", digest: { sha256: "b".repeat(64) } },
      { uri: "https://example.com/app.git#main", digest: { sha1: "a".repeat(40) } },
    ],
  },
};
const statement = (more: object = {}) => ({
  _type: "https://in-toto.io/Statement/v1",
  predicateType: v1,
  subject: [{ name: "app", digest: { sha256: "c".repeat(64) } }],
  predicate,
  ...more,
});
const dsse = (payload: object, signatures: unknown = []) => ({
  payloadType: "application/vnd.in-toto+json",
  payload: Buffer.from(JSON.stringify(payload)).toString("base64"),
  signatures,
});
let count = 0;
async function file(content: unknown, name = `${++count}.json`): Promise<string> {
  const at = path.join(dir, name);
  await writeFile(at, typeof content === "string" ? content : JSON.stringify(content));
  return at;
}

test("a statement is described, alone, in an envelope, as a line of many, or as the bare predicate", async () => {
  const lines = [statement({ predicateType: "https://spdx.dev/Document" }), statement()];
  const given = [
    await file(statement()),
    await file(dsse(statement())),
    await file(lines.map((line) => JSON.stringify(line)).join("\n\n"), "many.intoto.jsonl"),
    await file(predicate),
  ];
  for (const subject of given) {
    const found = await describeProvenance(subject);
    expect(found).toMatchObject({
      version: "v1",
      mode: "max",
      context: "https://example.com/app.git#main",
      target: "app",
      buildArgs: { VERSION: "1" },
      labels: { a: "b" },
      secrets: [
        { id: "token", optional: false },
        { id: "npm", optional: true },
      ],
      materials: [{ kind: "image", platform: "linux/amd64" }, { kind: "git" }],
    });
    expect(found.attrs).not.toHaveProperty("attest:sbom");
  }
});

test("provenance of SLSA v0.2 is read as that of v1 is", async () => {
  const { externalParameters, internalParameters, resolvedDependencies } = predicate.buildDefinition;
  const { uri, digest, path: entryPoint } = externalParameters.configSource;
  const old = {
    buildType: "https://mobyproject.org/buildkit@v1",
    invocation: {
      configSource: { uri, digest, entryPoint },
      parameters: externalParameters.request,
      environment: { platform: "linux/amd64" },
    },
    buildConfig: internalParameters.buildConfig,
    materials: resolvedDependencies,
  };
  const { subject: _, ...now } = await describeProvenance(await file(statement()));
  const { subject: __, ...then } = await describeProvenance(
    await file(statement({ predicateType: "https://slsa.dev/provenance/v0.2", predicate: old })),
  );
  expect(then).toEqual({ ...now, version: "v0.2" });
});

test("what is signed is refused, or verified by the caller; never taken as it is", async () => {
  const bundle = {
    mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
    verificationMaterial: {},
    dsseEnvelope: dsse(statement(), [{ sig: "x" }]),
  };
  const signed = [
    await file(dsse(statement(), [{ sig: "x" }])),
    await file(dsse(statement(), [{ sig: "" }, { sig: "x" }])),
    await file(dsse(statement(), "x")),
    await file(bundle),
    await file({ ...bundle, mediaType: undefined }),
    await file(
      [statement(), dsse(statement(), [{ sig: "x" }])].map((one) => JSON.stringify(one)).join("\n"),
      "s.intoto.jsonl",
    ),
  ];
  for (const subject of signed) {
    await expect(describeProvenance(subject)).rejects.toMatchObject({ code: "REPLAY_SIGNATURE" });
    const verifySignature = () => Promise.reject(new Error("not by me"));
    await expect(describeProvenance(subject, { verifySignature })).rejects.toMatchObject({
      code: "REPLAY_SIGNATURE",
      cause: { message: "not by me" },
    });
    await expect(describeProvenance(subject, { verifySignature: () => "" })).rejects.toMatchObject({
      code: "REPLAY_SIGNATURE",
    });
  }
  const seen: string[] = [];
  const found = await describeProvenance(signed[3] ?? "", {
    verifySignature: ({ envelope, payload, subjects }) => {
      seen.push(
        envelope,
        (JSON.parse(payload.toString()) as { predicateType: string }).predicateType,
        ...subjects,
      );
      return "me@example.com";
    },
  });
  expect(found.signer).toBe("me@example.com");
  expect(seen).toEqual(["sigstore-bundle", v1, `sha256:${"c".repeat(64)}`]);
});

test("what is no provenance is refused by name; a statement of 100 MB is not read", async () => {
  const wrong: [unknown, string][] = [
    ["", "is empty"],
    ["[]", "is not an in-toto statement"],
    ["null", "is not an in-toto statement"],
    ["{", "is not an in-toto statement"],
    [{ predicateType: v1, predicate }, "is not an in-toto statement"],
    [{}, "has no predicateType"],
    [dsse(statement(), []).payload, "is not an in-toto statement"],
    [{ ...dsse(statement()), payload: "%%" }, "neither std nor url base64"],
    [statement({ predicateType: "https://spdx.dev/Document" }), "unsupported predicate type"],
    [statement({ predicate: null }), "no JSON object"],
    [
      statement({
        predicate: { buildDefinition: { resolvedDependencies: Array.from({ length: 100_001 }, () => ({})) } },
      }),
      "lists more than",
    ],
  ];
  for (const [content, words] of wrong)
    await expect(describeProvenance(await file(content))).rejects.toThrow(words);
  await expect(describeProvenance(await file("\n", "none.intoto.jsonl"))).rejects.toThrow("is empty");
  const large = await file("{");
  await truncate(large, 100 << 20);
  await expect(describeProvenance(large)).rejects.toThrow("it is larger than");
  await expect(describeProvenance(path.join(dir, "missing.json"))).rejects.toThrow("cannot read the subject");
  await expect(describeProvenance("  ")).rejects.toThrow("empty subject input");
  await expect(describeProvenance("/dev/zero")).rejects.toThrow("it is a device");
});

test("names that JavaScript objects have of themselves are names like any other", async () => {
  const text = JSON.stringify(statement()).replace(
    '"build-arg:VERSION":"1"',
    '"build-arg:__proto__":"x","__proto__":"y"',
  );
  const found = await describeProvenance(await file(text));
  expect(Object.entries(found.buildArgs)).toEqual([["__proto__", "x"]]);
  expect(Object.hasOwn(found.attrs, "__proto__")).toBe(true);
});

test("provenance cannot name what is on this machine as a context or Dockerfile", async () => {
  const withRequest = (args: object, source: object = {}) => {
    const definition = predicate.buildDefinition;
    const { configSource, request } = definition.externalParameters;
    const externalParameters = {
      configSource: { ...configSource, ...source },
      request: { ...request, secrets: [], args: { ...request.args, ...args } },
    };
    return file(statement({ predicate: { buildDefinition: { ...definition, externalParameters } } }));
  };
  const refused: [object, object, string][] = [
    [{ "context:x": "/etc" }, {}, 'names "/etc" as context:x'],
    [{ "context:x": "engine://secret" }, {}, "neither an image nor a git or http(s) URL"],
    [{}, { uri: "/etc", digest: {} }, 'names "/etc" as its context'],
    [{ "context:x": "oci-layout://store@sha256:1" }, {}, "local inputs that replay cannot fetch (x)"],
    [{ "context:x": "local:x" }, {}, "local inputs that replay cannot fetch (x)"],
    [{}, { uri: "http://buildkit-session/1", digest: {} }, "context (stdin)"],
  ];
  for (const [args, source, words] of refused)
    await expect(planReplay(await withRequest(args, source))).rejects.toThrow(words);
  // Those that would reach for more than the build had are not passed on.
  const plan = await planReplay(
    await withRequest({ "cgroup-parent": "/system", requestid: "x", contextkey: "y" }),
  );
  expect(plan.subjects[0]?.buildConfig.context).toBe("https://example.com/app.git#main");
});

test("secrets, networks and modes are checked before anything is dialled", async () => {
  const subject = await file(statement());
  await expect(replay(subject)).rejects.toMatchObject({ code: "REPLAY_MISSING_SECRET", names: ["token"] });
  const secrets = { token: "x" };
  await expect(replay(subject, { secrets: { ...secrets, b: "", a: "" } })).rejects.toMatchObject({
    code: "REPLAY_EXTRA_SECRET",
    names: ["a", "b"],
  });
  await expect(replay(subject, { secrets, ssh: ["other"] })).rejects.toMatchObject({
    code: "REPLAY_EXTRA_SSH",
  });
  await expect(replay(subject, { secrets, contexts: { context: dir } })).rejects.toThrow("extra contexts");
  await expect(replay(subject, { secrets, platform: "all" })).rejects.toThrow('--platform "all"');
  await expect(
    replay(subject, { secrets, outputs: [{ type: "local", dest: dir, attrs: { mode: "delete" } }] }),
  ).rejects.toThrow("replay does not support local output mode=delete");
  const min = { buildDefinition: { ...predicate.buildDefinition, internalParameters: {} } };
  await expect(replay(await file(statement({ predicate: min })), { secrets })).rejects.toMatchObject({
    code: "REPLAY_MIN_PROVENANCE",
  });
});

test("a layout that leads out of its directory is no subject", async () => {
  const layout = path.join(dir, "layout");
  await mkdir(path.join(layout, "blobs", "sha256"), { recursive: true });
  await writeFile(path.join(layout, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  const index = (digest: string) =>
    writeFile(
      path.join(layout, "index.json"),
      JSON.stringify({
        schemaVersion: 2,
        manifests: [
          {
            mediaType: "application/vnd.oci.image.index.v1+json",
            digest,
            size: 2,
            annotations: { "org.opencontainers.image.ref.name": "latest" },
          },
        ],
      }),
    );
  await index("sha256:../../../../etc/passwd");
  await expect(describeProvenance(layout)).rejects.toThrow();
  const outside = await file("{}", "outside");
  const digest = "a".repeat(64);
  await symlink(outside, path.join(layout, "blobs", "sha256", digest));
  await index(`sha256:${digest}`);
  await expect(describeProvenance(layout)).rejects.toMatchObject({ code: "REGISTRY_NOT_FOUND" });
});

test("provenance of directories among which the context is not is refused before anything is asked for", async () => {
  const { externalParameters, ...build } = predicate.buildDefinition;
  const args = { "slipway:input:dockerfile": `sha256:${"d".repeat(64)}` };
  const request = { frontend: "dockerfile.v0", locals: [{ name: "dockerfile" }], args };
  const changed = { ...build, externalParameters: { ...externalParameters, configSource: {}, request } };
  const subject = await file(statement({ predicate: { buildDefinition: changed } }));
  for (const call of [planReplay, replay])
    await expect(call(subject, { contexts: { dockerfile: dir } })).rejects.toThrow(
      "predicate has no recorded build context",
    );
});

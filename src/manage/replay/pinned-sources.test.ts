import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { policysession, sourcepolicy } from "../../buildkit/index.js";
import { pinnedSources } from "./pinned-sources.js";
import { parseProvenance, predicateTypes } from "./provenance.js";
import { SourcePins } from "./source-pins.js";

const sha = (letter: string) => letter.repeat(64);
const commit = "1".repeat(40);

function pinsOf(dependencies: object[], configSource: object = {}) {
  const buildDefinition = { externalParameters: { configSource }, resolvedDependencies: dependencies };
  return new SourcePins(parseProvenance({ buildDefinition }, predicateTypes.v1));
}

const alpine = { uri: "pkg:docker/alpine@3.20?platform=linux%2Famd64", digest: { sha256: sha("a") } };
const archive = { uri: "https://example.com/context.tar", digest: { sha256: sha("b") } };
const repository = { uri: "https://example.com/app.git#main", digest: { sha1: commit } };

/** What is decided on a source, as the daemon asks for it. */
function ask(
  identifier: string,
  options: {
    pins?: SourcePins;
    attrs?: Record<string, string>;
    platform?: string;
    digest?: string;
    locals?: string[];
  } = {},
) {
  const { pins = pinsOf([alpine, archive, repository]), attrs = {}, platform, digest, locals = [] } = options;
  const [OS = "", Architecture = ""] = platform?.split("/") ?? [];
  const request = create(policysession.CheckPolicyRequestSchema, {
    ...(platform && { Platform: { OS, Architecture } }),
    Source: { Source: { identifier, attrs }, ...(digest && { Image: { Digest: digest } }) },
  });
  const rules = pinnedSources({ pins, locals: new Set(locals), substitutes: new Map() });
  return rules.decide(request);
}

test("images, archives and repositories get what the builder checks them by, and are allowed with it", () => {
  const pinned: [string, string, Record<string, string>][] = [
    [
      "docker-image://docker.io/library/alpine:3.20",
      `docker-image://docker.io/library/alpine:3.20@sha256:${sha("a")}`,
      { "image.checksum": `sha256:${sha("a")}` },
    ],
    [archive.uri, archive.uri, { "http.checksum": `sha256:${sha("b")}`, "http.filename": "context" }],
    ["git://example.com/app.git#main", "git://example.com/app.git#main", { "git.checksum": commit }],
  ];
  for (const [asked, identifier, attrs] of pinned) {
    const given = asked === archive.uri ? { "http.filename": "context" } : {};
    expect(ask(asked, { attrs: given })).toMatchObject({ action: "convert", update: { identifier, attrs } });
    expect(ask(identifier, { attrs })).toEqual({ action: "allow" });
  }
});

test("what was not recorded, or has another digest, is denied with what was", () => {
  const denied = ask("docker-image://docker.io/library/busybox:latest", { platform: "linux/arm64" });
  expect(denied).toEqual({
    action: "deny",
    messages: [
      [
        "replay pin: no provenance material matched requested source",
        "  target: uri=docker-image://docker.io/library/busybox:latest platform=linux/arm64",
        "  provenance materials:",
        "  - uri=https://example.com/app.git#main canonical=git://example.com/app.git#main",
        "  - uri=https://example.com/context.tar",
        `  - uri=${alpine.uri} canonical=docker-image://docker.io/library/alpine:3.20@sha256:${sha("a")} platform=linux/amd64`,
      ].join("\n"),
    ],
  });
  for (const identifier of [
    "",
    "git://example.com/app.git",
    "git://example.com/app.git#other",
    "https://example.com/context.tar?again",
    `docker-image://docker.io/library/alpine:3.20@sha256:${sha("c")}`,
    "local://context",
    "oci-layout://store@sha256:1",
    "http://buildkit-session/1",
  ])
    expect(ask(identifier), identifier).toMatchObject(
      identifier.includes("@sha256:c") ? { action: "convert" } : { action: "deny" },
    );
  expect(ask("local://context", { locals: ["context"] })).toEqual({ action: "allow" });
  expect(ask("local://", { locals: ["context"] })).toMatchObject({ action: "deny" });
});

test("one name with several digests goes by its platform, or not at all", () => {
  const arm = { uri: "pkg:docker/alpine@3.20?platform=linux%2Farm64", digest: { sha256: sha("c") } };
  const pins = pinsOf([alpine, arm]);
  const name = "docker-image://docker.io/library/alpine:3.20";
  const chosen = (platform?: string) => ask(name, { pins, ...(platform && { platform }) });
  expect(chosen("linux/arm64")).toMatchObject({ update: { identifier: `${name}@sha256:${sha("c")}` } });
  expect(chosen("linux/amd64")).toMatchObject({ update: { identifier: `${name}@sha256:${sha("a")}` } });
  expect(chosen()).toMatchObject({ messages: [`replay pin: ambiguous provenance pins for ${name}`] });
  expect(chosen("linux/s390x")).toMatchObject({
    messages: [`replay pin: no recorded pin for ${name} on platform linux/s390x`],
  });
});

test("a material that names one digest and is recorded with another is refused", () => {
  const uri = `pkg:docker/evil@1?digest=sha256%3A${sha("d")}`;
  expect(() => pinsOf([{ uri, digest: { sha256: sha("a") } }])).toThrow("material digest mismatch");
  // What names two digests is nothing that anybody asks for.
  const twice = `pkg:docker/evil@sha256:${sha("e")}?digest=sha256%3A${sha("d")}`;
  expect(
    ask("docker-image://docker.io/library/evil:latest", { pins: pinsOf([{ uri: twice, digest: {} }]) }),
  ).toMatchObject({ action: "deny" });
});

test("an older daemon gets the same as rules: all is denied but what has its digest", () => {
  const pins = pinsOf([alpine, archive, repository], {
    uri: "https://example.com/app.git#main:sub",
    digest: { sha1: commit },
  });
  const { rules } = pinnedSources({ pins, locals: new Set(["context"]), substitutes: new Map() }).policy();
  const { ALLOW, CONVERT, DENY } = sourcepolicy.PolicyAction;
  expect(rules[0]).toMatchObject({ action: DENY, selector: { identifier: "^" } });
  expect(rules[1]).toMatchObject({ action: ALLOW, selector: { identifier: "local://context" } });
  const to = (identifier: string) => {
    const rule = rules.find(
      ({ action, selector }) => action === CONVERT && new RegExp(selector?.identifier ?? "").test(identifier),
    );
    return rule?.updates?.identifier;
  };
  expect(to("docker-image://docker.io/library/alpine:3.20")).toBe(
    `docker-image://docker.io/library/alpine:3.20@sha256:${sha("a")}`,
  );
  expect(to("git://example.com/app.git#main:sub")).toBe(`git://example.com/app.git#${commit}:sub`);
  expect(rules.filter(({ action }) => action === DENY)).toHaveLength(1);
  const substitutes = new Map([["x", { identifier: "y", attrs: {} }]]);
  expect(() => pinnedSources({ pins, locals: new Set(), substitutes }).policy()).toThrow(
    "needs 0.27 or later",
  );
});

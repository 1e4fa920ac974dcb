import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { testCertificates } from "../../test/support/certificates.js";
import { FakeResult } from "../../test/support/fake-result.js";
import type { BuildEvent } from "../core/index.js";
import { GrpcError, grpcCodes } from "../http2/index.js";
import type { BuildOptions } from "./build-options.js";
import { build } from "./build.js";
import { files } from "./contexts.js";

let fake: FakeResult;
let dir: string;
beforeEach(async () => {
  fake = await FakeResult.open();
  dir = await mkdtemp(join(tmpdir(), "slipway-settle-"));
});
afterEach(async () => {
  await fake[Symbol.asyncDispose]();
  await rm(dir, { recursive: true });
});

async function attempt(more: Partial<BuildOptions> = {}) {
  const events: BuildEvent[] = [];
  const error = await build({
    builder: "b",
    env: fake.builder.env,
    context: files({ Dockerfile: "FROM scratch\n" }),
    outputs: [{ type: "cacheonly" }],
    describe: false,
    onEvent: (event) => void events.push(event),
    ...more,
  }).then(
    () => undefined,
    (thrown: Error & { code?: string }) => thrown,
  );
  return { error, events };
}

describe("what a node cannot do", () => {
  const two = () => [
    { type: "tar" as const, dest: join(dir, "a") },
    { type: "tar" as const, dest: join(dir, "b") },
  ];

  it.each([
    ["v0.12.5", /multiple outputs currently unsupported/],
    ["v0.13.0-rc1", /multiple outputs currently unsupported/],
    ["v0.13.0", /^$/],
    ["a build of somebody's own", /^$/],
    ["", /^$|multiple outputs/],
  ])("is refused before anything runs: two outputs with BuildKit %j", async (version, message) => {
    fake.version = version;
    const { error } = await attempt({ outputs: two() });
    expect(error?.message ?? "").toMatch(message);
    expect(fake.solves).toHaveLength(error ? 0 : 1);
  });

  it("is refused before anything runs: a part of an image, with a BuildKit that would export all of it", async () => {
    fake.version = "v0.33.0";
    const outputs = [{ type: "tar" as const, dest: join(dir, "a"), attrs: { src: "/bin" } }];
    expect((await attempt({ outputs })).error?.message).toMatch(
      /^src=\/bin of the tar exporter is not known/,
    );
    expect(fake.solves).toEqual([]);
    fake.version = "v0.34.0";
    expect((await attempt({ outputs })).error).toBeUndefined();
  });
});

describe("attestations", () => {
  it("are what is asked for, and provenance unless it is turned off", async () => {
    await attempt();
    await attempt({ sbom: true, provenance: "mode=max" });
    await attempt({ env: { ...fake.builder.env, BUILDX_NO_DEFAULT_ATTESTATIONS: "1" } });
    await attempt({ provenance: false, sbom: false });
    const attests = fake.solves.map(({ FrontendAttrs }) =>
      Object.fromEntries(Object.entries(FrontendAttrs).filter(([key]) => key.startsWith("attest:"))),
    );
    expect(attests).toEqual([
      { "attest:provenance": "mode=min,inline-only=true" },
      { "attest:sbom": "type=sbom", "attest:provenance": "type=provenance,mode=max" },
      {},
      {},
    ]);
    const env = { ...fake.builder.env, BUILDX_NO_DEFAULT_ATTESTATIONS: "perhaps" };
    expect((await attempt({ env })).error?.message).toBe(
      'invalid BUILDX_NO_DEFAULT_ATTESTATIONS: "perhaps" is not a boolean',
    );
  });
});

describe("steps that trust more authorities", () => {
  it("are shown without what was put into their lines, also where they fail", async () => {
    const trustCa = join(dir, "ca.pem");
    await writeFile(trustCa, testCertificates.ca);
    const dockerfile = "FROM busybox\nRUN wget https://example.com\n";
    let sent = "";
    fake.script.status = async function* () {
      const [, mounts = ""] = /RUN (.*)wget/.exec(sent) ?? [];
      expect(mounts).toContain("slipway.ca");
      const name = `[2/2] RUN ${mounts}wget https://example.com`;
      yield { vertexes: [{ digest: "sha256:1", name, error: `process ${mounts}wget did not complete` }] };
    };
    fake.script.solve = async (_call, request) => {
      const session = await fake.builder.daemon.session();
      expect(session.methods).toContain("/moby.buildkit.secrets.v1.Secrets/GetSecret");
      expect(request.FrontendOpt["filename"]).toBe("Dockerfile");
      throw new GrpcError(
        grpcCodes.unknown,
        `process "${/RUN (.*)wget/.exec(sent)?.[1]}wget" did not complete`,
      );
    };
    // What the daemon would read of the Dockerfile.
    const { trustInSteps } = await import("./trust-ca/trust-in-steps.js");
    const { resolveInputs } = await import("./inputs.js");
    const inputs = await resolveInputs({ context: files({ Dockerfile: dockerfile }) }, "");
    const trust = await trustInSteps(inputs, testCertificates.ca);
    sent = dockerfile.replace("RUN ", `RUN ${trust.mounts}`);
    const { error, events } = await attempt({ context: files({ Dockerfile: dockerfile }), trustCa });
    expect(error).toMatchObject({ code: "BUILD_FAILED" });
    expect(error?.message).not.toContain("slipway.ca");
    const steps = events.flatMap((event) => (event.type === "status" ? event.vertexes : []));
    const shown = steps.find(({ digest }) => digest === "sha256:1");
    expect(shown).toMatchObject({
      name: "[2/2] RUN wget https://example.com",
      error: "process wget did not complete",
    });
  });
});

import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { Builder, build, createImage, files, inspectImage } from "../../src/index.js";
import { RegistryClient, digestOf, parseReference } from "../../src/registry/index.js";
import { engineEnv } from "../support/engine-env.js";
import { fakeRegistry } from "../support/fake-registry.js";
import { succeed, twoClients } from "../support/two-clients.js";

/** `imagetools` beside buildx's, on a real registry; refusals and tokens on one that is made for it. */
const { registry, buildx: oracle, buildxConfig } = engineEnv();
const builder = "imagetools";
const repository = `${registry}/imagetools`;
const one = `${repository}/one:1`;
const two = `${repository}/two:2`;
let work: string;
const clients = () => twoClients(oracle ?? "", { BUILDX_BUILDER: builder, DOCKER_CONFIG: work });
const slipway = (...args: string[]) => clients().slipway.run(["imagetools", ...args], { cwd: work });
const buildx = (...args: string[]) => clients().buildx.run(["imagetools", ...args], { cwd: work });

beforeAll(async () => {
  // Whose registry settings are taken where a test names no builder.
  vi.stubEnv("BUILDX_BUILDER", builder);
  work = await mkdtemp(path.join(tmpdir(), "slipway-imagetools-"));
  const target = await Builder.ensure({ name: builder, driverOpts: { network: "host" } });
  const image = (name: string) => [{ type: "image" as const, attrs: { name, push: "true" } }];
  const dockerfile = 'FROM busybox\nLABEL a="<b>"\nENV C=d\nRUN echo one > /one\n';
  await build({ builder: target, context: files({ Dockerfile: dockerfile }), outputs: image(one) });
  await build({
    builder: target,
    context: files({ Dockerfile: "FROM scratch\nCOPY f /\n", f: "two\n" }),
    platforms: ["linux/amd64", "linux/arm64"],
    attests: ["type=provenance,mode=max"],
    outputs: image(two),
  });
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await (await Builder.open({ name: builder })).remove();
  await rm(work, { recursive: true, force: true });
});

describe.skipIf(!oracle)("as buildx does", () => {
  test.each([
    [["inspect", one]],
    [["inspect", two]],
    [["inspect", "--raw", two]],
    [["inspect", two, "--format", "{{.Manifest}}"]],
    [["inspect", one, "--format", "{{json .}}"]],
    [["inspect", two, "--format", "{{json .}}"]],
    [["inspect", two, "--format", "{{json .Provenance}} {{json .SBOM}}"]],
    [
      [
        "inspect",
        one,
        "--format",
        '{{.Name}} {{.Manifest.Digest}} {{.Image.Config.Env}} {{index .Image.Config.Labels "a"}}',
      ],
    ],
    [
      [
        "inspect",
        two,
        "--format",
        "{{range $p, $i := .Image}}{{$p}}={{$i.Architecture}} {{end}}{{json .Manifest.Manifests}}",
      ],
    ],
    [["create", "--dry-run", one]],
    [["create", "--dry-run", one, two]],
    [["create", "--dry-run", two, one, two]],
    [["create", "--dry-run", "busybox"]],
    [["create", "--dry-run", "--prefer-index=false", "busybox"]],
    [["create", "--dry-run", "-p", "linux/arm64", two]],
    [["create", "--dry-run", "-p", "linux/amd64", "-p", "linux/s390x", one, two]],
    [
      [
        "create",
        "--dry-run",
        "--annotation",
        "index:a=b",
        "--annotation",
        "manifest-descriptor[linux/arm64]:c=<d>",
        one,
        two,
      ],
    ],
    [["create", "--dry-run", "-t", `${repository}/one:x`, "-f", "descriptor.json"]],
  ])("%j", async (args) => {
    const { manifests } = await inspectImage(one);
    const [first] = manifests.map(({ descriptor }) => descriptor);
    const named = { ...first, annotations: { named: "here" } };
    await writeFile(path.join(work, "descriptor.json"), JSON.stringify(named));
    const [ours, theirs] = await Promise.all([slipway(...args), buildx(...args)]);
    expect(ours.stderr).toBe("");
    // buildx prints annotations in any order.
    const lines = (stdout: Buffer) => stdout.toString().split("\n").sort();
    expect(lines(ours.stdout)).toEqual(lines(theirs.stdout));
    expect(ours.exitCode).toBe(0);
  });

  test.each([
    [["inspect", `${repository}/nosuch`], `${repository}/nosuch:latest: not found`],
    [["inspect", "Bad"], "must be lowercase"],
    [["inspect", one, "--raw", "--format", "x"], "format and raw cannot be used together"],
    [["inspect", "127.0.0.1:1/x"], "127.0.0.1:1"],
    [["create"], "no sources specified"],
    [["create", one], "can't push with no tags specified, please set --tag or --dry-run"],
    [
      ["create", "--dry-run", "sha256:123"],
      'failed to parse source "sha256:123", valid sources are digests, references',
    ],
    [
      ["create", "--dry-run", `sha256:${"0".repeat(64)}`],
      "no repositories specified, please set a reference in tag or source",
    ],
    [
      ["create", "--dry-run", one, two, `sha256:${"0".repeat(64)}`],
      'multiple repositories specified, cannot infer repository for "sha256:0',
    ],
    [["create", "--dry-run", "{}"], "invalid descriptor: digest is required"],
    [["create", "--dry-run", '{"schemaVersion":2}'], "got a manifest or index (schemaVersion 2)"],
    [["create", "--dry-run", "-p", "linux/s390x", two], "none of the manifests match the provided platforms"],
    [["create", "--dry-run", "-p", "a/b/c/d/e", two], 'invalid platform "a/b/c/d/e"'],
    [
      ["create", "--dry-run", "--annotation", "manifest:a=b", two],
      '"manifest" annotations are not supported yet',
    ],
    [["create", "--dry-run", "--annotation", "a=b", two], '"" annotations are not supported yet'],
    [
      ["create", "--dry-run", "--annotation", "index-descriptor:a=b", two],
      '"index-descriptor" annotations are invalid while creating an image',
    ],
    [
      ["create", "--dry-run", "--annotation", "nosuch:a=b", two],
      'failed to parse annotations: unknown annotation type "nosuch"',
    ],
    [
      ["create", "--dry-run", "--annotation", "a", two],
      'failed to parse annotations: invalid annotation "a", expected key=value',
    ],
    [["create", "-t", `${repository}/new:1`, "--append", one], `${repository}/new:1: not found`],
    [["create", "--dry-run", "-f", "/proc/nosuch", one], "/proc/nosuch"],
    [["create", "-t", `${repository}/x:1`, "--progress", "nosuch", one], "invalid progress mode nosuch"],
    [["inspect", "oci-layout:///proc/nosuch"], "/proc/nosuch"],
  ])("%j is refused", async (args, message) => {
    const [ours, theirs] = await Promise.all([slipway(...args), buildx(...args)]);
    expect(ours.stderr).toContain(message);
    expect(theirs.stderr).toContain(message);
    expect([ours.exitCode, ours.stdout.toString()]).toEqual([theirs.exitCode, ""]);
  });

  test("copies, appends, filters and annotates to the same digests, in registries and layouts", async () => {
    const digests = async (client: "slipway" | "buildx") => {
      const run = (...args: string[]) =>
        succeed(clients()[client], ["imagetools", "create", "--progress", "quiet", ...args], { cwd: work });
      const at = `${repository}/by-${client}`;
      const layout = `oci-layout://layout-${client}`;
      await run("-t", `${at}:copy`, "-t", `${at}:again`, "--metadata-file", `${client}.json`, two);
      await run("-t", `${at}:copy`, "--append", one);
      await run("-t", `${at}:arm`, "-p", "linux/arm64", "--annotation", "index:k=v", two, one);
      await run("-t", `${layout}:one`, "-t", layout, one);
      await run("-t", `${at}:back`, `${layout}:one`);
      const found: unknown[] = [];
      for (const tag of ["copy", "again", "arm", "back"])
        found.push((await inspectImage(`${at}:${tag}`)).descriptor);
      const blobs = await readdir(path.join(work, `layout-${client}`, "blobs", "sha256"));
      const index = JSON.parse(await readFile(path.join(work, `layout-${client}`, "index.json"), "utf8")) as {
        manifests: unknown;
      };
      const metadata = await readFile(path.join(work, `${client}.json`), "utf8");
      return {
        found,
        blobs: blobs.sort(),
        manifests: index.manifests,
        metadata: metadata.replace(client, ""),
      };
    };
    const ours = await digests("slipway");
    expect(ours).toEqual(await digests("buildx"));
    // What came back over a layout has all its blobs.
    const { stdout } = await buildx(
      "inspect",
      `${repository}/by-slipway:back`,
      "--format",
      "{{json .Provenance}}",
    );
    expect(stdout.toString()).toContain("buildDefinition");
  });

  test("shows the copying as buildx does", async () => {
    const run = (client: "slipway" | "buildx") =>
      succeed(clients()[client], [
        "imagetools",
        "create",
        "-t",
        `${repository}/shown:1`,
        "--progress",
        "plain",
        two,
      ]);
    const lines = ({ stderr }: { stderr: string }) =>
      stderr
        .replace(/^#1 \d+\.\d+ |DONE .*/gm, "")
        .split("\n")
        .sort();
    expect(lines(await run("slipway"))).toEqual(lines(await run("buildx")));
  });
});

describe("in the library", () => {
  test("createImage and inspectImage", async () => {
    const options = { builder };
    const made = await createImage({ ...options, sources: [two], tags: [`${repository}/library:1`] });
    expect(made.names).toEqual([`${repository}/library`]);
    const image = await inspectImage(`${repository}/library:1`, {
      ...options,
      configs: true,
      attestations: { provenance: true },
    });
    expect(image.descriptor.digest).toBe(made.descriptor.digest);
    expect(digestOf(image.content)).toBe(made.descriptor.digest);
    expect([...image.platforms.keys()]).toEqual(["linux/amd64", "linux/arm64"]);
    expect(image.platforms.get("linux/arm64")).toMatchObject({
      config: { architecture: "arm64" },
      provenance: { buildDefinition: expect.anything() as unknown },
    });
  });

  test("referrers that attest or sign go along, others do not; an attestation may come from them alone", async () => {
    const settings = new Map([
      [registry, { mirrors: [], insecure: false, http: true, ca: [], keyPairs: [] }],
    ]);
    await using client = new RegistryClient({ env: {}, settings });
    const subject = (await inspectImage(two)).manifests[0]?.descriptor;
    const artifacts = {
      attestation: "application/vnd.docker.attestation.manifest.v1+json",
      signature: "application/vnd.dev.cosign.artifact.sig.v1+json",
      note: "application/vnd.example.note",
    };
    const at = (text: string) => parseReference(`${repository}/${text}`);
    const config = Buffer.from("{}");
    const blob = { mediaType: "application/vnd.oci.empty.v1+json", digest: digestOf(config), size: 2 };
    const plain = { sources: [`${two.replace(":2", "")}@${subject?.digest}`], preferIndex: false };
    await createImage({ ...plain, tags: [`${repository}/referred:1`] });
    await client.putBlob(at("referred"), blob, async function* () {
      yield config;
    });
    for (const artifactType of Object.values(artifacts)) {
      const manifest = {
        schemaVersion: 2,
        mediaType: "application/vnd.oci.image.manifest.v1+json",
        artifactType,
        config: blob,
        layers: [blob],
        subject: { mediaType: subject?.mediaType, digest: subject?.digest, size: subject?.size },
      };
      await client.putManifest(at("referred"), {
        mediaType: manifest.mediaType,
        content: Buffer.from(JSON.stringify(manifest)),
      });
    }
    const kept = [artifacts.attestation, artifacts.signature].sort();
    const made = await createImage({
      sources: [`${repository}/referred:1`],
      tags: [`${repository}/taken:1`],
    });
    const found = await client.referrers(at("taken"), subject?.digest ?? "");
    expect(found.map(({ artifactType = "" }) => artifactType).sort()).toEqual(kept);
    const index = JSON.parse(made.content.toString()) as { manifests: { platform: unknown }[] };
    expect(index.manifests.map(({ platform }) => platform)).toEqual([
      { architecture: "amd64", os: "linux" },
      { architecture: "unknown", os: "unknown" },
    ]);
    // A signature of an index goes with its copy.
    const signed = await createImage({
      sources: [`${repository}/taken:1`],
      tags: [`${repository}/signed:1`],
    });
    const signature = {
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      artifactType: artifacts.signature,
      config: blob,
      layers: [blob],
      subject: signed.descriptor,
    };
    await client.putManifest(at("signed"), {
      mediaType: signature.mediaType,
      content: Buffer.from(JSON.stringify(signature)),
    });
    await createImage({ sources: [`${repository}/signed:1`], tags: [`${repository}/moved:1`] });
    expect(await client.referrers(at("moved"), signed.descriptor.digest)).toHaveLength(1);
    // Through a layout and back.
    const layout = `oci-layout://${path.join(work, "referrers")}`;
    await createImage({ ...plain, sources: [`${repository}/referred:1`], tags: [layout] });
    await createImage({ ...plain, sources: [layout], tags: [`${repository}/returned:1`] });
    const back = await client.referrers(at("returned"), subject?.digest ?? "");
    expect(back.map(({ artifactType = "" }) => artifactType).sort()).toEqual(kept);
  });

  test("annotations with no place to go are told of", async () => {
    const warnings: string[] = [];
    const annotations = ["manifest-descriptor[linux/s390x]:a=b"];
    await createImage({
      sources: [two],
      dryRun: true,
      annotations,
      onWarning: (text) => warnings.push(text),
    });
    expect(warnings).toEqual(["annotation a is left out: no manifest is for platform linux/s390x"]);
  });
});

describe("registries that ask for more", () => {
  const env = (config: string) => ({ ...process.env, BUILDX_CONFIG: buildxConfig, DOCKER_CONFIG: config });

  test("a token is got with the credentials of config.json, for both repositories", async () => {
    await using server = await fakeRegistry({ auth: "bearer" });
    const source = await createSource(server);
    const config = await mkdtemp(path.join(work, "config-"));
    await writeFile(
      path.join(config, "config.json"),
      JSON.stringify({ auths: { [server.host]: { auth: btoa("me:secret") } } }),
    );
    const names = ["copy", "team/other"].map((name) => `${server.host}/${name}:1`);
    const { descriptor } = await createImage({ sources: [source], tags: names, env: env(config) });
    for (const name of ["copy", "team/other"])
      expect(server.manifests.has(`${name}@${descriptor.digest}`)).toBe(true);
    expect(server.tokens.some((scope) => scope.includes("repository:copy:pull,push"))).toBe(true);
  });

  test("without credentials the refusal names the image and the status", async () => {
    await using server = await fakeRegistry({ auth: "basic" });
    const config = await mkdtemp(path.join(work, "config-"));
    const refused = inspectImage(`${server.host}/app:1`, { env: env(config) });
    await expect(refused).rejects.toMatchObject({ code: "REGISTRY_UNAUTHORIZED" });
    await expect(refused).rejects.toThrow(`${server.host}/app:1: unexpected status from ${server.host}: 401`);
  });

  test("a push that is refused leaves no tag", async () => {
    await using server = await fakeRegistry({
      intercept: ({ method, url }) =>
        method === "PUT" && url.includes("/manifests/1") ? { status: 403, body: { errors: [] } } : undefined,
    });
    const tags = [`${server.host}/refused:1`];
    await expect(createImage({ sources: [one], tags })).rejects.toThrow(
      new RegExp(`^publish sha256:[0-9a-f]{64} to ${tags[0]}: .*403`),
    );
    expect([...server.manifests.keys()].filter((name) => name.endsWith(":1"))).toEqual([]);
  });

  test("mirrors of the builder's buildkitd.toml are read from", async () => {
    await using mirror = await fakeRegistry({});
    await createSource(mirror);
    const toml = path.join(work, "mirror.toml");
    await writeFile(
      toml,
      `[registry."registry.invalid"]\nmirrors = ["${mirror.host}"]\n[registry."${mirror.host}"]\nhttp = true\n`,
    );
    const named = await succeed(clients().slipway, [
      "create",
      "--name",
      "imagetools-mirror",
      "--buildkitd-config",
      toml,
    ]);
    try {
      const image = await inspectImage("registry.invalid/app:1", { builder: named.stdout.toString().trim() });
      expect(image.descriptor.mediaType).toBe("application/vnd.oci.image.index.v1+json");
    } finally {
      await succeed(clients().slipway, ["rm", "imagetools-mirror"]);
    }
  });

  /** Brings an image into a registry's memory. */
  async function createSource(server: Awaited<ReturnType<typeof fakeRegistry>>): Promise<string> {
    const layer = Buffer.from("layer");
    const config = Buffer.from(
      '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}',
    );
    const manifest = {
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: { ...server.addBlob("app", config), mediaType: "application/vnd.oci.image.config.v1+json" },
      layers: [{ ...server.addBlob("app", layer), mediaType: "application/vnd.oci.image.layer.v1.tar" }],
    };
    const digest = server.addManifest("app", "amd64", manifest.mediaType, manifest);
    const size = Buffer.byteLength(JSON.stringify(manifest));
    const index = {
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.index.v1+json",
      manifests: [
        { mediaType: manifest.mediaType, digest, size, platform: { architecture: "amd64", os: "linux" } },
      ],
    };
    server.addManifest("app", "1", index.mediaType, index);
    return `${server.host}/app:1`;
  }
});

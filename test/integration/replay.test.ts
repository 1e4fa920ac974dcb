import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TestLayout } from "../support/layout.js";
import { ReplayPlace } from "../support/replay-place.js";

/** `slipway replay build` on a real daemon: what buildx's own tests of replay want, and the refusals. */
let place: ReplayPlace;

beforeAll(async () => {
  place = await ReplayPlace.open("replay");
}, 180_000);

afterAll(() => place?.[Symbol.asyncDispose]());

const Dockerfile = "FROM scratch\nCOPY --from=ctx /bin/busybox /bin/busybox\n";
const context = ["--build-context", "ctx=docker-image://busybox"];
let count = 0;
const layoutOf = () => place.work.path(`replayed${++count}.tar`);
const oci = (path: string) => `--output=type=oci,dest=${path}`;

test("an image from an http context is built again from its provenance", async () => {
  const image = place.image("http");
  await place.build(image, await place.serve("http", { Dockerfile }), ...context);
  const dest = layoutOf();
  await place.succeed(["replay", "build", `docker-image://${image}`, oci(dest)]);
  expect(existsSync(dest)).toBe(true);
});

test("a git context stays at its commit: a branch that has moved fails the replay", async () => {
  const image = place.image("git");
  const { repository, url } = place.repository("app");
  repository.commit({ Dockerfile: "FROM scratch\nCOPY foo /foo\n", foo: "recorded" }, "first");
  await place.build(image, `${url}#main`);
  await place.prune();
  const dest = layoutOf();
  await place.succeed(["replay", "build", image, oci(dest)]);
  expect(existsSync(dest)).toBe(true);
  repository.commit({ foo: "changed" }, "move the branch");
  expect(await place.refused(["replay", "build", image, oci(layoutOf())])).toContain(
    "expected checksum to match",
  );
  await place.succeed(["replay", "build", image, "--replay-mode=frontend", oci(layoutOf())]);
});

test("an http context that has changed fails the replay, but not in the mode frontend", async () => {
  const image = place.image("changed");
  const url = await place.serve("changed", { Dockerfile });
  await place.build(image, url, ...context);
  await place.prune();
  await place.serve("changed", { Dockerfile: `${Dockerfile}# changed\n` });
  expect(await place.refused(["replay", "build", image, oci(layoutOf())])).toContain("digest mismatch");
  await place.succeed(["replay", "build", image, "--replay-mode=frontend", oci(layoutOf())]);
});

test("an image from a local context, or from an archive on standard input, is refused", async () => {
  const image = place.image("local");
  await place.build(image, await place.work.context({ Dockerfile: "FROM scratch\nCOPY . /\n" }));
  expect(await place.refused(["replay", "build", image])).toContain(
    "image was built from local inputs that replay cannot fetch (context, dockerfile)",
  );
  const stdin = place.image("stdin");
  await place.serve("stdin", { Dockerfile });
  const built = await place.work.run(
    [
      "build",
      "--builder",
      place.builder,
      "--provenance=mode=max",
      `--output=type=registry,name=${stdin}`,
      ...context,
      "-",
    ],
    { input: place.served.get("/stdin.tar") ?? Buffer.alloc(0) },
  );
  expect(built.exitCode, built.stderr).toBe(0);
  expect(await place.refused(["replay", "build", stdin, "--dry-run"])).toContain("context (stdin)");
});

test("an image without provenance, or with that of mode min, is refused with what to do", async () => {
  const url = await place.serve("incomplete", { Dockerfile });
  for (const [name, flag, words] of [
    ["none", "--provenance=false", "no SLSA provenance attestation found"],
    ["min", "--provenance=mode=min", "provenance was recorded with mode=min"],
  ] as const) {
    const image = place.image(name);
    await place.succeed(["build", `--output=type=registry,name=${image}`, flag, ...context, url]);
    const said = await place.refused(["replay", "build", image, "--dry-run"]);
    expect(said).toContain(words);
    expect(said).toContain("--provenance=mode=max");
  }
});

test("secrets that the provenance names are required, others refused", async () => {
  const image = place.image("secret");
  const file = place.work.path("secret.txt");
  await writeFile(file, "hunter2");
  const secret = `--secret=id=api,src=${file}`;
  const url = await place.serve("secret", {
    Dockerfile:
      "FROM busybox\nRUN --mount=type=secret,id=api,required=true cp /run/secrets/api /secret && echo done\n",
  });
  await place.build(image, url, secret);
  const replay = ["replay", "build", image, oci(layoutOf())];
  expect(await place.refused(replay)).toContain("missing required secrets: api");
  expect(await place.refused([...replay, secret, `--secret=id=more,src=${file}`])).toContain(
    "extra secrets not declared in provenance: more",
  );
  expect(await place.refused([...replay, secret, "--ssh=default"])).toContain(
    "extra ssh entries not declared in provenance: default",
  );
  await place.succeed([...replay, secret]);
});

test("each platform of an index is replayed by itself, the builder's own by default", async () => {
  const image = place.image("platforms");
  const files = { Dockerfile: "FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /\n", amd64: "a", arm64: "b" };
  const url = await place.serve("platforms", files);
  await place.build(image, url, "--platform=linux/arm64,linux/amd64");
  interface Plan {
    subjects: { descriptor: { digest: string; platform: { os: string; architecture: string } } }[];
  }
  const planFor = async (...flags: string[]) => {
    const args = ["replay", "build", image, "--dry-run", "--format=json", ...flags];
    const { subjects } = JSON.parse((await place.succeed(args)).stdout) as Plan;
    expect(subjects).toHaveLength(1);
    return subjects[0]?.descriptor.platform.architecture;
  };
  expect(await planFor("--platform=linux/arm64")).toBe("arm64");
  expect(await planFor("--platform=linux/amd64")).toBe("amd64");
  expect(await planFor()).toBe({ x64: "amd64", arm64: "arm64" }[process.arch as "x64"]);
  await place.succeed(["replay", "build", image, "--platform=linux/arm64", oci(layoutOf())]);
  expect(await place.refused(["replay", "build", image, "--platform=all", "--dry-run"])).toContain(
    '--platform "all" is not supported by replay build',
  );
  expect(await place.refused(["replay", "build", image, "--platform=linux/s390x", "--dry-run"])).toContain(
    "requested platform(s) not present: [linux/s390x]",
  );
});

test("what was recorded is verified by its digest, and nothing comes over for it", async () => {
  const image = place.image("verify");
  await place.build(image, await place.serve("verify", { Dockerfile }), ...context);
  const dest = place.work.path("verified");
  const args = ["replay", "verify", image, "--progress=rawjson", `--output=type=local,dest=${dest}`];
  const { stderr } = await place.succeed(args);
  expect(stderr).toContain('"vertexes"');
  const vsa = JSON.parse(await readFile(`${dest}/vsa.intoto.jsonl`, "utf8")) as {
    predicate: { verificationResult: string };
  };
  expect(vsa).toMatchObject({
    predicateType: "https://slsa.dev/verification_summary/v1",
    predicate: { verificationResult: "PASSED", slipway: { compareMode: "digest" } },
  });
});

test("a build that comes out otherwise is told of by layer, file and field", async () => {
  const image = place.image("differs");
  const url = await place.serve("differs", {
    Dockerfile:
      "FROM busybox\nRUN cat /proc/sys/kernel/random/uuid > /id && chmod 600 /id\nRUN echo same > /same\n",
  });
  await place.build(image, url);
  await place.succeed(["replay", "verify", image, "--compare=artifact"]);
  const dest = place.work.path("differing");
  const args = [
    "replay",
    "verify",
    image,
    "--no-cache",
    "--compare=artifact",
    `--output=type=local,dest=${dest}`,
  ];
  const said = await place.refused(args);
  expect(said).toContain("replay mismatch: verify --compare=artifact failed");
  expect(said).toMatch(/layer 1 \(RUN .*\): \/id content: sha256:\w+ became sha256:\w+/);
  expect(said).not.toContain("/same content");
  const report = JSON.parse(await readFile(`${dest}/diff.json`, "utf8")) as unknown;
  expect(report).toMatchObject({
    context: "root",
    children: [
      { type: "DescriptorMismatch" },
      { type: "ConfigBlobMismatch" },
      { type: "LayerBlobMismatch" },
      {},
    ],
  });
  expect(await readFile(`${dest}/vsa.intoto.jsonl`, "utf8")).toContain('"verificationResult":"FAILED"');
});

test("a snapshot is replayed when neither the server nor the repository is there, and nothing is asked for", async () => {
  const image = place.image("offline");
  const { repository, url } = place.repository("offline");
  repository.commit({ "sub/Dockerfile": `${Dockerfile}COPY foo /foo\n`, "sub/foo": "recorded" }, "first");
  const file = await place.serve("file", { more: "content" });
  repository.commit({ "sub/Dockerfile": `${Dockerfile}COPY foo /foo\nADD ${file} /file\n` }, "second");
  const reproducible = `--output=type=registry,name=${image},rewrite-timestamp=true`;
  const epoch = "--build-arg=SOURCE_DATE_EPOCH=0";
  await place.succeed([
    ...["build", reproducible, "--provenance=mode=max", epoch, ...context, `${url}#main:sub`],
  ]);
  const snapshot = place.work.path("snapshot");
  await place.succeed(["replay", "snapshot", image, "--output", snapshot]);
  expect(existsSync(`${snapshot}/oci-layout`)).toBe(true);
  await place.prune();
  place.served.delete("/file.tar");
  repository.git("branch", "--move", "main", "elsewhere");
  await place.refused(["replay", "build", image, oci(layoutOf())]);
  const materials = `--materials=oci-layout://${snapshot}`;
  const asked = place.http.requests.length + place.git.requests.length;
  const { stderr } = await place.succeed([
    "replay",
    "build",
    image,
    materials,
    "--progress=plain",
    oci(layoutOf()),
  ]);
  expect(stderr).not.toContain("FROM docker.io");
  await place.succeed(["replay", "verify", image, materials, "--compare=artifact"]);
  expect(place.http.requests.length + place.git.requests.length).toBe(asked);
});

test("a local context whose digest was recorded is given again; the first file that differs is named", async () => {
  const image = place.image("recorded");
  const dir = await place.work.context({
    Dockerfile: "FROM scratch\nCOPY . /\n",
    a: "1",
    "b/c": "2",
    d: "3",
  });
  await place.build(image, dir, "--record-inputs");
  const replay = (...more: string[]) => ["replay", "build", image, oci(layoutOf()), ...more];
  expect(await place.refused(replay())).toContain(
    "local inputs that replay cannot fetch (context, dockerfile)",
  );
  await place.succeed(replay(`--context=context=${dir}`));
  await place.succeed(["replay", "verify", image, `--context=context=${dir}`]);
  await writeFile(`${dir}/b/c`, "changed");
  await writeFile(`${dir}/d`, "changed");
  expect(await place.refused(replay(`--context=context=${dir}`))).toContain(
    "the context context is not what the image was built from: b/c has changed",
  );
});

test("targets of a bake record the directories that they were sent, and are replayed from them", async () => {
  const dockerfile = "FROM scratch\nCOPY . /own\nCOPY --from=more . /\n";
  const target = (name: string, more: string) => `target "${name}" {
  context = "${name}"
  contexts = { more = "more" }
  output = ["type=registry,name=${place.image(`baked-${name}`)}"]
  ${more}
}`;
  const inline = `dockerfile-inline = ${JSON.stringify(dockerfile)}`;
  const dir = await place.work.context({
    "docker-bake.hcl": `group "default" { targets = ["a", "b"] }\n${target("a", "")}\n${target("b", inline)}\n`,
    "a/Dockerfile": dockerfile,
    "a/x": "1",
    "b/x": "2",
    "more/y": "3",
    "inline/Dockerfile": dockerfile,
  });
  const env = { BUILDX_BUILDER: place.builder };
  await place.work.succeed(["bake", "--record-inputs", "--provenance=mode=max"], { cwd: dir, env });
  const recorded = new Set<string>();
  for (const name of ["a", "b"]) {
    const subject = place.image(`baked-${name}`);
    const { stdout } = await place.succeed([
      "imagetools",
      "inspect",
      subject,
      "--format={{json .Provenance}}",
    ]);
    for (const input of ["context", "more"])
      recorded.add(new RegExp(`"slipway:input:${input}": ?"([^;"]+)`).exec(stdout)?.[1] ?? "none");
    const more = [
      `--context=more=${dir}/more`,
      `--context=dockerfile=${dir}/${name === "a" ? "a" : "inline"}`,
    ];
    await place.succeed(["replay", "verify", subject, `--context=context=${dir}/${name}`, ...more]);
    await writeFile(`${dir}/${name}/x`, "changed");
    expect(
      await place.refused(["replay", "verify", subject, `--context=context=${dir}/${name}`, ...more]),
    ).toContain("the context context is not what the image was built from: x has changed");
  }
  // Of each its own, and of what both have the same.
  expect([...recorded]).toHaveLength(3);
  expect([...recorded].join()).not.toContain("none");
});

test("a replay is tagged and pushed, or loaded; its network is that of the build, or less", async () => {
  const image = place.image("network");
  const url = await place.serve("network", {
    Dockerfile: "FROM busybox\nRUN ls /sys/class/net > /interfaces && cat /interfaces\n",
  });
  await place.build(image, url);
  await place.prune();
  const copy = place.image("copy");
  const args = ["replay", "build", image, "--network=none", "--progress=plain", `--tag=${copy}`];
  const { stderr } = await place.succeed([...args, "--push"]);
  expect(stderr).toMatch(/ lo$/m);
  expect(stderr).not.toMatch(/ eth\d$/m);
  await place.succeed(["imagetools", "inspect", copy]);
  await place.succeed([...args, "--load"]);
  expect(await place.work.engine.images.inspect(copy)).toHaveProperty("Id");
  await place.work.engine.images.remove(copy, { force: true });
  expect(await place.refused(["replay", "verify", image, "--network=host"])).toContain(
    'unsupported --network "host" (want default or none)',
  );
  const snapshot = place.work.path("provenance-only");
  await place.succeed([
    ...["replay", "snapshot", image, "--include-materials=false", "--network=none", "--output", snapshot],
  ]);
  const layout = new TestLayout(snapshot);
  expect((await layout.root()).manifest.manifests).toEqual([]);
});

test("slipway verifies what buildx built, and buildx what slipway built; both plan the same", async () => {
  const url = await place.serve("both", { Dockerfile });
  const [theirs, ours] = [place.image("theirs"), place.image("ours")];
  const build = ["build", "--progress=quiet", "--provenance=mode=max", ...context];
  await place.buildx([...build, `--output=type=registry,name=${theirs}`, url]);
  await place.build(ours, url, ...context);
  await place.succeed(["replay", "verify", theirs]);
  await place.buildx(["replay", "verify", ours]);
  for (const image of [theirs, ours])
    for (const format of ["pretty", "json"]) {
      const plan = ["replay", "build", image, "--dry-run", `--format=${format}`];
      expect((await place.succeed(plan)).stdout).toBe(await place.buildx(plan));
    }
  const snapshot = place.work.path("buildx-snapshot");
  const file = place.work.path("both.tar");
  await writeFile(file, place.served.get("/both.tar") ?? "");
  const kept = ["replay", "snapshot", theirs, "--materials=provenance", `--materials=${url}=${file}`];
  await place.buildx([...kept, "--output", snapshot]);
  await place.prune();
  place.served.delete("/both.tar");
  await place.succeed(["replay", "build", theirs, `--materials=oci-layout://${snapshot}`, oci(layoutOf())]);
});

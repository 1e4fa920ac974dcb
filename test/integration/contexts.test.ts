import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BuildOptions, Builder, type Connection, connect, files, git, tar } from "../../src/index.js";
import { engineEnv } from "../support/engine-env.js";
import { gitServer, makeRepository } from "../support/git-server.js";
import { type HttpTestServer, httpServer } from "../support/http-server.js";
import { Workplace } from "../support/workplace.js";

const { registry } = engineEnv();

// An archive of a Dockerfile that copies the file `greeting`, which says "archived"; programs that write these need not be there.
const compressed = {
  bzip2:
    "QlpoOTFBWSZTWTZvT+MAAI5/hcqQAUBAAP8ADQLRYG/tnwAAAMAAAAggAJSEpTCamgaaD1Ghk8poDaagSkjSbIeqGnqGEaGmgBtSPw6dVJRo9gAYzoIiENkCkHtUkNAaxgiAoCzBaMPpWsh0aj6hESEHCGp7SlLLWbTmUtpzD7Z9o3qg4jQXjuSqMZRxm0kwVkfrpGWkwXNJVBWEyZngWB+FiODaOnIivEQP4u5IpwoSBs3p/GA=",
  xz: "/Td6WFoAAAFpIt42AgAhARwAAAAQz1jM4Cf/AJpdACIbyGbcCWThplxBwkI3RQOJbBbt0m0mJQLIxyVaryUGBS9tzAjr+z/u013JmgLGCMGcd4Atn0pOc6+/jnQKsWaIuW51yrzgiFnerqOb1rKhp29YWuVFNeU0NpCctqF9OhS6DVC6yAV6buR4IytWoGZj5FqwK1uIzf/V/LxDnHbtE/yBxD/WB/C+Bz2Eo7eL7+vmhNmWY3Zw7AAAAAB0cifcAAGyAYBQAACY19IoPjANiwIAAAAAAVla",
};

/** As zstd, uncompressed: one segment of raw blocks (RFC 8878), since not every Node can compress it. */
function zstd(content: Buffer): Buffer {
  const most = 128 << 10;
  const head = Buffer.from("28b52ffda000000000", "hex");
  head.writeUInt32LE(content.length, 5);
  const parts: Uint8Array[] = [head];
  for (let at = 0; at < content.length; at += most) {
    const block = content.subarray(at, at + most);
    const blockHead = Buffer.alloc(3);
    blockHead.writeUIntLE((block.length << 3) | (at + most >= content.length ? 1 : 0), 0, 3);
    parts.push(blockHead, block);
  }
  return Buffer.concat(parts);
}

const dockerfile = "FROM scratch\nCOPY greeting /\n";
const saying = (words: string) => `FROM scratch\nCOPY <<EOF /greeting\n${words}\nEOF\n`;

let place: Workplace;
let builder: Builder;
let connection: Connection;
let scratch: string;
let archive: Buffer;
let web: HttpTestServer;
let repositories: HttpTestServer;
let commit: string;
const documents = new Map<string, Buffer | string>();

beforeAll(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), "slipway-contexts-"));
  place = await Workplace.open("contexts");
  const name = await place.builder("main", "--driver-opt", "network=host");
  builder = await Builder.open({ name, env: place.env });
  connection = await connect({ builder, env: place.env });
  const context = await place.context({ Dockerfile: dockerfile, greeting: "archived" });
  archive = execFileSync("tar", ["-C", context, "-cf", "-", "."]);
  web = await httpServer(({ url, headers }) => {
    if (url.startsWith("/guarded") && headers.authorization !== "Bearer s3cret") return { status: 401 };
    const body = documents.get(url);
    return body === undefined ? { status: 404, body: "nothing here" } : { body };
  });
  documents.set("/context.tar.gz", gzipSync(archive));
  documents.set("/guarded.tar.gz", gzipSync(archive));
  documents.set("/lone", "FROM scratch\nCOPY --from=busybox /bin/sh /greeting\n");
  documents.set("/Dockerfile", saying("by URL"));
  documents.set("/huge", Buffer.alloc((2 << 20) + 1, "#"));

  const repository = makeRepository(path.join(scratch, "git/app.git"));
  commit = repository.commit({ Dockerfile: dockerfile, greeting: "first" }, "first");
  repository.git("tag", "v1");
  repository.commit({ greeting: "second", "sub/Dockerfile": dockerfile, "sub/greeting": "below" }, "second");
  repository.git("checkout", "--quiet", "-b", "other");
  repository.commit({ greeting: "other" }, "third");
  repository.git("checkout", "--quiet", "main");
  repositories = await gitServer(path.join(scratch, "git"));
});

afterAll(async () => {
  await connection?.close();
  await web?.close();
  await repositories?.close();
  await place?.close();
  await rm(scratch, { recursive: true, force: true });
});

/** What the result of a build has in `/greeting`. */
async function greeting(options: BuildOptions): Promise<string> {
  const dest = await mkdtemp(path.join(scratch, "out-"));
  await connection.build({ env: place.env, outputs: [{ type: "local", dest }], ...options });
  return readFile(path.join(dest, "greeting"), "utf8");
}

/** The same by the command, with a context on its standard input. */
async function greetingOf(input: Uint8Array | string, ...args: string[]): Promise<string> {
  const dest = await mkdtemp(path.join(scratch, "out-"));
  await place.succeed(["build", "--builder", builder.name, "-o", dest, ...args], { input });
  return readFile(path.join(dest, "greeting"), "utf8");
}

/** A directory of this name, whose file says it. */
async function contextNamed(name: string): Promise<string> {
  const parent = await place.context({ [`${name}/Dockerfile`]: dockerfile, [`${name}/greeting`]: name });
  return path.join(parent, name);
}

describe("archives", () => {
  const forms: Record<string, () => Buffer> = {
    plain: () => archive,
    gzip: () => gzipSync(archive),
    zstd: () => zstd(archive),
    ...Object.fromEntries(
      Object.entries(compressed).map(([name, text]) => [name, () => Buffer.from(text, "base64")]),
    ),
  };
  test.each(Object.keys(forms))("%s: on standard input, and from memory", async (form) => {
    const bytes = (forms[form] as () => Buffer)();
    expect(await greetingOf(bytes, "-")).toBe("archived");
    expect(await greeting({ context: tar(bytes) })).toBe("archived");
  });

  test("come from streams, with a Dockerfile of another name or from outside", async () => {
    expect(await greeting({ context: tar(Readable.from([archive])) })).toBe("archived");
    expect(await greeting({ context: tar(archive), dockerfile: saying("outside") })).toBe("outside\n");
    await expect(greeting({ context: tar(archive), file: "None" })).rejects.toThrow("None");
  });

  test("one that breaks off, or is none, fails the build", async () => {
    await expect(greeting({ context: tar(gzipSync(archive).subarray(0, 60)) })).rejects.toThrow(
      /cannot be looked into for a policy/,
    );
    const broken = Readable.from(
      (async function* () {
        yield archive.subarray(0, 2000);
        throw new Error("the disk is gone");
      })(),
    );
    await expect(greeting({ context: tar(broken) })).rejects.toThrow("the disk is gone");
  });
});

describe("standard input", () => {
  test("is a lone Dockerfile, or a Dockerfile beside a context", async () => {
    expect(await greetingOf(saying("alone"), "-")).toBe("alone\n");
    const context = await place.context({ greeting: "beside" });
    expect(await greetingOf(dockerfile, "-f", "-", context)).toBe("beside");
  });

  test("cannot be both, and is told apart from -f", async () => {
    const flags = ["build", "--builder", builder.name];
    const both = await place.run([...flags, "-f", "-", "-"], { input: "" });
    expect(both).toMatchObject({ exitCode: 1, stdout: "" });
    expect(both.stderr).toContain("can't use stdin for both build context and dockerfile");
    const ambiguous = await place.run([...flags, "-f", "x", "-"], { input: dockerfile });
    expect(ambiguous.exitCode).toBe(1);
    expect(ambiguous.stderr).toContain("ambiguous Dockerfile source");
  });
});

describe("git", () => {
  const url = () => `${repositories.origin}/app.git`;

  test("by branch, tag, commit and directory, in fragments", async () => {
    expect(await greeting({ context: url() })).toBe("second");
    expect(await greeting({ context: `${url()}#other` })).toBe("other");
    expect(await greeting({ context: `${url()}#v1` })).toBe("first");
    expect(await greeting({ context: `${url()}#${commit}` })).toBe("first");
    expect(await greeting({ context: git(url(), { ref: "main", subdir: "sub" }) })).toBe("below");
  });

  test("and in queries", async () => {
    expect(await greeting({ context: `${url()}?branch=other` })).toBe("other");
    expect(await greeting({ context: `${url()}?tag=v1&checksum=${commit}` })).toBe("first");
    expect(await greeting({ context: `${url()}?ref=main&subdir=sub` })).toBe("below");
  });

  test("and in queries that the frontend need not know", async () => {
    const asInput = (options: Parameters<typeof greeting>[0]) =>
      greeting({ ...options, env: { ...place.env, BUILDX_SEND_GIT_QUERY_AS_INPUT: "1" } });
    expect(await asInput({ context: `${url()}?branch=other` })).toBe("other");
    expect(await asInput({ context: `${url()}?ref=main&subdir=sub` })).toBe("below");
    const fromHere = "FROM scratch\nCOPY --from=repo /greeting /\nCOPY --from=plain /greeting /two\n";
    const buildContexts = { repo: `${url()}?tag=v1&checksum=${commit}`, plain: `${url()}#other` };
    expect(await asInput({ context: `${url()}?subdir=sub`, dockerfile: fromHere, buildContexts })).toBe(
      "first",
    );
    await expect(asInput({ context: `${url()}?tag=v1&checksum=${"0".repeat(40)}` })).rejects.toThrow(
      /checksum/,
    );
    await expect(asInput({ context: `${url()}?bogus=1` })).rejects.toThrow('unexpected query "bogus"');
  });

  test("as a named context, and with a Dockerfile from here", async () => {
    const named = { context: files({ Dockerfile: "FROM scratch\nCOPY --from=repo /greeting /\n" }) };
    expect(await greeting({ ...named, buildContexts: { repo: `${url()}#v1` } })).toBe("first");
    expect(await greeting({ ...named, buildContexts: { repo: `${url()}?branch=other` } })).toBe("other");
    const fromHere = "FROM scratch\nCOPY sub/greeting /\n";
    expect(await greeting({ context: url(), dockerfile: fromHere })).toBe("below");
  });

  test("what is not there is told by name", async () => {
    await expect(greeting({ context: `${url()}#none` })).rejects.toThrow(/none/);
    await expect(greeting({ context: `${url()}#main:none` })).rejects.toThrow(/none/);
    await expect(greeting({ context: `${url()}?bogus=1` })).rejects.toThrow(/bogus/);
    await expect(greeting({ context: `${url()}?tag=v1&checksum=${"0".repeat(40)}` })).rejects.toThrow(
      /checksum/,
    );
    await expect(greeting({ context: `${repositories.origin}/gone.git` })).rejects.toThrow(/gone\.git/);
    await expect(greeting({ context: "http://127.0.0.1:1/app.git" })).rejects.toThrow(/127\.0\.0\.1:1/);
  });

  test("tokens and headers for it are secrets, and go to that host only", async () => {
    const wanted = `basic ${Buffer.from("x-access-token:s3cret").toString("base64")}`;
    await using guarded = await gitServer(path.join(scratch, "git"), {
      authorize: (header) => header?.toLowerCase() === wanted.toLowerCase() || header === "Bearer s3cret",
    });
    const context = `${guarded.origin}/app.git#v1`;
    expect(await greeting({ context, secrets: { GIT_AUTH_TOKEN: "s3cret" } })).toBe("first");
    const host = `GIT_AUTH_HEADER.${guarded.host}`;
    expect(await greeting({ context, secrets: { [host]: "Bearer s3cret" }, noCache: true })).toBe("first");
    await expect(greeting({ context: `${guarded.origin}/app.git#other` })).rejects.toThrow(/auth|username/i);
    await expect(
      greeting({ context: `${guarded.origin}/app.git#main`, secrets: { GIT_AUTH_TOKEN: "wrong-one" } }),
    ).rejects.toThrow(/^(?!.*wrong-one)/);
  });
});

describe("http", () => {
  test("an archive, and a lone Dockerfile", async () => {
    expect(await greeting({ context: `${web.origin}/context.tar.gz` })).toBe("archived");
    expect((await greeting({ context: `${web.origin}/lone` })).length).toBeGreaterThan(1000);
    // A named one is not unpacked: it is the file `context` (BK frontend/dockerui/namedcontext.go).
    const named = { context: files({ Dockerfile: "FROM scratch\nCOPY --from=a /context /greeting\n" }) };
    expect(await greeting({ ...named, buildContexts: { a: `${web.origin}/Dockerfile` } })).toContain(
      "by URL",
    );
  });

  test("what is not there, and a host that does not answer", async () => {
    await expect(greeting({ context: `${web.origin}/none.tar` })).rejects.toThrow(/404/);
    await expect(greeting({ context: "http://127.0.0.1:1/a.tar" })).rejects.toThrow(/refused/);
  });

  test("a token for it is a secret", async () => {
    const context = `${web.origin}/guarded.tar.gz`;
    await expect(greeting({ context })).rejects.toThrow(/401/);
    const secrets = { "HTTP_AUTH_TOKEN_127.0.0.1": "s3cret" };
    expect(await greeting({ context, secrets })).toBe("archived");
  });

  test("a Dockerfile by URL, over any context", async () => {
    const file = `${web.origin}/Dockerfile`;
    const context = await place.context({ greeting: "here" });
    expect(await greeting({ context, file })).toBe("by URL\n");
    expect(await greeting({ context: `${repositories.origin}/app.git`, file })).toBe("by URL\n");
    expect(await greeting({ context: files({}), file })).toBe("by URL\n");
    const { stderr } = await place.succeed([
      "build",
      "--builder",
      builder.name,
      "--progress",
      "plain",
      "-o",
      "type=cacheonly",
      "-f",
      file,
      context,
    ]);
    expect(stderr).toContain(`[internal] load ${file}`);
  });

  test("a Dockerfile by URL that is not there, too large, or wrong", async () => {
    const context = files({});
    const none = `${web.origin}/none`;
    await expect(greeting({ context, file: none })).rejects.toThrow(/none.*404/s);
    await expect(greeting({ context, file: `${web.origin}/huge` })).rejects.toThrow(
      `Dockerfile ${web.origin}/huge bigger than allowed max size (2MB)`,
    );
    const failed = await place.run(["build", "--builder", builder.name, "-f", none, place.dir]);
    expect(failed.exitCode).toBe(1);
    expect(failed.stderr).toContain("404");
  });
});

describe("directories", () => {
  test("<Dockerfile>.dockerignore goes before .dockerignore", async () => {
    const tree = {
      "a.Dockerfile": "FROM scratch\nCOPY . /\n",
      "a.Dockerfile.dockerignore": "skipped\n",
      ".dockerignore": "greeting\n",
      greeting: "kept",
      skipped: "",
    };
    const context = await place.context(tree);
    for (const build of [
      { context, file: path.join(context, "a.Dockerfile") },
      { context: files(tree), file: "a.Dockerfile" },
    ]) {
      const dest = await mkdtemp(path.join(scratch, "out-"));
      await connection.build({ ...build, outputs: [{ type: "local", dest }] });
      expect((await readdir(dest)).sort()).toEqual([
        ".dockerignore",
        "a.Dockerfile",
        "a.Dockerfile.dockerignore",
        "greeting",
      ]);
    }
  });

  test("as named contexts, also named like the main one and like an image", async () => {
    const other = await place.context({ greeting: "named", ".dockerignore": "skipped\n", skipped: "" });
    const copy = (from: string) => files({ Dockerfile: `FROM scratch\nCOPY --from=${from} . /\n` });
    expect(await greeting({ context: copy("other"), buildContexts: { other } })).toBe("named");
    expect(await greeting({ context: copy("busybox"), buildContexts: { busybox: other } })).toBe("named");
    expect(await greeting({ context: copy("context"), buildContexts: { context: other } })).toBe("named");
    const memory = files({ greeting: "from memory" });
    expect(await greeting({ context: copy("other"), buildContexts: { other: memory } })).toBe("from memory");
  });

  test("a path that is not there, or no directory", async () => {
    const context = await place.context({ Dockerfile: "FROM scratch\n" });
    const file = path.join(context, "Dockerfile");
    const build = (args: string[]) => place.run(["build", "--builder", builder.name, ...args]);
    for (const [args, message] of [
      [["none"], 'unable to prepare context: path "none" not found'],
      [["--build-context", `x=${file}`, context], "failed to get build context x"],
      [["--build-context", "x=none", context], "failed to get build context x"],
      [["--build-context", "x", context], "expected key=value"],
      [["-f", "none", context], "failed to read dockerfile: open"],
    ] as const) {
      const { exitCode, stderr } = await build([...args]);
      expect({ exitCode, stderr }).toEqual({
        exitCode: 1,
        stderr: expect.stringContaining(message) as string,
      });
    }
  });
});

describe("images", () => {
  test("docker-image:// by tag and by digest; scratch is empty", async () => {
    const context = files({ Dockerfile: "FROM base\nRUN echo hi > /greeting\n" });
    const build = (base: string) => greeting({ context, buildContexts: { base } });
    expect(await build("docker-image://busybox")).toBe("hi\n");
    const name = `${registry}/contexts/image`;
    const { digest } = await connection.build({
      context: files({ Dockerfile: "FROM busybox\nENV A=1\n" }),
      tags: [`${name}:1`],
      push: true,
    });
    expect(await build(`docker-image://${name}:1`)).toBe("hi\n");
    expect(await build(`docker-image://${name}@${digest}`)).toBe("hi\n");
    await expect(build(`docker-image://${name}:none`)).rejects.toThrow(/image:none/);
    await expect(build("docker-image://127.0.0.1:1/x")).rejects.toThrow(/127\.0\.0\.1:1/);
    const empty = files({ Dockerfile: "FROM base\nCOPY greeting /\n", greeting: "x" });
    expect(await greeting({ context: empty, buildContexts: { base: "docker-image://scratch" } })).toBe("x");
  });

  test("oci-layout:// of several platforms gives each its own", async () => {
    const layout = path.join(scratch, "layout");
    await connection.build({
      context: files({
        Dockerfile: "FROM busybox\nARG TARGETARCH\nCOPY $TARGETARCH /greeting\n",
        amd64: "a",
        arm64: "b",
      }),
      platforms: ["linux/amd64", "linux/arm64"],
      outputs: [{ type: "oci", dest: layout, attrs: { tar: "false" } }],
    });
    const context = files({ Dockerfile: "FROM scratch\nCOPY --from=base /greeting /\n" });
    const build = (platform: string) =>
      greeting({ context, platforms: [platform], buildContexts: { base: `oci-layout://${layout}` } });
    expect(await build("linux/amd64")).toBe("a");
    expect(await build("linux/arm64")).toBe("b");
    await expect(build("linux/s390x")).rejects.toThrow(/linux\/s390x|no match for platform/);
  });

  test("target: is for bakes", async () => {
    const context = files({ Dockerfile: "FROM scratch\nCOPY --from=base /greeting /\n" });
    await expect(greeting({ context, buildContexts: { base: "target:other" } })).rejects.toThrow(/target/);
  });
});

test("the oldest BuildKit: what it cannot do is told, not left out", async () => {
  const image = "image=moby/buildkit:v0.12.5";
  const name = await place.builder("old", "--driver-opt", "network=host", "--driver-opt", image);
  const old = await connect({ builder: await Builder.open({ name, env: place.env }), env: place.env });
  try {
    const query = `${repositories.origin}/app.git?branch=main`;
    await expect(old.build({ context: query, outputs: [{ type: "cacheonly" }] })).rejects.toThrow(
      "current frontend does not support Git URLs with query string components",
    );
    const asInput = { ...place.env, BUILDX_SEND_GIT_QUERY_AS_INPUT: "1" };
    await old.build({ context: `${query}&subdir=sub`, outputs: [{ type: "cacheonly" }], env: asInput });
    const dest = path.join(await mkdtemp(path.join(scratch, "old-")), "out");
    const context = files({ Dockerfile: dockerfile, greeting: "old" });
    const outputs = [
      { type: "local", dest },
      { type: "tar", dest: `${dest}.tar` },
    ] as const;
    await expect(old.build({ context, outputs })).rejects.toThrow("multiple outputs currently unsupported");
    expect(await readdir(path.dirname(dest))).toEqual([]);
    await old.build({ context, outputs: [outputs[0]] });
    expect(await readFile(path.join(dest, "greeting"), "utf8")).toBe("old");
    const outs = [{ type: "cacheonly" }] as const;
    const archived = await old.build({ context: tar(archive), outputs: outs });
    expect(archived.warnings).toEqual([]);
    const zstdError = "does not unpack contexts that are compressed with zstd";
    const packed = zstd(archive);
    await expect(old.build({ context: tar(packed), outputs: outs })).rejects.toThrow(zstdError);
    const stream = Readable.from([packed.subarray(0, 3), packed.subarray(3)]);
    await expect(old.build({ context: tar(stream), outputs: outs })).rejects.toThrow(zstdError);
    const refused = await place.run(["build", "--builder", name, "-"], { input: packed });
    expect(refused).toMatchObject({ exitCode: 1, stdout: "" });
    expect(refused.stderr).toContain(zstdError);
    for (const type of ["local", "tar"] as const) {
      const partial = [{ type, dest: `${dest}-${type}`, attrs: { src: "/greeting" } }] as const;
      await expect(old.build({ context, outputs: partial })).rejects.toThrow(
        `src=/greeting of the ${type} exporter is not known`,
      );
    }
    expect((await readdir(path.dirname(dest))).sort()).toEqual(["out"]);
    // It is asked for a policy in what it fetches, too. In folders: for a whole repository it would need more of git than
    // the testbed's image has.
    const repository = makeRepository(path.join(scratch, "git/old-policy.git"));
    const dockerfiles = { "a/Dockerfile": saying("a"), "b/Dockerfile": saying("b") };
    repository.commit({ ...dockerfiles, "a/Dockerfile.rego": "package docker" }, "policy");
    const url = `${repositories.origin}/old-policy.git#main`;
    await expect(old.build({ context: `${url}:a`, outputs: outs })).rejects.toThrow(
      /Dockerfile\.rego.*not supported/,
    );
    await old.build({ context: `${url}:b`, outputs: outs });
    // Its context's name goes as it can.
    await old.build({ context: await contextNamed("größe"), outputs: outs });
  } finally {
    await old.close();
  }
});

test("directories of any name are contexts, and are known again", async () => {
  for (const name of ["größe", "проект", "名前", "ta\tb", " blank", "+%2B", "a\u{7f}"]) {
    const context = await contextNamed(name);
    expect(await greeting({ context })).toBe(name);
    expect(await greeting({ context, buildContexts: { other: context } })).toBe(name);
  }
});

describe("rego policies", () => {
  test("beside a Dockerfile are refused, not skipped", async () => {
    const context = await place.context({
      Dockerfile: dockerfile,
      greeting: "x",
      "Dockerfile.rego": "package docker",
    });
    await expect(greeting({ context })).rejects.toThrow(/Dockerfile\.rego.*rego policies are not supported/);
    expect(await greeting({ context, policies: ["disabled=true"] })).toBe("x");
    const { exitCode, stderr } = await place.run([
      "build",
      "--builder",
      builder.name,
      "--policy",
      "filename=x.rego",
      context,
    ]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("rego policies are not supported");
  });

  test("inside of a repository are refused as well, wherever the Dockerfile lies", async () => {
    const repository = makeRepository(path.join(scratch, "git/policies.git"));
    const rego = "package docker";
    const files = { Dockerfile: saying("a"), "Dockerfile.rego": rego, "other/x[1].Dockerfile": saying("b") };
    repository.commit({ ...files, "sub/Dockerfile": saying("c"), "sub/Dockerfile.rego": rego }, "policies");
    const url = `${repositories.origin}/policies.git`;
    const refusal = /Dockerfile\.rego in the context http.*policies\.git.*rego policies are not supported/;
    await expect(greeting({ context: url })).rejects.toThrow(refusal);
    await expect(greeting({ context: `${url}#main:sub` })).rejects.toThrow(refusal);
    const query = { context: `${url}?branch=main&subdir=sub` };
    await expect(greeting(query)).rejects.toThrow(refusal);
    const env = { ...place.env, BUILDX_SEND_GIT_QUERY_AS_INPUT: "1" };
    await expect(greeting({ ...query, env })).rejects.toThrow(refusal);
    await expect(greeting({ context: url, file: "./sub/Dockerfile" })).rejects.toThrow(refusal);
    expect(await greeting({ context: url, file: "other/x[1].Dockerfile" })).toBe("b\n");
    expect(await greeting({ context: url, policies: ["disabled=true"] })).toBe("a\n");
    await expect(greeting({ context: url, file: "none/Dockerfile" })).rejects.toThrow(/none/);
  });

  test("inside of an archive at a URL are refused as well", async () => {
    const context = await place.context({ Dockerfile: saying("x"), "Dockerfile.rego": "package docker" });
    documents.set("/policy.tar.gz", gzipSync(execFileSync("tar", ["-C", context, "-cf", "-", "."])));
    const url = `${web.origin}/policy.tar.gz`;
    await expect(greeting({ context: url })).rejects.toThrow(/Dockerfile\.rego.*not supported/);
    expect(await greeting({ context: url, policies: ["disabled=true"] })).toBe("x\n");
  });

  // The same archive of a Dockerfile and its policy.
  const packed = {
    bzip2:
      "QlpoOTFBWSZTWa20EdMAAJ1/kMqQgEBAAW+ABQKxAG/s3gAEAEAIIACSCUVGmxCaNA0aHpBk3ooJJUzEmmj1DTRpk0xBkZpmHzzvHjjawANBIBRc44jBypyOA8mEIYF6lkSorak3QEI8WwKhgIsDkdBuxMRrJHiuvnPzF0VRtIl6/MUl1kyueiju/5hQkPkw8NocqiqDajEib5kA4EJnQRA/i7kinChIVtoI6YA=",
    xz: "/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4Cf/AJRdACIbyGbcCWThplxBwkI3RQOJbBbt0m0mJMealyVarymHbCWfaH2XM9+rf3UuqloZb0c6GkxgdxhqjbD6bxqWg5ELkwLtWNoIvUPUQmbMMLXxl2tfirltt6Dm/gDxnp3xkyEDe2dGGXpaiSMlSt3r/sMA4PAexv3FZDlIBsGXOYzqXOimhmN0nu5POZgSwn1iUNlDsiAAi47VSpouZiAAAbABgFAAAJN2GmWxxGf7AgAAAAAEWVo=",
  };
  test("inside of an archive on standard input or from memory are refused as well, however it is packed", async () => {
    const context = await place.context({ Dockerfile: saying("x"), "Dockerfile.rego": "package docker" });
    const plain = execFileSync("tar", ["-C", context, "-cf", "-", "."]);
    const forms = [
      plain,
      gzipSync(plain),
      zstd(plain),
      ...Object.values(packed).map((text) => Buffer.from(text, "base64")),
    ];
    for (const bytes of forms) {
      const input = { input: bytes };
      const { exitCode, stderr } = await place.run(["build", "--builder", builder.name, "-"], input);
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(/Dockerfile\.rego.*rego policies are not supported/);
      await expect(greeting({ context: tar(bytes) })).rejects.toThrow(/Dockerfile\.rego.*not supported/);
      await expect(greeting({ context: tar(Readable.from([bytes])) })).rejects.toThrow(/Dockerfile\.rego/);
    }
    expect(await greeting({ context: tar(plain), policies: ["disabled=true"] })).toBe("x\n");
    // One that belongs to another Dockerfile is none of this build's.
    expect(await greeting({ context: tar(plain), dockerfile: saying("y") })).toBe("y\n");
  });
});

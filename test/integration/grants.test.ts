import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { create, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BuildOptions, Builder, type Connection, connect, files } from "../../src/index.js";
import { sourcepolicy } from "../../src/buildkit/index.js";
import { engineEnv } from "../support/engine-env.js";
import { twoClients } from "../support/two-clients.js";
import { Workplace } from "../support/workplace.js";

const run = promisify(execFile);
const testbed = engineEnv();

let place: Workplace;
let builder: Builder;
let connection: Connection;
let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), "slipway-grants-"));
  place = await Workplace.open("grants");
  const name = await place.builder(
    "main",
    ...["--driver-opt", "network=host"],
    ...["--buildkitd-flags", "--allow-insecure-entitlement security.insecure"],
  );
  builder = await Builder.open({ name, env: place.env });
  connection = await connect({ builder, env: place.env });
});

afterAll(async () => {
  await connection?.close();
  await place?.close();
  await rm(scratch, { recursive: true, force: true });
});

/** What a RUN step writes to `/out`. */
async function output(
  step: string,
  options: Partial<BuildOptions> = {},
  context: Record<string, string> = {},
): Promise<string> {
  const dest = await mkdtemp(path.join(scratch, "out-"));
  const Dockerfile = `FROM busybox AS b\n${step}\nFROM scratch\nCOPY --from=b /out /\n`;
  await connection.build({
    context: files({ ...context, Dockerfile }),
    outputs: [{ type: "local", dest }],
    env: place.env,
    noCache: true,
    ...options,
  });
  return readFile(path.join(dest, "out"), "latin1");
}

/** A command that is expected to fail before or in the build, with the words that it fails with. */
async function refusal(flags: readonly string[], dockerfile = "FROM scratch\n", env = {}): Promise<string> {
  const context = await place.context({ Dockerfile: dockerfile });
  const { exitCode, stdout, stderr } = await place.run(
    ["build", "--builder", builder.name, "--progress", "quiet", ...flags, context],
    { env },
  );
  expect({ flags, exitCode, stdout }).toEqual({ flags, exitCode: 1, stdout: "" });
  return stderr;
}

const needs = (...ids: string[]) =>
  `RUN ${ids.map((id) => `--mount=type=secret,id=${id},required=true`).join(" ")} cat ${ids
    .map((id) => `/run/secrets/${id}`)
    .join(" ")} > /out`;

describe("secrets", () => {
  test("in all forms of the flag", async () => {
    const file = path.join(scratch, "secret");
    await writeFile(file, "[file]");
    await writeFile(place.path("bare"), "[bare file]");
    const ids = ["a", "b", "c", "d", "e", "FROM_ENV", "bare"];
    const context = await place.context({
      Dockerfile: `FROM busybox AS b\n${needs(...ids)}\nFROM scratch\nCOPY --from=b /out /\n`,
    });
    const secrets = [
      `id=a,src=${file}`,
      `type=file,id=b,source=${file}`,
      "id=c,env=VARIABLE",
      "type=env,id=d,env=VARIABLE",
      "type=env,id=e,src=VARIABLE",
      "id=FROM_ENV",
      "id=bare",
    ];
    await place.succeed(
      [
        ...["build", "--builder", builder.name, "-o", "out", context],
        ...secrets.flatMap((secret) => ["--secret", secret]),
      ],
      { env: { VARIABLE: "[env]", FROM_ENV: "[by id]" } },
    );
    expect(await readFile(place.path("out/out"), "utf8")).toBe(
      "[file][file][env][env][env][by id][bare file]",
    );
  });

  test("of the library: text, bytes, a function; byte for byte", async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    const secrets = { a: "text", b: bytes, c: () => Promise.resolve("made") };
    expect(await output(needs("a", "b", "c"), { secrets })).toBe(
      `text${Buffer.from(bytes).toString("latin1")}made`,
    );
    const large = Buffer.alloc(500 * 1024, "x");
    expect((await output(needs("a"), { secrets: { a: large } })).length).toBe(large.length);
    await expect(output(needs("a"), { secrets: { a: Buffer.alloc(500 * 1024 + 1) } })).rejects.toThrow(
      /512001|too large|size/,
    );
  });

  test("what is wrong with one is told before the build; one that is required, by the step", async () => {
    for (const [secret, message] of [
      ["id=a,src=/none/secret", "failed to stat /none/secret"],
      ["id=none-of-both", "failed to stat none-of-both"],
      ["src=/etc/passwd", "secret missing ID"],
      ["id=a,type=bogus", 'unsupported secret type "bogus"'],
      ["id=a,bogus=1", "unexpected key 'bogus'"],
      ["id", "invalid field 'id' must be a key=value pair"],
    ] as const)
      expect(await refusal(["--secret", secret])).toContain(message);
    expect(await refusal([], `FROM busybox\n${needs("token")}\n`)).toContain("secret token: not found");
  });
});

describe("ssh", () => {
  let agent: { socket: string; stop(): void };
  let keys: { ed25519: string; rsa: string; locked: string };

  beforeAll(async () => {
    const generate = async (type: string, phrase = "") => {
      const file = path.join(scratch, `key-${type}${phrase}`);
      await run("ssh-keygen", ["-q", "-t", type, "-N", phrase, "-C", `${type}@test`, "-f", file]);
      return file;
    };
    keys = {
      ed25519: await generate("ed25519"),
      rsa: await generate("rsa"),
      locked: await generate("ed25519", "phrase"),
    };
    const socket = path.join(scratch, "agent");
    const child = spawn("ssh-agent", ["-D", "-a", socket], { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    agent = { socket, stop: () => child.kill() };
    await run("ssh-add", ["-q", keys.ed25519], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
  });

  afterAll(() => agent?.stop());

  /** A context with OpenSSH's own programs, and the libraries that they have here. */
  async function programs(dockerfile: string): Promise<string> {
    const context = await place.context({ Dockerfile: dockerfile });
    for (const program of ["/usr/bin/ssh-add", "/usr/bin/ssh-keygen"])
      for (const file of [program, ...(await librariesOf(program))])
        await cp(file, path.join(context, "root", file), { dereference: true, recursive: true });
    return context;
  }

  /** Runs them in a step. */
  async function withPrograms(step: string, ssh: readonly string[], env = {}): Promise<string> {
    const context = await programs(
      `FROM busybox AS b\nCOPY root /\n${step}\nFROM scratch\nCOPY --from=b /out /\n`,
    );
    const dest = await mkdtemp(path.join(scratch, "out-"));
    await connection.build({
      context,
      ssh,
      env: { ...place.env, ...env },
      outputs: [{ type: "local", dest }],
      noCacheFilter: ["b"],
    });
    return readFile(path.join(dest, "out"), "utf8");
  }

  async function librariesOf(program: string): Promise<string[]> {
    const { stdout } = await run("ldd", [program]);
    return [...stdout.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, file]) => file ?? "");
  }

  test("an agent lists and signs, and is told nothing else", async () => {
    const step = [
      "RUN --mount=type=ssh ssh-add -L > /out",
      "echo root:x:0:0:root:/:/bin/sh > /etc/passwd; cp /out /key.pub; echo signed > /text",
      "ssh-keygen -q -Y sign -f /key.pub -n file /text && cat /text.sig >> /out",
      "for word in -D -x; do ssh-add $word </dev/null >> /out 2>&1 && echo DONE $word >> /out; done; true",
    ].join(" && ");
    const text = await withPrograms(step, ["default"], { SSH_AUTH_SOCK: agent.socket });
    const publicKey = (await readFile(`${keys.ed25519}.pub`, "utf8")).trim();
    expect(text).toContain(publicKey);
    expect(text).toContain("BEGIN SSH SIGNATURE");
    expect(text).not.toContain("DONE");
    const { stdout } = await run("ssh-add", ["-L"], { env: { ...process.env, SSH_AUTH_SOCK: agent.socket } });
    expect(stdout).toContain(publicKey);
    // The signature holds: OpenSSH says so.
    const signature = path.join(scratch, "text.sig");
    await writeFile(signature, text.slice(text.indexOf("-----BEGIN"), text.indexOf("-----END") + 60));
    await writeFile(path.join(scratch, "signers"), `me ${publicKey}\n`);
    const verify = spawn("ssh-keygen", [
      "-Y",
      "verify",
      "-f",
      path.join(scratch, "signers"),
      "-I",
      "me",
      "-n",
      "file",
      "-s",
      signature,
    ]);
    verify.stdin.end("signed\n");
    expect((await once(verify, "close"))[0]).toBe(0);
  });

  test("commands in a result have the build's agents and secrets by mounts, and no others", async () => {
    const context = await programs("FROM busybox\nCOPY root /\n");
    const options = { context, ssh: [`deploy=${keys.ed25519}`], secrets: { a: "s3cret" }, env: place.env };
    await using opened = await connection.openResult(options);
    const agent = { type: "ssh", target: "/agent", id: "deploy", mode: 0o620 } as const;
    const secret = { type: "secret", target: "/secret", id: "a", mode: 0o440 } as const;
    const script = "ssh-add -L; cat /secret; stat -c ' %a %F' /agent /secret";
    const told = await opened.exec(["sh", "-c", script], {
      env: { SSH_AUTH_SOCK: "/agent" },
      mounts: [agent, secret],
    });
    // Neither where the key lies nor what its owner calls it.
    const publicKey = (await readFile(`${keys.ed25519}.pub`, "utf8")).split(" ", 2).join(" ");
    expect(told.stdout.toString()).toBe(`${publicKey} \ns3cret 620 socket\n 440 regular file\n`);
    for (const mount of [
      { ...agent, id: "other" },
      { ...secret, id: "b" },
    ]) {
      const missing = opened.exec(["true"], { mounts: [mount] });
      await expect(missing).rejects.toMatchObject({ code: "RESULT_EXEC" });
      const { exitCode } = await opened.exec(["true"], { mounts: [{ ...mount, optional: true }] });
      expect(exitCode).toBe(0);
    }
    await using without = await connection.openResult({ ...options, ssh: [], secrets: {} });
    for (const mount of [agent, secret])
      await expect(without.exec(["true"], { mounts: [mount] })).rejects.toMatchObject({
        code: "RESULT_EXEC",
      });
  });

  test("keys of files, and agents by id", async () => {
    const text = await withPrograms("RUN --mount=type=ssh,id=two ssh-add -L > /out", [
      `two=${keys.ed25519},${keys.rsa}`,
      `one=${agent.socket}`,
    ]);
    for (const key of [keys.ed25519, keys.rsa]) {
      const [type, blob] = (await readFile(`${key}.pub`, "utf8")).split(" ");
      expect(text).toContain(`${type} ${blob}`);
    }
  });

  test("what cannot be an agent is told before the build; one that is missing, by the step", async () => {
    const env = { SSH_AUTH_SOCK: "" };
    for (const [spec, message] of [
      ["default", "invalid empty ssh agent socket"],
      ["id=/none/key", "/none/key"],
      [`id=${keys.locked}`, keys.locked],
      [`id=${keys.ed25519}.pub`, `${keys.ed25519}.pub`],
      [`id=${agent.socket},${keys.rsa}`, "only one ssh agent socket, or key files"],
    ] as const)
      expect(await refusal(["--ssh", spec], "FROM scratch\n", env)).toContain(message);
    const twice = await refusal(["--ssh", `a=${keys.rsa}`, "--ssh", `a=${keys.rsa}`], "FROM scratch\n", env);
    expect(twice).toContain("duplicate");
    const step = "FROM busybox\nRUN --mount=type=ssh,required=true true\n";
    expect(await refusal([], step, env)).toMatch(/ssh/i);
  });
});

describe("limits and names of steps", () => {
  test("ulimits, shared memory, hosts and resources are what the step gets", async () => {
    const step = [
      "RUN ulimit -n > /out",
      "df -k /dev/shm | tail -n 1 | awk '{ print $2 }' >> /out",
      "grep -w there /etc/hosts >> /out",
      "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null >> /out; true",
    ].join(" && ");
    const text = await output(step, {
      ulimits: ["nofile=100:200"],
      shmSize: 32 << 20,
      addHosts: ["there:1.2.3.4"],
      resources: ["memory=128m"],
    });
    expect(text).toBe("100\n32768\n1.2.3.4\tthere\n134217728\n");
  });

  test("wrong ones are told by name", async () => {
    for (const [flags, message] of [
      [["--ulimit", "bogus=1"], "invalid ulimit type: bogus"],
      [["--ulimit", "nofile=2:1"], "ulimit soft limit must be less than or equal to hard limit"],
      [["--shm-size", "lots"], "lots"],
      [["--add-host", "x"], "invalid"],
      [["--add-host", "x:host-gateway"], "host-gateway"],
      [["--resource", "bogus=1"], 'unknown resource "bogus"'],
      [["--resource", "memory=lots"], "lots"],
      [["--network", "none-such"], 'network mode "none-such" not supported by buildkit'],
    ] as const)
      expect(await refusal(flags)).toContain(message);
  });
});

describe("entitlements", () => {
  const insecure = "RUN --security=insecure echo let > /out";

  test("security.insecure and network.host, when allowed", async () => {
    expect(await output(insecure, { allow: ["security.insecure"] })).toBe("let\n");
    expect(await output("RUN --network=host echo let > /out", { allow: ["network.host"] })).toBe("let\n");
    expect(await output("RUN echo let > /out", { network: "host" })).toBe("let\n");
  });

  test("not when they are not, and not when they are unknown", async () => {
    const dockerfile = `FROM busybox\n${insecure}\n`;
    expect(await refusal([], dockerfile)).toContain("security.insecure is not allowed");
    const host = "FROM busybox\nRUN --network=host true\n";
    expect(await refusal([], host)).toContain("network.host is not allowed");
    expect(await refusal(["--allow", "bogus"])).toContain("unknown entitlement bogus");
    const plain = await place.builder("plain", "--driver-opt", "network=host");
    const context = await place.context({ Dockerfile: dockerfile });
    const flags = ["build", "--builder", plain, "--allow", "security.insecure", context];
    const { exitCode, stderr } = await place.run(flags);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("granting entitlement security.insecure is not allowed");
  });
});

describe("EXPERIMENTAL_BUILDKIT_SOURCE_POLICY", () => {
  const step = "RUN echo built > /out";
  const policy = async (content: string | Uint8Array) => {
    const file = path.join(await mkdtemp(path.join(scratch, "policy-")), "policy");
    await writeFile(file, content);
    return { env: { ...place.env, EXPERIMENTAL_BUILDKIT_SOURCE_POLICY: file } };
  };
  const busybox = "docker-image://docker.io/library/busybox:latest";
  const rule = (action: string, more: object = {}) =>
    JSON.stringify({ rules: [{ action, selector: { identifier: busybox }, ...more }] });

  test("denies and replaces sources, in both of its forms", async () => {
    await expect(output(step, await policy(rule("DENY")))).rejects.toThrow(/busybox.*denied|denied.*policy/i);
    const converted = rule("CONVERT", { updates: { identifier: "docker-image://docker.io/library/none:1" } });
    await expect(output(step, await policy(converted))).rejects.toThrow("library/none:1");
    expect(await output(step, await policy(rule("ALLOW")))).toBe("built\n");
    const message = create(sourcepolicy.PolicySchema, {
      rules: [{ action: sourcepolicy.PolicyAction.DENY, selector: { identifier: busybox } }],
    });
    const binary = await policy(toBinary(sourcepolicy.PolicySchema, message));
    await expect(output(step, binary)).rejects.toThrow(/denied/i);
  });

  test("one that is not there, or is none, is told by name", async () => {
    const at = (file: string) => ({ EXPERIMENTAL_BUILDKIT_SOURCE_POLICY: file });
    expect(await refusal([], "FROM scratch\n", at("/none/policy.json"))).toContain("/none/policy.json");
    const { env } = await policy("{ rules: ");
    expect(await refusal([], "FROM scratch\n", env)).toContain(env["EXPERIMENTAL_BUILDKIT_SOURCE_POLICY"]);
  });
});

test.skipIf(!testbed.buildx)("the store remembers of a build what buildx does", async () => {
  const { slipway, buildx } = twoClients(testbed.buildx ?? "", place.env as Record<string, string>);
  const context = await place.context({ Dockerfile: "FROM scratch\nCOPY Dockerfile /\n" });
  const refs = place.path("buildx/refs", builder.name, `${builder.name}0`);
  const remembered = async (client: typeof slipway, args: readonly string[], input?: string) => {
    await rm(refs, { recursive: true, force: true });
    const flags = ["build", "--builder", builder.name, "-o", "type=cacheonly"];
    await client.run([...flags, ...args], { cwd: context, ...(input !== undefined && { input }) });
    const names = await readdir(refs);
    return Promise.all(names.map((name) => readFile(path.join(refs, name), "utf8")));
  };
  const dockerfile = "FROM scratch\n";
  const cases: [args: string[], input?: string][] = [
    [["."]],
    [[context]],
    [["-f", "Dockerfile", "."]],
    [["-f", "-", "."], dockerfile],
    [["-"], dockerfile],
    [["http://127.0.0.1:1/a.tar"]],
    [["-f", "sub/Dockerfile", "http://127.0.0.1:1/a.git"]],
  ];
  for (const [args, input] of cases) {
    const policy = args.at(-1)?.startsWith("http") ? ["--policy", "disabled=true"] : [];
    const expected = await remembered(buildx, [...policy, ...args], input);
    expect(expected).toHaveLength(1);
    expect(await remembered(slipway, [...policy, ...args], input)).toEqual(expected);
  }
});

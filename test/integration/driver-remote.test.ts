import { execFile } from "node:child_process";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { build, connect, files } from "../../src/index.js";
import { testCertificates } from "../support/certificates.js";
import { engineEnv } from "../support/engine-env.js";
import { SshServer, freePort } from "../support/ssh-server.js";
import { Workplace, eventually } from "../support/workplace.js";

const { buildx, buildkitd, registry } = engineEnv();
const { obstacle } = SshServer;
if (obstacle !== undefined) console.warn(`daemons over ssh are not tested: ${obstacle}`);

/** A daemon that somebody else runs, as a container: on a socket, and on a port with TLS on both sides. */
describe("daemons that somebody else runs (driver remote)", () => {
  let place: Workplace;
  let daemon: string;
  let port: number;
  let ssh: SshServer | undefined;
  let env: Record<string, string | undefined>;
  const socket = () => place.path("daemon", "buildkitd.sock");
  const tls = () =>
    ["cacert=ca.pem", "cert=cert.pem", "key=key.pem"].flatMap((option) => [
      "--driver-opt",
      option.replace("=", `=${place.path("certs")}/`),
    ]);

  beforeAll(async () => {
    place = await Workplace.open("remote");
    daemon = `${place.id}-daemon`;
    port = await freePort();
    await mkdir(place.path("daemon"));
    await mkdir(place.path("certs"));
    for (const [name, text] of Object.entries(testCertificates))
      await writeFile(place.path("certs", `${name}.pem`), text);
    await writeFile(
      place.path("certs", "buildkitd.toml"),
      `[registry."docker.io"]\nmirrors = ["${registry}"]\n[registry."${registry}"]\nhttp = true\n`,
    );
    const image = "moby/buildkit:buildx-stable-1";
    await place.engine.images.pull(image);
    const bind = (Source: string, Target: string) =>
      ({ Type: "bind", Source, Target, ReadOnly: false }) as const;
    const { Id } = await place.engine.containers.create(daemon, {
      Image: image,
      Cmd: [
        "--config=/certs/buildkitd.toml",
        "--addr=unix:///run/buildkit/buildkitd.sock",
        "--addr=unix:///daemon/buildkitd.sock",
        `--addr=tcp://127.0.0.1:${port}`,
        ...["--tlscacert=/certs/ca.pem", "--tlscert=/certs/cert.pem", "--tlskey=/certs/key.pem"],
      ],
      HostConfig: {
        Privileged: true,
        NetworkMode: "host",
        Mounts: [bind(place.path("daemon"), "/daemon"), bind(place.path("certs"), "/certs")],
      },
    });
    await place.engine.containers.start(Id);
    await eventually(() => daemonAnswers(socket()));
    if (obstacle === undefined && buildkitd !== undefined) {
      process.env["PATH"] = `${path.dirname(buildkitd)}:${process.env["PATH"]}`;
      ssh = await SshServer.start();
    }
    env = { PATH: ssh?.path };
  }, 120_000);

  afterAll(async () => {
    await place.engine.containers.remove(daemon, { force: true, volumes: true });
    await place.close();
    await ssh?.close();
  });

  const dockerfile = "FROM busybox\nCOPY greeting /\nRUN cat /greeting\n";
  const app = () =>
    place.context({ Dockerfile: dockerfile, greeting: "ahoy\n", large: Buffer.alloc(3 << 20, "x") });

  /** Creates a builder, builds with an upload, exports, loads, pushes, asks, and removes the builder, which the daemon survives. */
  async function worksAllTheWay(name: string, address: string, ...flags: string[]): Promise<void> {
    const builder = `${place.id}-${name}`;
    await place.succeed(["create", "--name", builder, "--driver", "remote", ...flags, address], { env });
    const dir = await app();
    const out = path.join(await place.context({}), "out");
    const tag = `${place.id}:${name}`;
    const pushed = `${registry}/${place.id}/${name}:1`;
    const built = ["build", "--builder", builder, "--progress", "plain"];
    const { stderr } = await place.succeed([...built, "--load", "-t", tag, "-o", out, dir], { env });
    expect(stderr).toContain(`#0 building with "${builder}" instance using remote driver`);
    expect(await readFile(path.join(out, "greeting"), "utf8")).toBe("ahoy\n");
    await place.engine.images.remove(tag, { force: true });
    await place.succeed([...built, "--push", "-t", pushed, dir], { env });
    expect((await place.succeed(["ls"], { env })).stdout).toMatch(new RegExp(`${builder}0 .* running +v\\d`));
    expect((await place.succeed(["inspect", builder], { env })).stdout).toMatch(/^Status: +running$/m);
    expect((await place.succeed(["du", "--builder", builder], { env })).stdout).toContain("Total:");
    await place.succeed(["history", "ls", "--builder", builder], { env });
    await place.succeed(["stop", builder], { env });
    await place.succeed(["rm", builder], { env });
    expect((await place.engine.containers.inspect(daemon)).State.Running).toBe(true);
  }

  it("unix://", () => worksAllTheWay("unix", `unix://${socket()}`), 120_000);
  it("docker-container://", () => worksAllTheWay("container", `docker-container://${daemon}`), 120_000);
  it(
    "tcp:// with TLS on both sides",
    () => worksAllTheWay("tcp", `tcp://127.0.0.1:${port}`, ...tls()),
    120_000,
  );
  it.skipIf(obstacle !== undefined || buildkitd === undefined)(
    "ssh://",
    () => worksAllTheWay("ssh", `ssh://${ssh?.authority}${socket()}`),
    120_000,
  );

  it("the library takes the same addresses", async () => {
    const context = files({ Dockerfile: "FROM busybox\nCOPY a /\n", a: "a" });
    const { env: ours } = place;
    await build({ address: `unix://${socket()}`, context, env: ours });
    await build({ address: `docker-container://${daemon}`, context, env: ours });
    const { ca, cert, key } = testCertificates;
    await using builds = await connect({
      address: `tcp://127.0.0.1:${port}`,
      tls: { ca, cert, key },
      env: ours,
    });
    await builds.build({ context });
  });

  it("a builder that buildx made is used, and the other way round", async () => {
    const [theirs, ours] = [`${place.id}-theirs`, `${place.id}-ours`];
    const run = (args: readonly string[]) =>
      promisify(execFile)(buildx ?? "", args, { env: { ...process.env, ...place.env } });
    // buildx refuses the config that it would take for its own daemons.
    const config = place.path("buildx", "buildkitd.default.toml");
    const kept = await readFile(config);
    await writeFile(`${config}.away`, kept);
    await promisify(execFile)("mv", [config, `${config}.gone`]);
    const address = `tcp://127.0.0.1:${port}`;
    await run(["create", "--name", theirs, "--driver", "remote", ...tls(), address]);
    await promisify(execFile)("mv", [`${config}.gone`, config]);
    await place.succeed(["create", "--name", ours, "--driver", "remote", ...tls(), address]);
    const [a, b] = await Promise.all(
      [theirs, ours].map((name) => readFile(place.path("buildx", "instances", name), "utf8")),
    );
    expect(b?.replaceAll(ours, theirs)).toBe(a);
    const dir = await app();
    await place.succeed(["build", "--builder", theirs, dir]);
    await run(["build", "--builder", ours, dir]);
    for (const name of [theirs, ours]) await place.succeed(["rm", name]);
  });

  it("BUILDKIT_HOST is what create takes where nothing else is named, and several nodes are one builder", async () => {
    const builder = `${place.id}-host`;
    await place.succeed(["create", "--name", builder], { env: { BUILDKIT_HOST: `unix://${socket()}` } });
    await place.succeed(["create", "--name", builder, "--append", `docker-container://${daemon}`]);
    const { stdout } = await place.succeed(["inspect", builder]);
    expect(stdout).toMatch(/^Driver: +remote$/m);
    expect(stdout.match(/^Status: +running$/gm)).toHaveLength(2);
    await place.succeed(["build", "--builder", builder, await app()]);
    await place.succeed(["rm", builder]);
  });

  it("what cannot be is refused by name when it is created", async () => {
    const rows: [args: string[], text: string][] = [
      [[], "no remote endpoint provided"],
      [["http://127.0.0.1:1"], "unrecognized url scheme http"],
      [["tcp://127.0.0.1"], 'invalid address "tcp://127.0.0.1"'],
      [
        ["--driver-opt", "cacert=ca.pem", "tcp://127.0.0.1:1"],
        "non-absolute path 'ca.pem' provided for cacert",
      ],
      [["--driver-opt", "key=/k", "tcp://127.0.0.1:1"], "tls enabled, but missing keys cacert, cert"],
      [["--driver-opt", "memory=1g", "tcp://127.0.0.1:1"], "invalid driver option memory for remote driver"],
      [
        ["--buildkitd-flags", "--debug", "tcp://127.0.0.1:1"],
        "setting buildkit flags is not supported for remote driver",
      ],
      [["--driver-opt", "cacert=/ca", "unix:///x"], "TLS is only spoken with a tcp:// address"],
    ];
    for (const [args, text] of rows) {
      const { exitCode, stderr } = await place.run([
        "create",
        "--name",
        `${place.id}-no`,
        "--driver",
        "remote",
        ...args,
      ]);
      expect(exitCode, stderr).toBe(1);
      expect(stderr).toContain(text);
    }
    expect((await place.run(["inspect", `${place.id}-no`])).exitCode).toBe(1);
  });

  it("what waiting does not cure is told at once, with its cause", async () => {
    const address = `tcp://127.0.0.1:${port}`;
    const other = place.path("certs", "other.pem");
    await writeFile(other, testCertificates.cert);
    await chmod(other, 0o600);
    const rows: [name: string, opts: string[], text: RegExp][] = [
      [
        "ca",
        [`cacert=${other}`],
        /cannot connect to buildkitd at tcp:.*(self.signed|unable to (get|verify)|certificate)/i,
      ],
      ["missing", ["cacert=/nowhere/ca.pem"], /could not read ca certificate \/nowhere\/ca\.pem/],
      ["client", [`cacert=${place.path("certs", "ca.pem")}`], /certificate/],
      ["name", [`cacert=${place.path("certs", "ca.pem")}`, "servername=other.example"], /other\.example/],
    ];
    for (const [name, opts, text] of rows) {
      const builder = `${place.id}-${name}`;
      const flags = opts.flatMap((option) => ["--driver-opt", option]);
      await place.succeed(["create", "--name", builder, "--driver", "remote", ...flags, address]);
      const { exitCode, stderr } = await place.run(["build", "--builder", builder, await app()]);
      expect(exitCode, stderr).toBe(1);
      expect(stderr).toMatch(text);
      expect(stderr).not.toContain("waiting for connection");
      await place.succeed(["rm", builder]);
    }
  });

  it("a daemon that is not there yet is waited for; ls shows it as inactive meanwhile", async () => {
    const builder = `${place.id}-late`;
    const late = place.path("late.sock");
    await place.succeed(["create", "--name", builder, "--driver", "remote", `unix://${late}`]);
    expect((await place.succeed(["ls"])).stdout).toMatch(new RegExp(`${builder}0 .* inactive`));
    const building = place.start(["build", "--builder", builder, "--progress", "plain", await app()]);
    await building.said(/waiting for connection/);
    await promisify(execFile)("ln", ["-s", socket(), late]);
    const { exitCode, stderr } = await building.result;
    expect(exitCode, stderr).toBe(0);
    await place.succeed(["rm", builder]);
  });

  it("a daemon that is lost in the middle is told of", async () => {
    const builder = `${place.id}-lost`;
    await place.succeed(["create", "--name", builder, "--driver", "remote", `unix://${socket()}`]);
    const dir = await place.context({ Dockerfile: "FROM busybox\nRUN echo begun && sleep 454545\n" });
    const building = place.start(["build", "--builder", builder, "--progress", "plain", dir]);
    await building.said(/ begun$/m);
    await place.engine.containers.kill(daemon);
    const { exitCode, stderr } = await building.result;
    expect(exitCode, stderr).toBe(1);
    expect(stderr).toMatch(/buildkitd at unix:.* is gone/);
    await place.succeed(["rm", builder]);
  });
});

async function daemonAnswers(socket: string): Promise<boolean> {
  try {
    await using _ = await connect({ address: `unix://${socket}` });
    return true;
  } catch {
    return false;
  }
}

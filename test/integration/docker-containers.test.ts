import { mkdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type SlipwayOptions, dockerProgram } from "../support/slipway.js";
import { Workplace } from "../support/workplace.js";

let place: Workplace;
/** A container that runs while the tests do. */
let running: string;

beforeAll(async () => {
  place = await Workplace.open("docker-containers");
  await place.engine.images.pull("busybox");
  running = `${place.id}-running`;
  const args = ["run", "-d", "--name", running, "--label", `of=${place.id}`, "-e", "OUTER=1", "busybox"];
  await output([...args, "sh", "-c", "echo out; echo err >&2; exec sleep 600"]);
});
afterAll(async () => {
  const filters = { label: [`of=${place.id}`] };
  for (const { Id } of await place.engine.containers.list({ all: true, filters }))
    await place.engine.containers.remove(Id, { force: true, volumes: true });
  await place.close();
});

function run(args: readonly string[], options: SlipwayOptions = {}) {
  return place.run(args, { program: dockerProgram, ...options });
}

async function output(args: readonly string[], options: SlipwayOptions = {}): Promise<string> {
  const { stdout } = await place.succeed(args, { program: dockerProgram, ...options });
  return stdout;
}

/** A container of busybox that goes with the test. */
function inBusybox(script: string, ...flags: string[]): string[] {
  return ["run", "--rm", "--label", `of=${place.id}`, ...flags, "busybox", "sh", "-c", script];
}

describe("run", () => {
  it("gives output, input and exit code of the program", async () => {
    const script = "echo out; echo err >&2; cat; exit 7";
    const result = await run(inBusybox(script, "-i"), { input: "in\n" });
    expect(result).toMatchObject({ exitCode: 7, stdout: "out\nin\n", stderr: "err\n" });
    // Without -i there is no input; attached to one stream, the others are not heard.
    expect(await run(inBusybox(script, "-a", "STDOUT"), { input: "in\n" })).toMatchObject({
      exitCode: 7,
      stdout: "out\n",
      stderr: "",
    });
  });

  it("takes what tools give it", async () => {
    const dir = await place.context({ file: "here\n", variables: "# none\nC=3\nFROM_HERE\n" });
    const flags = [
      ...["-u", "0:0", "-v", `${dir}:/a:delegated`, "--mount", `type=bind,source=${dir},target=/b,readonly`],
      ...[
        "-w",
        "/a",
        "-e",
        "A=1",
        "-e",
        "B",
        "--env-file",
        `${dir}/variables`,
        "--entrypoint",
        "",
        "-h",
        "box",
      ],
      ...["--tmpfs", "/t", "--cap-add", "SYS_PTRACE", "--security-opt", "seccomp=unconfined", "--init"],
    ];
    const script =
      "pwd; cat /b/file; echo $A$B$C$FROM_HERE; hostname; ! touch /b/x 2>/dev/null && touch /t/x";
    const env = { B: "2", FROM_HERE: "4" };
    expect(await output(inBusybox(script, ...flags), { env })).toBe("/a\nhere\n1234\nbox\n");
  });

  it("hands large input and output on without loss", async () => {
    const input = Buffer.alloc(3 << 20, "0123456789abcdef\n");
    const { stdout } = await place.succeed(inBusybox("cat", "-i"), { program: dockerProgram, input });
    expect(stdout.length).toBe(input.length);
  });

  it("has docker's exit codes for what cannot be run", async () => {
    const missing = await run(["run", "--rm", "busybox", "/nope"]);
    expect(missing.exitCode).toBe(127);
    expect(missing.stderr).toMatch(/^docker: Error response from daemon: [^]*\/nope/);
    expect((await run(["run", "--label", `of=${place.id}`, "busybox", "/etc"])).exitCode).toBe(126);
    const refused = await run(["run", "--name", running, "busybox"]);
    expect(refused.exitCode).toBe(125);
    expect(refused.stderr).toMatch(
      /^docker: Error response from daemon: Conflict[^]*\n\nRun 'docker run --help'/,
    );
    expect((await run(["run", "--pull", "never", `${place.id}-nope`])).exitCode).toBe(125);
  });

  it("hands signals on to the program, unless told not to", async () => {
    const script = "trap 'echo got; exit 3' INT; echo begun >&2; while :; do sleep 0.1; done";
    const told = place.start(inBusybox(script), { program: dockerProgram });
    await told.said(/begun/);
    told.child.kill("SIGINT");
    expect(await told.result).toMatchObject({ exitCode: 3, stdout: "got\n" });
    const left = place.start(inBusybox(script, "--sig-proxy=false", "--name", `${place.id}-left`), {
      program: dockerProgram,
    });
    await left.said(/begun/);
    left.child.kill("SIGINT");
    expect((await left.result).exitCode).toBe(130);
    expect(await output(["inspect", "-f", "{{.State.Running}}", `${place.id}-left`])).toBe("true\n");
    expect(await output(["rm", "-f", `${place.id}-left`])).toBe(`${place.id}-left\n`);
  });
});

describe("a running container", () => {
  it("is listed and inspected", async () => {
    const filter = ["--filter", `label=of=${place.id}`, "--filter", `name=${running}`];
    const id = await output(["ps", "-q", "-a", ...filter]);
    expect(id).toMatch(/^[0-9a-f]{12}\n$/);
    expect(
      await output(["ps", "--format", '{{.ID}} {{.Names}} {{.Image}} {{.State}} {{.Label "of"}}', ...filter]),
    ).toBe(`${id.trim()} ${running} busybox running ${place.id}\n`);
    expect(await output(["ps", ...filter])).toMatch(
      /^CONTAINER ID +IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES\n/,
    );
    expect(JSON.parse(await output(["ps", "--format", "json", ...filter]))).toMatchObject({ Names: running });
    const [data] = JSON.parse(await output(["inspect", "--type", "container", running])) as [
      { Name: string },
    ];
    expect(data.Name).toBe(`/${running}`);
    expect(await output(["inspect", "-f", "{{.State.Status}} {{len .Mounts}}", running])).toBe("running 0\n");
  });

  it("runs further programs", async () => {
    const args = [
      "exec",
      "-i",
      "-u",
      "root",
      "-e",
      "K=V",
      "-w",
      "/tmp",
      running,
      "sh",
      "-c",
      "pwd; echo $K$OUTER; cat; exit 4",
    ];
    expect(await run(args, { input: "in" })).toMatchObject({ exitCode: 4, stdout: "/tmp\nV1\nin" });
    expect((await run(["exec", running, "/nope"])).exitCode).toBeOneOf([126, 127]);
    const missing = await run(["exec", `${place.id}-nope`, "true"]);
    expect(missing).toMatchObject({ exitCode: 1, stdout: "" });
    expect(missing.stderr).toMatch(/^Error response from daemon: No such container: /);
    const noTerminal = await run(["exec", "-it", running, "true"], { input: "" });
    expect(noTerminal).toMatchObject({ exitCode: 1, stderr: "the input device is not a TTY\n" });
  });

  it("gives its log", async () => {
    expect(await run(["logs", running])).toMatchObject({ exitCode: 0, stdout: "out\n", stderr: "err\n" });
    expect(await output(["logs", "-t", "--since", "1h", "--tail", "5", running])).toMatch(
      /^\d{4}-\S+Z out\n$/,
    );
  });

  it("is heard of in the events, until the command is ended", async () => {
    const since = String(Math.floor(Date.now() / 1000) - 600);
    const args = [
      "events",
      "--format",
      "{{json .}}",
      "--filter",
      "event=start",
      "--filter",
      `container=${running}`,
    ];
    const listening = place.start([...args, "--since", since], { program: dockerProgram, readStdout: false });
    const [line] = (await new Promise<Buffer>((resolve) => listening.child.stdout?.once("data", resolve)))
      .toString()
      .split("\n");
    expect(JSON.parse(line ?? "")).toMatchObject({
      Type: "container",
      Action: "start",
      Actor: { Attributes: { name: running } },
    });
    listening.child.kill("SIGTERM");
    await listening.result;
    expect(
      await output(["events", "--since", since, "--until", "0s", "--filter", `container=${running}`]),
    ).toMatch(/ container start [0-9a-f]{64} \(.*name=/);
  });
});

describe("cp", () => {
  it("copies out of a container that was never run, and into one", async () => {
    const volume = await output(["volume", "create", "--label", `of=${place.id}`]);
    const id = (
      await output(["create", "--label", `of=${place.id}`, "-v", `${volume.trim()}:/v`, "busybox"])
    ).trim();
    const dir = await place.context({ "tree/sub/file": "content\n", single: "one\n" });
    await symlink("sub/file", `${dir}/tree/link`);
    await output(["cp", `${dir}/tree`, `${id}:/tmp`]);
    await output(["cp", `${dir}/single`, `${id}:/tmp/renamed`]);
    await output(["cp", `${dir}/tree/.`, `${id}:/tmp/content`]);
    await mkdir(`${dir}/out`);
    await output(["cp", `${id}:/tmp/tree`, `${dir}/out`]);
    expect(await readFile(`${dir}/out/tree/link`, "utf8")).toBe("content\n");
    await output(["cp", `${id}:/tmp/content/.`, `${dir}/out`]);
    expect(await readFile(`${dir}/out/sub/file`, "utf8")).toBe("content\n");
    await output(["cp", `${id}:/tmp/renamed`, `${dir}/new`]);
    expect(await readFile(`${dir}/new`, "utf8")).toBe("one\n");
    await output(["cp", "-L", `${id}:/tmp/tree/link`, `${dir}/followed`]);
    expect((await stat(`${dir}/followed`)).isFile()).toBe(true);
    await writeFile(`${dir}/taken`, "");
    const refused = await run(["cp", `${id}:/tmp/tree`, `${dir}/taken`]);
    expect(refused).toMatchObject({ exitCode: 1, stderr: "cannot copy directory\n" });
    const archive = await place.succeed(["cp", `${id}:/tmp/renamed`, "-"], { program: dockerProgram });
    expect(archive.stdout).toContain("one\n");
    const nowhere = await run(["cp", `${id}:/nope`, dir]);
    expect(nowhere.exitCode).toBe(1);
    expect(await output(["rm", "-v", id])).toBe(`${id}\n`);
    await place.engine.volumes.remove(volume.trim());
  });
});

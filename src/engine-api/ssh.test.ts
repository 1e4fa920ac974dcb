import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeEngine } from "../../test/support/fake-engine.js";
import { EngineClient } from "./client.js";
import { dialSsh } from "./ssh.js";

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "ssh-"));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** A program in the place of ssh. */
async function program(script: string): Promise<string> {
  const path = join(directory, "ssh");
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

const endpoint = { kind: "ssh" as const, host: "far.example" };

async function text(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe("dialSsh", () => {
  it("is the process's stdin and stdout, with half-close", async () => {
    const command = await program('echo "$@" >"$0.args"; cat; echo done');
    const stream = await dialSsh(endpoint, { command })();
    stream.end("hello ");
    expect(await text(stream as AsyncIterable<Buffer>)).toBe("hello done\n");
    expect(await readFile(`${command}.args`, "utf8")).toBe(
      "-o ConnectTimeout=30 -T -- far.example docker system dial-stdio\n",
    );
  });

  it("a failing ssh is an error with its exit code and what it said", async () => {
    const command = await program('echo "Permission denied (publickey)." >&2; exit 255');
    const stream = await dialSsh(endpoint, { command })();
    stream.write("lost");
    await expect(text(stream as AsyncIterable<Buffer>)).rejects.toMatchObject({
      code: "ENGINE_CONNECT",
      exitCode: 255,
      stderr: "Permission denied (publickey).",
      message:
        "cannot reach the Docker daemon by ssh at far.example: ssh exited with code 255: Permission denied (publickey).",
    });
  });

  it("an absent ssh is an error of the dial", async () => {
    await expect(dialSsh(endpoint, { command: "/nowhere/ssh" })()).rejects.toMatchObject({
      code: "ENGINE_CONNECT",
    });
  });

  it("destroying it ends the process", async () => {
    const command = await program("echo $$; exec cat");
    const stream = await dialSsh(endpoint, { command })();
    const [pid] = (await once(stream, "data")) as [Buffer];
    stream.destroy();
    await once(stream, "close");
    expect(() => process.kill(Number(pid), 0)).toThrow("ESRCH");
  });

  it("an aborted signal rejects", async () => {
    const command = await program("exec cat");
    await expect(dialSsh(endpoint, { command })(AbortSignal.abort())).rejects.toMatchObject({
      code: "ABORTED",
    });
    const abort = new AbortController();
    const dialling = dialSsh(endpoint, { command })(abort.signal);
    abort.abort();
    await expect(dialling).rejects.toMatchObject({ code: "ABORTED" });
  });
});

describe("EngineClient over ssh", () => {
  const connector = (socket: string) =>
    `exec '${process.execPath}' -e 'const s=require("net").connect({path:"${socket}",allowHalfOpen:true});process.stdin.pipe(s);s.pipe(process.stdout)'`;

  it("calls, hijacks and leaves no process", async () => {
    await using fake = await FakeEngine.start();
    const command = await program(connector(fake.host.replace("unix://", "")));
    await using engine = EngineClient.open({
      host: "ssh://far.example",
      dial: dialSsh(endpoint, { command }),
    });
    fake.on("GET", "/info", (call) => call.json({ Name: "far" }));
    fake.on("POST", "/exec/e1/start", async (call) => {
      const socket = await call.hijack();
      socket.on("data", (chunk: Buffer) => {
        const head = Buffer.from([1, 0, 0, 0, 0, 0, 0, chunk.length]);
        socket.write(Buffer.concat([head, chunk]));
      });
      socket.on("end", () => socket.end());
    });
    expect((await engine.info()).Name).toBe("far");
    expect(engine.isLocalSocket).toBe(false);
    const stream = await engine.exec.start("e1");
    stream.end("echo");
    expect(await text(stream)).toBe("echo");
    await engine.close();
    await fake.idle();
  });

  it("a call over a failing ssh is rejected with what ssh said", async () => {
    const command = await program('echo "Host key verification failed." >&2; exit 255');
    await using engine = EngineClient.open({
      host: "ssh://far.example",
      dial: dialSsh(endpoint, { command }),
    });
    await expect(engine.info()).rejects.toMatchObject({
      code: "ENGINE_CONNECT",
      stderr: "Host key verification failed.",
    });
  });
});

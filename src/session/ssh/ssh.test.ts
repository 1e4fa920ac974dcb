import { execFileSync } from "node:child_process";
import { createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type Server, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeServerCall, bytesMessage } from "../../../test/support/server-call.js";
import { sshforward } from "../../buildkit/index.js";
import { statusOf } from "../../http2/index.js";
import { SshReader, sshString, withLength } from "./agent-protocol.js";
import { type SshAgent, loadSshAgents, parseSshSpec } from "./ssh-agent.js";
import { ssh } from "./ssh.js";

let dir: string;
const servers: Server[] = [];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "slipway-ssh-"));
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
  await rm(dir, { recursive: true, force: true });
});

const list = Buffer.from([11]);
const signRequest = (blob: Buffer, data: Buffer, flags = 0) => {
  const tail = Buffer.alloc(4);
  tail.writeUInt32BE(flags, 0);
  return Buffer.concat([Buffer.from([13]), sshString(blob), sshString(data), tail]);
};

/** Sends messages to the agent `default` and gives its answers, without lengths, and how the call ended. */
async function talk(agents: Map<string, SshAgent>, messages: Buffer[], id = "default") {
  const call = new FakeServerCall("/moby.sshforward.v1.SSH/ForwardAgent", [["buildkit.ssh.id", id]]);
  for (const message of messages) call.send(bytesMessage(message));
  call.endInput();
  const status = await ssh(agents)
    .handle(call)
    .then(
      () => ({ code: 0, message: "" }),
      (error: unknown) => statusOf(error),
    );
  const bytes = Buffer.concat(call.sent.map((message) => payload(message)));
  const answers: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 4 + bytes.readUInt32BE(at)) {
    answers.push(bytes.subarray(at + 4, at + 4 + bytes.readUInt32BE(at)));
  }
  return { status, answers };
}

function payload(message: Buffer): Buffer {
  let at = 1;
  while ((message[at] as number) > 0x7f) at++;
  return message.subarray(at + 1);
}

async function keyFile(name: string, text: string): Promise<string> {
  const path = join(dir, name);
  await writeFile(path, text, { mode: 0o600 });
  return path;
}

/** An agent that hands what it hears to `hear`, and answers with what that gives. */
async function fakeAgent(hear: (message: Buffer) => Buffer | undefined): Promise<string> {
  const path = join(dir, "agent.sock");
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      const answer = hear(chunk.subarray(4));
      if (answer) socket.write(withLength(answer));
      else socket.destroy();
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return path;
}

describe("keys in memory", () => {
  const pairs = {
    ed25519: generateKeyPairSync("ed25519"),
    rsa: generateKeyPairSync("rsa", { modulusLength: 2048 }),
    ecdsa: generateKeyPairSync("ec", { namedCurve: "secp384r1" }),
  };

  it.each(["ed25519", "rsa", "ecdsa"] as const)("a PEM key of type %s is listed and signs", async (type) => {
    const { privateKey, publicKey } = pairs[type];
    const path = await keyFile("key", privateKey.export({ format: "pem", type: "pkcs8" }) as string);
    const agents = await loadSshAgents([{ id: "", paths: [path] }], {});
    const data = Buffer.from("to be signed");
    const listed = (await talk(agents, [withLength(list)])).answers[0] as Buffer;
    expect(listed[0]).toBe(12);
    const reader = new SshReader(listed.subarray(1));
    expect(reader.uint32()).toBe(1);
    const blob = reader.string();
    // Where it lies is not told.
    expect(reader.string().toString()).toBe("");
    const answer = (await talk(agents, [withLength(signRequest(blob, data, 4))])).answers[0] as Buffer;
    expect(answer[0]).toBe(14);
    const signature = new SshReader(new SshReader(answer.subarray(1)).string());
    const name = signature.string().toString();
    const raw = signature.string();
    if (type === "ed25519") {
      expect([name, verify(null, data, publicKey, raw)]).toEqual(["ssh-ed25519", true]);
    } else if (type === "rsa") {
      expect([name, verify("sha512", data, publicKey, raw)]).toEqual(["rsa-sha2-512", true]);
    } else {
      const numbers = new SshReader(raw);
      const fixed = (mpint: Buffer) =>
        Buffer.concat([Buffer.alloc(48), mpint[0] === 0 ? mpint.subarray(1) : mpint]).subarray(-48);
      const pair = Buffer.concat([fixed(numbers.string()), fixed(numbers.string())]);
      const key = { key: publicKey, dsaEncoding: "ieee-p1363" as const };
      expect([name, verify("sha384", data, key, pair)]).toEqual(["ecdsa-sha2-nistp384", true]);
    }
  });

  it("a key that is not there, a malformed request and other requests fail", async () => {
    const pem = pairs.ed25519.privateKey.export({ format: "pem", type: "pkcs8" }) as string;
    const agents = await loadSshAgents([{ id: "default", paths: [await keyFile("key", pem)] }], {});
    const bad = [
      signRequest(Buffer.from("?"), list),
      Buffer.from([13, 0xff, 0xff, 0xff, 0xff]),
      Buffer.from([27]),
    ];
    const { answers, status } = await talk(agents, bad.map(withLength));
    expect(answers.map((answer) => [...answer])).toEqual([[5], [5], [5]]);
    expect(status.code).toBe(0);
  });

  it.skipIf(!hasSshKeygen())("reads what ssh-keygen writes", async () => {
    for (const [type, bits] of [
      ["ed25519", ""],
      ["rsa", "2048"],
      ["ecdsa", "256"],
      ["ecdsa", "521"],
    ] as const) {
      const path = join(dir, `id_${type}${bits}`);
      execFileSync("ssh-keygen", ["-q", "-t", type, ...(bits ? ["-b", bits] : []), "-N", "", "-f", path]);
      const agents = await loadSshAgents([{ id: "default", paths: [path] }], {});
      const listed = (await talk(agents, [withLength(list)])).answers[0] as Buffer;
      const reader = new SshReader(listed.subarray(1));
      reader.uint32();
      const blob = reader.string();
      const line = execFileSync("ssh-keygen", ["-y", "-f", path]).toString();
      expect(blob.toString("base64")).toBe(line.split(" ")[1]?.trim());
      const answer = (await talk(agents, [withLength(signRequest(blob, list, 2))])).answers[0] as Buffer;
      expect(answer[0]).toBe(14);
    }
    const locked = join(dir, "locked");
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "secret", "-f", locked]);
    await expect(loadSshAgents([{ id: "x", paths: [locked] }], {})).rejects.toThrow(/passphrase/);
  });

  it("refuses what is no key, is encrypted or too large", async () => {
    const { privateKey } = pairs.rsa;
    const encrypted = privateKey.export({
      format: "pem",
      type: "pkcs8",
      cipher: "aes-256-cbc",
      passphrase: "x",
    }) as string;
    const load = async (text: string) =>
      await loadSshAgents([{ id: "x", paths: [await keyFile("k", text)] }], {});
    await expect(load("nonsense")).rejects.toThrow(/failed to parse/);
    await expect(load(encrypted)).rejects.toThrow(/passphrase/);
    await expect(load("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END")).rejects.toThrow(
      /failed to parse/,
    );
    await expect(load("x".repeat(100 * 1024 + 1))).rejects.toThrow(/larger than 102400/);
    await expect(loadSshAgents([{ id: "x", paths: [join(dir, "none")] }], {})).rejects.toThrow(
      /no such file or directory/,
    );
    expect(createPublicKey(privateKey).type).toBe("public");
  });
});

describe("SEC-51 the agent behind a socket", () => {
  it("hears of list and sign only", async () => {
    const heard: number[] = [];
    const path = await fakeAgent((message) => {
      heard.push(message[0] as number);
      return Buffer.from([message[0] === 11 ? 12 : 14]);
    });
    const agents = await loadSshAgents([{ id: "default", paths: [] }], { SSH_AUTH_SOCK: path });
    const all = Array.from({ length: 256 }, (_, type) => withLength(Buffer.from([type, 0, 0])));
    const { answers } = await talk(agents, all);
    expect(heard).toEqual([11, 13]);
    expect(answers).toHaveLength(256);
    expect(answers.filter((answer) => answer[0] === 5)).toHaveLength(254);
  });

  it("messages may come in pieces, or stop half-way", async () => {
    const path = await fakeAgent(() => Buffer.from([12, 0, 0, 0, 0]));
    const agents = await loadSshAgents([parseSshSpec(`default=${path}`)], {});
    const bytes = [...withLength(list)].map((byte) => Buffer.from([byte]));
    expect((await talk(agents, bytes)).answers).toEqual([Buffer.from([12, 0, 0, 0, 0])]);
    expect(await talk(agents, [withLength(list).subarray(0, 3)])).toEqual({
      answers: [],
      status: { code: 0, message: "" },
    });
  });

  it("SEC-30 a length over 256 KiB, or none, ends the call", async () => {
    const path = await fakeAgent(() => Buffer.from([12]));
    const agents = await loadSshAgents([parseSshSpec(`default=${path}`)], {});
    for (const length of [0, 256 * 1024 + 1, 0xffff_ffff]) {
      const head = Buffer.alloc(5);
      head.writeUInt32BE(length, 0);
      expect((await talk(agents, [head])).status.code).toBe(3);
    }
  });

  it("an unknown id is refused, an empty one is default", async () => {
    const path = await fakeAgent(() => Buffer.from([12]));
    const agents = await loadSshAgents([parseSshSpec(`default=${path}`)], {});
    expect((await talk(agents, [], "other")).status).toMatchObject({ code: 5, message: /other/ });
    expect((await talk(agents, [withLength(list)], "")).answers).toHaveLength(1);
    for (const [id, ok] of [
      ["", true],
      ["default", true],
      ["other", false],
    ] as const) {
      const call = new FakeServerCall("/moby.sshforward.v1.SSH/CheckAgent");
      const schema = sshforward.CheckAgentRequestSchema;
      call.send(toBinary(schema, create(schema, { ID: id })));
      const result = ssh(agents).handle(call);
      if (ok) await result;
      else await expect(result).rejects.toThrow("unset ssh forward key other");
    }
  });
});

describe("FLT-26 an agent that fails", () => {
  it("that closes mid-sign is named with its id", async () => {
    const path = await fakeAgent(() => undefined);
    const agents = await loadSshAgents([parseSshSpec(`work=${path}`)], {});
    const { status } = await talk(agents, [withLength(list)], "work");
    expect(status).toEqual({ code: 14, message: `ssh work: ssh agent ${path}: it closed the connection` });
  });

  it("that is gone is named when it is used", async () => {
    const path = await fakeAgent(() => undefined);
    const agents = await loadSshAgents([parseSshSpec(`work=${path}`)], {});
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
    const { status } = await talk(agents, [withLength(list)], "work");
    expect(status.message).toMatch(new RegExp(`^ssh work: ssh agent ${path}: .*ENOENT`));
  });
});

describe("what may be asked for", () => {
  it("needs a socket or keys, not both, and each id once", async () => {
    await expect(loadSshAgents([parseSshSpec("default")], {})).rejects.toThrow(
      /invalid empty ssh agent socket/,
    );
    const path = await fakeAgent(() => undefined);
    const specs = [parseSshSpec(`a=${path}`), parseSshSpec(`a=${path}`)];
    await expect(loadSshAgents(specs, {})).rejects.toThrow('duplicate agent ID "a"');
    await expect(loadSshAgents([parseSshSpec(`a=${path},${path}`)], {})).rejects.toThrow(/only one/);
  });
});

function hasSshKeygen(): boolean {
  try {
    execFileSync("ssh-keygen", ["-?"], { stdio: "ignore" });
    return true;
  } catch (error) {
    return (error as { code?: unknown }).code !== "ENOENT";
  }
}

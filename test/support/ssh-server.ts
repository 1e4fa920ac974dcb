import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { eventually } from "./workplace.js";

const sshd = "/usr/sbin/sshd";

/**
 * OpenSSH's server on a port of 127.0.0.1, with keys that are thrown away with it, and an `ssh` that knows it: put
 * {@link SshServer.path} in front of PATH. Nothing of the user's own ssh configuration is read.
 */
export class SshServer implements AsyncDisposable {
  /** `user@host:port`, for an `ssh://` URL. */
  readonly authority: string;
  /** Its client's files are here; every `ssh` of it names one of them in its arguments. */
  readonly dir: string;
  readonly port: number;
  readonly #server: ChildProcess;

  private constructor(dir: string, port: number, server: ChildProcess) {
    this.authority = `root@127.0.0.1:${port}`;
    this.dir = dir;
    this.port = port;
    this.#server = server;
  }

  /** Why none can be started here; undefined when one can. */
  static get obstacle(): string | undefined {
    if (process.getuid?.() !== 0) return "only root can start sshd for its own account";
    return existsSync(sshd) ? undefined : `${sshd} is not installed`;
  }

  static async start(): Promise<SshServer> {
    const dir = await mkdtemp(path.join(tmpdir(), "slipway-sshd-"));
    for (const key of ["host", "user", "stranger"])
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", key, "-f", path.join(dir, key)]);
    const port = await freePort();
    const config = {
      ListenAddress: `127.0.0.1:${port}`,
      HostKey: `${dir}/host`,
      AuthorizedKeysFile: `${dir}/user.pub`,
      PermitRootLogin: "prohibit-password",
      StrictModes: "no",
      UsePAM: "no",
      PidFile: "none",
      MaxStartups: "100",
      // Of the engine's host; a login shell would have it.
      SetEnv: `PATH=${process.env["PATH"]}`,
    };
    const text = Object.entries(config).map(([key, value]) => `${key} ${value}\n`);
    await writeFile(path.join(dir, "sshd_config"), text.join(""));
    await mkdir("/run/sshd", { recursive: true, mode: 0o755 });
    const server = spawn(sshd, ["-D", "-e", "-f", path.join(dir, "sshd_config")], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    server.stderr.setEncoding("utf8").on("data", (chunk: string) => (said += chunk));
    await eventually(async () => {
      if (server.exitCode !== null) throw new Error(`sshd ended: ${said}`);
      return said.includes("Server listening");
    });
    const started = new SshServer(dir, port, server);
    await started.useKey("user");
    return started;
  }

  /** The `ssh` that knows the server, before everything else on PATH. */
  get path(): string {
    return `${this.dir}/bin:${process.env["PATH"]}`;
  }

  /** Logs in by this key from now on: `user` may, `stranger` may not. Another host key than the server's can be made known. */
  async useKey(key: "user" | "stranger", hostKey: "host" | "stranger" = "host"): Promise<void> {
    const { dir, port } = this;
    const known = await readFile(path.join(dir, `${hostKey}.pub`), "utf8");
    await writeFile(path.join(dir, "known_hosts"), `[127.0.0.1]:${port} ${known}`);
    const config = [
      `IdentityFile ${dir}/${key}`,
      "IdentitiesOnly yes",
      "BatchMode yes",
      "StrictHostKeyChecking yes",
      `UserKnownHostsFile ${dir}/known_hosts`,
      "GlobalKnownHostsFile /dev/null",
    ];
    await writeFile(path.join(dir, "ssh_config"), `${config.join("\n")}\n`);
    const real = execFileSync("sh", ["-c", "command -v ssh"], { encoding: "utf8" }).trim();
    await mkdir(path.join(dir, "bin"), { recursive: true });
    await writeFile(path.join(dir, "bin", "ssh"), `#!/bin/sh\nexec ${real} -F ${dir}/ssh_config "$@"\n`);
    await chmod(path.join(dir, "bin", "ssh"), 0o755);
  }

  async close(): Promise<void> {
    if (this.#server.exitCode === null) {
      this.#server.kill();
      await once(this.#server, "exit");
    }
    await rm(this.dir, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** A port of 127.0.0.1 that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { EngineClient } from "../../src/engine-api/index.js";
import { engineEnv } from "./engine-env.js";
import { eventually } from "./workplace.js";

const run = promisify(execFile);

/** Settings of dockerd's daemon.json. */
export interface PrivateEngineConfig {
  hosts?: string[];
  [setting: string]: unknown;
}

/**
 * An engine of a test's own, that it may kill: like the testbed's, but with a bridge of its own that leads nowhere, so that
 * containers need `network=host`. It lives in a PID namespace, which ends with everything in it when the engine is
 * closed; so its containers' processes are not to be seen under their ids here.
 */
export class PrivateEngine implements AsyncDisposable {
  readonly host: string;
  readonly #dir: string;
  readonly #namespace: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #bridge: string;

  private constructor(dir: string, namespace: ChildProcess, bridge: string) {
    this.#bridge = bridge;
    this.host = `unix://${dir}/engine.sock`;
    this.#dir = dir;
    this.#namespace = namespace;
    this.#ended = once(namespace, "exit");
  }

  /** Whether one can be started: only the testbed's own dockerd tells how. */
  static get isPossible(): boolean {
    return engineEnv().engine.startsWith("docker");
  }

  /** @param more settings on top of the testbed's; `hosts` are listened on besides the socket. */
  static async start({ hosts = [], ...more }: PrivateEngineConfig = {}): Promise<PrivateEngine> {
    // Beside the testbed's data, so that it goes with that should this process be killed.
    const data = path.dirname(engineEnv().buildxConfig);
    const dir = await mkdtemp(path.join(data, "private-"));
    await mkdir(path.join(dir, "data"));
    const bridge = await makeBridge();
    const testbed = JSON.parse(await readFile(path.join(data, "daemon.json"), "utf8")) as object;
    const config = {
      ...testbed,
      ...more,
      hosts: [`unix://${dir}/engine.sock`, ...hosts],
      "data-root": `${dir}/data`,
      "exec-root": `${dir}/exec`,
      pidfile: `${dir}/engine.pid`,
      bridge,
      iptables: false,
    };
    await writeFile(path.join(dir, "daemon.json"), JSON.stringify(config));
    // The shell is the namespace's first process: the engine may die without all the rest. It starts it again when told.
    const script = `while :; do dockerd --config-file ${dir}/daemon.json >>${dir}/engine.log 2>&1; read -r line || exit; done`;
    const unshare = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--", "sh", "-c", script];
    const env = { ...process.env, PATH: await enginePath(data) };
    const namespace = spawn("unshare", unshare, { env, stdio: ["pipe", "ignore", "inherit"] });
    const engine = new PrivateEngine(dir, namespace, bridge);
    try {
      await engine.#untilReady();
      return engine;
    } catch (error) {
      await engine.close();
      throw error;
    }
  }

  /** Kills the engine's own process (-9). Its containers go on, as they do when an engine crashes. */
  async kill(): Promise<void> {
    const shell = await onlyChild(this.#namespace.pid as number);
    process.kill(await onlyChild(shell), "SIGKILL");
  }

  /** Starts it again after {@link kill}. */
  async restart(): Promise<void> {
    this.#namespace.stdin?.write("\n");
    await this.#untilReady();
  }

  async close(): Promise<void> {
    this.#namespace.kill("SIGKILL");
    await this.#ended;
    await run("ip", ["link", "delete", this.#bridge]);
    await rm(this.#dir, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #untilReady(): Promise<void> {
    await using client = EngineClient.open({ host: this.host });
    const log = path.join(this.#dir, "engine.log");
    await eventually(async () => {
      if (this.#namespace.exitCode !== null) throw new Error(await readFile(log, "utf8"));
      return client.ping().then(
        () => true,
        () => false,
      );
    });
  }
}

/** A bridge that dockerd can be given. Told to have none it would remove docker0, which is the testbed's engine's. */
async function makeBridge(): Promise<string> {
  const number = randomInt(256);
  const name = `test-${randomInt(2 ** 32).toString(16)}`;
  await run("ip", ["link", "add", "name", name, "type", "bridge"]);
  await run("ip", ["address", "add", `198.18.${number}.1/24`, "dev", name]);
  return name;
}

/** PATH of the testbed's engine: one may have come from elsewhere than /usr. */
async function enginePath(data: string): Promise<string> {
  const { pidfile } = JSON.parse(await readFile(path.join(data, "daemon.json"), "utf8")) as {
    pidfile: string;
  };
  const pid = (await readFile(pidfile, "utf8")).trim();
  const environment = (await readFile(`/proc/${pid}/environ`, "utf8")).split("\0");
  return environment.find((entry) => entry.startsWith("PATH="))?.slice("PATH=".length) ?? "";
}

async function onlyChild(pid: number): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
  return Number(children.trim().split(" ")[0]);
}

import { randomBytes } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { containerName, stateVolumeName } from "../../src/driver/index.js";
import { EngineClient, EngineError } from "../../src/engine-api/index.js";
import { engineEnv } from "./engine-env.js";
import {
  type SlipwayOptions,
  type SlipwayResult,
  type SlipwayRun,
  slipway,
  start,
  succeed,
} from "./slipway.js";

/** Options of {@link Workplace.open}. */
export interface WorkplaceOptions {
  /** Engine to work on; the testbed's when not given. */
  dockerHost?: string;
}

/**
 * Where one test file works: a directory, a builder store and a docker config of its own, the command with these in its
 * environment, and the engine. Closing it removes all of that, and the containers and volumes of the store's builders.
 */
export class Workplace implements AsyncDisposable {
  /** Different in every run, for names on an engine that others use as well. */
  readonly id: string;
  readonly dir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly engine: EngineClient;
  #contexts = 0;

  private constructor(id: string, dir: string, dockerHost: string) {
    this.id = id;
    this.dir = dir;
    this.env = {
      DOCKER_HOST: dockerHost,
      BUILDX_CONFIG: path.join(dir, "buildx"),
      DOCKER_CONFIG: path.join(dir, "docker"),
      HOME: dir,
      SLIPWAY_CONNECT: undefined,
      BUILDX_BUILDER: undefined,
      // vitest sets it, and colours are not what is tested.
      FORCE_COLOR: undefined,
    };
    this.engine = EngineClient.open({ host: dockerHost });
  }

  static async open(name: string, { dockerHost }: WorkplaceOptions = {}): Promise<Workplace> {
    const testbed = engineEnv();
    const dir = await mkdtemp(path.join(tmpdir(), `slipway-${name}-`));
    await mkdir(path.join(dir, "buildx"), { mode: 0o700 });
    await mkdir(path.join(dir, "docker"));
    const config = "buildkitd.default.toml";
    await copyFile(path.join(testbed.buildxConfig, config), path.join(dir, "buildx", config));
    const id = `${name}-${randomBytes(3).toString("hex")}`;
    return new Workplace(id, dir, dockerHost ?? testbed.dockerHost);
  }

  /** A path below the directory. */
  path(...names: string[]): string {
    return path.join(this.dir, ...names);
  }

  /** A new directory with these files; a context for a build. */
  async context(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
    const dir = this.path(`context${++this.#contexts}`);
    await mkdir(dir);
    for (const [name, content] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(dir, name)), { recursive: true });
      await writeFile(path.join(dir, name), content);
    }
    return dir;
  }

  /** Starts the command. */
  start(args: readonly string[], options: SlipwayOptions = {}): SlipwayRun {
    return start(args, this.#with(options));
  }

  /** Runs the command to its end, whatever that is. */
  run(args: readonly string[], options: SlipwayOptions = {}): Promise<SlipwayResult> {
    return slipway(args, this.#with(options));
  }

  /** Runs the command, which is expected to succeed. */
  succeed(args: readonly string[], options: SlipwayOptions = {}): Promise<SlipwayResult> {
    return succeed(args, this.#with(options));
  }

  /** Creates a builder, with more flags if given, and gives its name. It is not booted. */
  async builder(name: string, ...flags: string[]): Promise<string> {
    const full = `${this.id}-${name}`;
    await this.succeed(["create", "--name", full, ...flags]);
    return full;
  }

  /** Container of a builder's only node. */
  container(builder: string): string {
    return containerName(`${builder}0`);
  }

  /** Runs an image, and gives what it prints. */
  async output(image: string): Promise<string> {
    const { containers } = this.engine;
    const { Id } = await containers.create(undefined, { Image: image, HostConfig: { NetworkMode: "none" } });
    try {
      await containers.start(Id);
      await containers.wait(Id);
      const chunks: Buffer[] = [];
      for await (const { data } of containers.logs(Id, { stdout: true })) chunks.push(data);
      return Buffer.concat(chunks).toString();
    } finally {
      await containers.remove(Id, { force: true });
    }
  }

  /** Processes in a builder's container (its build steps among them) whose command line has this text. */
  async processes(builder: string, text: string): Promise<string[]> {
    const { stdout } = await this.engine.run(this.container(builder), ["ps"]);
    return stdout
      .toString()
      .split("\n")
      .filter((line) => line.includes(text));
  }

  async close(): Promise<void> {
    const instances = this.path("buildx", "instances");
    for (const name of await readdir(instances).catch(() => [])) {
      const text = await readFile(path.join(instances, name), "utf8").catch(() => "");
      for (const node of nodeNames(text)) await this.#removeNode(node);
    }
    await this.engine.close();
    await rm(this.dir, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #removeNode(node: string): Promise<void> {
    const { containers, volumes } = this.engine;
    await unlessGone(containers.remove(containerName(node), { force: true, volumes: true }));
    await unlessGone(volumes.remove(stateVolumeName(node)));
  }

  #with(options: SlipwayOptions): SlipwayOptions {
    return { cwd: this.dir, ...options, env: { ...this.env, ...options.env } };
  }
}

/** Names of a builder's nodes; none where a test has broken the file. */
function nodeNames(text: string): string[] {
  try {
    return (JSON.parse(text) as { Nodes: { Name: string }[] }).Nodes.map(({ Name }) => Name);
  } catch {
    return [];
  }
}

/** Engines that have died in a test keep nothing that would have to be removed. */
async function unlessGone(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    const isGone = error instanceof EngineError && (error.status === 404 || error.code === "ENGINE_CONNECT");
    if (!isGone) throw error;
  }
}

/** Asks again until the answer is true; a test that waits in vain ends by its time limit. */
export async function eventually(what: () => Promise<boolean>): Promise<void> {
  while (!(await what())) await new Promise((resolve) => setTimeout(resolve, 50));
}

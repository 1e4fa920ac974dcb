import { mkdtemp, rm } from "node:fs/promises";
import { type Server, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Builder, createBuilder, openBuilderContext } from "../../src/builder/index.js";
import { control } from "../../src/buildkit/index.js";
import { type Attachable, service } from "../../src/session/index.js";
import { FakeBuildkitd } from "./fake-buildkitd.js";
import { FakeEngine } from "./fake-engine.js";

/** One node: a container that is stopped until it is started, and whose socket directory is one of this machine. */
export interface FakeNode {
  /** Serves what is dialled now; may be replaced. */
  daemon: FakeBuildkitd;
  /** What the engine says of the container's state. */
  readonly state: Record<string, unknown>;
  readonly server: Server;
}

/** A builder `b` whose engine and daemons are scripted by the test. */
export class FakeBuilder implements AsyncDisposable {
  readonly engine: FakeEngine;
  readonly nodes: FakeNode[] = [];
  /** Environment in which `b` is the builder's name. */
  readonly env: Record<string, string>;
  readonly dir: string;

  readonly #services: readonly Attachable[];

  private constructor(dir: string, engine: FakeEngine, services: readonly Attachable[]) {
    this.dir = dir;
    this.#services = services;
    this.engine = engine;
    this.env = {
      BUILDX_CONFIG: join(dir, "buildx"),
      DOCKER_CONFIG: join(dir, "docker"),
      DOCKER_HOST: engine.host,
    };
    engine.on("GET", "/info", (call) => call.json({ SystemTime: new Date().toISOString() }));
  }

  /**
   * Its daemons answer Control.Info, and what `services` serve.
   *
   * @param platforms one node for each of them; by default one node for none in particular.
   */
  static async open(
    services: readonly Attachable[] = [answersInfo()],
    platforms: readonly string[] = [],
  ): Promise<FakeBuilder> {
    const dir = await mkdtemp(join(tmpdir(), "fake-builder-"));
    const fake = new FakeBuilder(dir, await FakeEngine.start(), services);
    const context = await openBuilderContext({ env: fake.env });
    for (let number = 0; number < Math.max(1, platforms.length); number++) {
      await fake.#addNode(number);
      await createBuilder(context, {
        name: "b",
        append: number > 0,
        connect: "socket",
        // The same engine by another name each time.
        endpoint: fake.engine.host.replace("unix://", `unix://${"/.".repeat(number)}`),
        platforms: platforms.slice(number, number + 1),
      });
    }
    return fake;
  }

  builder(): Promise<Builder> {
    return Builder.open({ name: "b", env: this.env });
  }

  /** Of the first node. */
  get state(): Record<string, unknown> {
    return this.#first.state;
  }

  /** Of the first node. */
  get daemon(): FakeBuildkitd {
    return this.#first.daemon;
  }

  /** The first node's daemon is another from now on, as after a restart of its container. */
  async restart(): Promise<void> {
    const node = this.#first;
    const old = node.daemon;
    node.daemon = new FakeBuildkitd({ services: this.#services });
    Object.assign(node.state, { StartedAt: new Date().toISOString() });
    await old[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { server, daemon } of this.nodes) {
      server.close();
      await daemon[Symbol.asyncDispose]();
    }
    await this.engine.close();
    await rm(this.dir, { recursive: true, force: true });
  }

  get #first(): FakeNode {
    return this.nodes[0] as FakeNode;
  }

  async #addNode(number: number): Promise<void> {
    const sockets = await mkdtemp(join(this.dir, "node-"));
    const state = { Status: "exited", Running: false, StartedAt: "2026-01-01T00:00:00Z" };
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on("error", () => {});
      node.daemon.serve(socket);
    });
    const node: FakeNode = { daemon: new FakeBuildkitd({ services: this.#services }), state, server };
    this.nodes.push(node);
    await new Promise<void>((resolve) => server.listen(join(sockets, "buildkitd.sock"), resolve));
    const name = `buildx_buildkit_b${number}`;
    const Mounts = [
      { Type: "volume", Destination: "/var/lib/buildkit", Name: `${name}_state` },
      { Type: "bind", Destination: "/run/buildkit", Source: sockets },
    ];
    const shown = { Id: String(number).repeat(64), Created: state.StartedAt, Config: { Labels: {} }, Mounts };
    this.engine
      .on("GET", `/containers/${name}/json`, (call) => call.json({ ...shown, State: state }))
      .on("POST", `/containers/${name}/start`, (call) => {
        Object.assign(state, { Status: "running", Running: true });
        call.empty();
      })
      .on("GET", `/containers/${name}/logs`, ({ response }) => void response.end());
  }
}

/** Control.Info of a daemon that is new enough. */
export function answersInfo(): Attachable {
  return service(control.Control, { info: () => ({ buildkitVersion: { version: "v0.34.2" } }) });
}

import { mkdtemp, rm } from "node:fs/promises";
import { type Server, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Builder } from "../../src/builder/index.js";
import { control } from "../../src/buildkit/index.js";
import { type Attachable, service } from "../../src/session/index.js";
import { FakeBuildkitd } from "./fake-buildkitd.js";
import { FakeEngine } from "./fake-engine.js";

/**
 * A builder of one node whose engine and daemon are scripted by the test: a container that is stopped until it is started, and
 * whose socket directory is one of this machine.
 */
export class FakeBuilder implements AsyncDisposable {
  readonly engine: FakeEngine;
  /** Serves what is dialled now; may be replaced. */
  daemon: FakeBuildkitd;
  /** Environment in which `b` is the builder's name. */
  readonly env: Record<string, string>;
  /** What the engine says of the container's state. */
  readonly state: Record<string, unknown> = {
    Status: "exited",
    Running: false,
    StartedAt: "2026-01-01T00:00:00Z",
  };
  readonly dir: string;
  readonly #server: Server;

  private constructor(dir: string, engine: FakeEngine, daemon: FakeBuildkitd) {
    this.dir = dir;
    this.engine = engine;
    this.daemon = daemon;
    this.env = {
      BUILDX_CONFIG: join(dir, "buildx"),
      DOCKER_CONFIG: join(dir, "docker"),
      DOCKER_HOST: engine.host,
    };
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on("error", () => {});
      this.daemon.serve(socket);
    });
    const volume = { Type: "volume", Destination: "/var/lib/buildkit", Name: "buildx_buildkit_b0_state" };
    const sockets = { Type: "bind", Destination: "/run/buildkit", Source: dir };
    engine.on("GET", "/containers/buildx_buildkit_b0/json", (call) =>
      call.json({
        Id: "c".repeat(64),
        Created: "2026-01-01T00:00:00Z",
        Config: { Labels: {} },
        Mounts: [volume, sockets],
        State: this.state,
      }),
    );
    engine.on("POST", "/containers/buildx_buildkit_b0/start", (call) => {
      Object.assign(this.state, { Status: "running", Running: true });
      call.empty();
    });
    engine.on("GET", "/containers/buildx_buildkit_b0/logs", ({ response }) => void response.end());
    engine.on("GET", "/info", (call) => call.json({ SystemTime: new Date().toISOString() }));
  }

  /** Its daemon answers Control.Info, and what `services` serve. */
  static async open(services: readonly Attachable[] = [answersInfo()]): Promise<FakeBuilder> {
    const dir = await mkdtemp(join(tmpdir(), "fake-builder-"));
    const fake = new FakeBuilder(dir, await FakeEngine.start(), new FakeBuildkitd({ services }));
    await new Promise<void>((resolve) => fake.#server.listen(join(dir, "buildkitd.sock"), resolve));
    await Builder.ensure({ name: "b", connect: "socket", env: fake.env });
    return fake;
  }

  builder(): Promise<Builder> {
    return Builder.open({ name: "b", env: this.env });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    await this.daemon[Symbol.asyncDispose]();
    await this.engine.close();
    await rm(this.dir, { recursive: true, force: true });
  }
}

/** Control.Info of a daemon that is new enough. */
export function answersInfo(): Attachable {
  return service(control.Control, { info: () => ({ buildkitVersion: { version: "v0.34.2" } }) });
}

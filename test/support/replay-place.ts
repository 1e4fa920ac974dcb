import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type Pack, pack } from "tar-stream";
import { engineEnv } from "./engine-env.js";
import { type TestRepository, gitServer, makeRepository } from "./git-server.js";
import { type HttpTestServer, httpServer } from "./http-server.js";
import type { SlipwayResult } from "./slipway.js";
import { Workplace } from "./workplace.js";

/** A tar archive with these files. */
export async function archiveOf(files: Readonly<Record<string, string>>): Promise<Buffer> {
  const archive: Pack = pack();
  for (const [name, content] of Object.entries(files)) archive.entry({ name, mtime: new Date(0) }, content);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** A builder that reaches this machine, with contexts that are served here by http and git. */
export class ReplayPlace implements AsyncDisposable {
  readonly work: Workplace;
  readonly builder: string;
  readonly http: HttpTestServer;
  readonly git: HttpTestServer;
  /** What the http server serves, by path. */
  readonly served: Map<string, Buffer>;

  private constructor(init: Pick<ReplayPlace, "work" | "http" | "git" | "served">) {
    this.work = init.work;
    this.http = init.http;
    this.git = init.git;
    this.served = init.served;
    this.builder = init.work.id;
  }

  static async open(name: string, { image }: { image?: string } = {}): Promise<ReplayPlace> {
    const work = await Workplace.open(name);
    const served = new Map<string, Buffer>();
    const http = await httpServer(({ url }) => {
      const body = served.get(url);
      return body ? { body } : { status: 404 };
    });
    const git = await gitServer(work.path());
    const place = new ReplayPlace({ work, http, git, served });
    await place.succeed(
      ["create", "--name", place.builder, "--driver-opt", "network=host", "--bootstrap"].concat(
        image === undefined ? [] : ["--driver-opt", `image=${image}`],
      ),
    );
    return place;
  }

  /** A name in the testbed's registry. */
  image(name: string): string {
    return `${engineEnv().registry}/${this.work.id}:${name}`;
  }

  /** Serves a context by http; gives its URL. */
  async serve(name: string, files: Readonly<Record<string, string>>): Promise<string> {
    this.served.set(`/${name}.tar`, await archiveOf(files));
    return `${this.http.origin}/${name}.tar`;
  }

  /** Makes a repository that is served by git over http. */
  repository(name: string): { repository: TestRepository; url: string } {
    return {
      repository: makeRepository(this.work.path(`${name}.git`)),
      url: `${this.git.origin}/${name}.git`,
    };
  }

  /** Builds and pushes a context with provenance of mode max. */
  async build(image: string, context: string, ...more: string[]): Promise<SlipwayResult> {
    const output = `type=registry,name=${image}`;
    return this.succeed(["build", "--output", output, "--provenance=mode=max", ...more, context]);
  }

  run(args: readonly string[]): Promise<SlipwayResult> {
    return this.work.run(args, { env: { BUILDX_BUILDER: this.builder } });
  }

  async succeed(args: readonly string[]): Promise<SlipwayResult> {
    const env = args[0] === "create" ? {} : { BUILDX_BUILDER: this.builder };
    return this.work.succeed(args, { env });
  }

  /** Runs buildx on the same builder; gives what it prints. */
  async buildx(args: readonly string[]): Promise<string> {
    const env = { ...process.env, ...this.work.env, BUILDX_BUILDER: this.builder } as NodeJS.ProcessEnv;
    const { stdout } = await promisify(execFile)(engineEnv().buildx ?? "buildx", [...args], { env });
    return stdout;
  }

  /** Runs a command that is to fail; gives what it said. */
  async refused(args: readonly string[]): Promise<string> {
    const { exitCode, stderr, stdout } = await this.run(args);
    if (exitCode !== 1 || !/^ERROR: /m.test(stderr))
      throw new Error(`${args.join(" ")}: exit code ${exitCode}\n${stdout}${stderr}`);
    return stderr;
  }

  prune(): Promise<SlipwayResult> {
    return this.succeed(["prune", "--all", "--force"]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.http.close();
    await this.git.close();
    await this.work[Symbol.asyncDispose]();
  }
}

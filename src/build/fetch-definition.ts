import type { BuildkitClient, pb } from "../buildkit/index.js";
import { type Environment, parseGoBool, variableOf } from "../config/index.js";
import { type EventSink, InvalidArgumentError, Redactor } from "../core/index.js";
import { goMode, isRegular } from "../fs/index.js";
import { type Attachable, loadSshAgents, secrets, ssh } from "../session/index.js";
import { isArchive } from "./archive-magic.js";
import { FetchedSource } from "./fetched-source.js";
import type { AskOptions, Gateway } from "./gateway-drive.js";
import { gitAuthSecrets } from "./git-auth-secrets.js";
import { withoutCredentials } from "./git-info.js";
import { gitSource } from "./git-inputs.js";
import { internalSolve } from "./internal-solve.js";
import { readFile } from "./live/file-system.js";
import { isGitSshUrl, isGitUrl } from "./remote-url.js";
import { secretSources } from "./secret-sources.js";
import { type EncodedOp, copyOp, graphOf, sourceOp } from "./source-graph.js";

/** A definition that is a file by itself may be so long, bytes (buildx v0.38 bake/remote.go means the same, but stops at 1,024). */
const largestFile = 2 << 20;

/** An archive may be so long, bytes: the builder unpacks it. */
const largestArchive = 1 << 30;

/** How the builder calls what it fetches by http (BK frontend/dockerui DetectHTTPContext). */
const fetchedName = "context";

/** What {@link fetchDefinition} works with. */
export interface FetchDefinition {
  client: BuildkitClient;
  env: Environment;
  /** Names of the definitions in what is fetched, which must be there. */
  names: readonly string[];
  /** Names that are looked for where none is given. */
  defaultNames: readonly string[];
  /** No definition in it may be longer, bytes. */
  limit: number;
  sink?: EventSink | undefined;
  signal?: AbortSignal | undefined;
}

/** Definitions that the builder has fetched. */
export interface FetchedDefinition {
  files: { name: string; content: Buffer }[];
  /** What contexts are directories of; of a definition that is a file by itself they are those of this side. */
  source?: FetchedSource;
}

/**
 * Lets the builder fetch a git repository, an archive or a file that holds definitions, with its network and its cache, in a build
 * of its own, and reads them (buildx v0.38 bake/remote.go).
 *
 * @throws BuildError when it cannot be fetched; InvalidArgumentError for what is too long; SlipwayError `RESULT_FILE` for a name
 * that is not there.
 */
export async function fetchDefinition(url: string, options: FetchDefinition): Promise<FetchedDefinition> {
  const { client, env, sink, signal } = options;
  const redactor = new Redactor();
  const isGit = isGitUrl(url);
  const fetch = isGit ? gitOp(url, env) : httpOp(url);
  let fetched: FetchedDefinition = { files: [] };
  await internalSolve({
    client,
    sink,
    signal,
    redactor,
    attachables: isGit ? await gitServices(url, env, redactor) : [],
    async ask(bridge, callOptions) {
      const look = new Looker(bridge, callOptions, options);
      fetched = isGit
        ? { files: await look.filesOf([fetch]), source: new FetchedSource(url, [fetch]) }
        : await look.ofHttp(url, fetch);
      return undefined;
    },
  });
  return fetched;
}

function gitOp(url: string, env: Environment): EncodedOp {
  const advice = parseGoBool(variableOf(env, "BUILDX_BAKE_GIT_ADVICE") ?? "") ?? false;
  return sourceOp(gitSource(url, { advice, keepGitDir: false }));
}

function httpOp(url: string): EncodedOp {
  const attrs = { "http.filename": fetchedName };
  return sourceOp({ identifier: url, attrs, caps: ["source.http"], name: "load remote build context" });
}

/** Secrets and the agent that git may need, as the environment names them. */
async function gitServices(url: string, env: Environment, redactor: Redactor): Promise<Attachable[]> {
  const sources = await secretSources(gitAuthSecrets(url, env), env, redactor);
  const services = [secrets(sources, { onSecret: (value) => redactor.add(value) })];
  const paths = (variableOf(env, "BUILDX_BAKE_GIT_SSH") ?? "").split(",");
  try {
    services.push(ssh(await loadSshAgents([{ id: "default", paths }], env)));
  } catch (error) {
    // Over https nothing but a submodule may need it.
    if (isGitSshUrl(url) || paths.join("") !== "") throw error;
  }
  return services;
}

/** Looks into what the builder fetches, while that build goes on. */
class Looker {
  readonly #bridge: Gateway;
  readonly #call: AskOptions;
  readonly #options: FetchDefinition;

  constructor(bridge: Gateway, call: AskOptions, options: FetchDefinition) {
    this.#bridge = bridge;
    this.#call = call;
    this.#options = options;
  }

  /** What was fetched by http: an archive, or a definition. */
  async ofHttp(url: string, fetch: EncodedOp): Promise<FetchedDefinition> {
    const shown = withoutCredentials(url);
    const id = await this.#solve(graphOf([fetch]));
    const size = await this.#sizeOf(id, fetchedName);
    const head = await this.#read(id, fetchedName, 1024);
    if (!isArchive(head)) {
      const content = await this.#read(id, fetchedName, largestFile + 1);
      if (content.length > largestFile)
        throw new InvalidArgumentError("non-archive definition URL bigger than maximum allowed size (2MB)");
      return { files: [{ name: url, content }] };
    }
    if (size > largestArchive)
      throw new InvalidArgumentError(`the archive ${shown} is bigger than maximum allowed size (1GB)`);
    const name = `[internal] unpack ${shown}`;
    const unpack = copyOp({ from: fetch, src: `/${fetchedName}`, takes: "archive", name });
    const ops = [fetch, unpack];
    return { files: await this.filesOf(ops), source: new FetchedSource("", ops) };
  }

  /** Definitions in a directory, those that are named or the default ones that there are. */
  async filesOf(ops: readonly EncodedOp[]): Promise<{ name: string; content: Buffer }[]> {
    const { names, defaultNames, limit } = this.#options;
    const id = await this.#solve(graphOf(ops));
    const files: { name: string; content: Buffer }[] = [];
    for (const name of names.length > 0 ? names : await this.#there(id, defaultNames)) {
      await this.#sizeOf(id, name);
      const content = await this.#read(id, name, limit + 1);
      if (content.length > limit)
        throw new InvalidArgumentError(`${name} is too large: at most ${limit} bytes are possible`);
      files.push({ name, content });
    }
    return files;
  }

  async #solve(Definition: pb.Definition): Promise<string> {
    const asked = { Definition, allowResultReturn: true, allowResultArrayRef: true };
    const { result } = await this.#bridge.solve(asked, this.#call);
    return result?.result.case === "ref" ? result.result.value.id : "";
  }

  /** Those of the names that there are, in their order: asking for one that is not there is an error like any other. */
  async #there(Ref: string, names: readonly string[]): Promise<string[]> {
    const found = new Set<string>();
    for (const IncludePattern of ["*compose.y*ml", "docker-bake.*"]) {
      const { entries } = await this.#bridge.readDir({ Ref, DirPath: "/", IncludePattern }, this.#call);
      for (const { path } of entries) found.add(Buffer.from(path).toString());
    }
    return names.filter((name) => found.has(name));
  }

  /** How long the builder says that a file is. What links lead to need not be known, and is found out by reading. */
  async #sizeOf(Ref: string, name: string): Promise<bigint> {
    const { stat } = await this.#bridge.statFile({ Ref, Path: name }, this.#call);
    // An older builder that opens a pipe waits for its writer.
    if (stat && !isRegular(stat.mode) && !(stat.mode & goMode.symlink))
      throw new InvalidArgumentError(`${name} is not a regular file`);
    return stat?.size ?? 0n;
  }

  #read(id: string, name: string, length: number): Promise<Buffer> {
    const files = { calls: this.#bridge, id, locate: (path: string) => ({ path, mountIndex: 0 }) };
    return readFile(files, name, { length, signal: this.#call.signal });
  }
}

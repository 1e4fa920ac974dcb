import { InvalidArgumentError, SlipwayError, readOptions } from "../../core/index.js";
import { holdStreams } from "../caller-streams.js";
import { argvKind, execKinds, readFileKinds, readKinds } from "./option-kinds.js";
import type { ExecOptions, ExecPlace, ExecResult } from "./process.js";
import {
  type FileSystem,
  type ReadResultFileOptions,
  type ReadResultOptions,
  type ResultEntry,
  readDirectory,
  readFile,
  statFile,
} from "./file-system.js";

/** What can be looked into and run in, by platform; one without a name is the only one. */
export type Roots = ReadonlyMap<string, { files: FileSystem; place: ExecPlace }>;

/** What is kept of a build, and how it is used: calls are counted, and refused when it is closed. */
export interface HeldRoots {
  roots: Roots;
  /** Aborts when it is closed. */
  closing: AbortSignal;
  use: <T>(work: () => Promise<T>) => Promise<T>;
}

/** File systems that a build has made, in the builder, and commands run in them. Nothing is loaded, pushed or exported for it. */
export class LiveFiles {
  readonly #roots: Roots;
  readonly #use: HeldRoots["use"];

  /** @internal */
  constructor({ roots, use }: HeldRoots) {
    this.#roots = roots;
    this.#use = use;
  }

  /** Platforms that there are; empty for a build that was for none by name. */
  get platforms(): string[] {
    return [...this.#roots.keys()].filter((name) => name !== "");
  }

  /** What the image runs when it is started; empty for none, and for a step that failed. @internal */
  commandOf(platform?: string): readonly string[] {
    return this.#root(platform).place.command;
  }

  /**
   * The bytes of a file, or of a part of it. Links are followed.
   *
   * @throws SlipwayError `RESULT_FILE` that names the path, `RESULT_CLOSED`
   */
  async readFile(path: string, given: ReadResultFileOptions = {}): Promise<Buffer> {
    const options = readOptions("readFile()", given, readFileKinds);
    return this.#use(async () => readFile(this.#root(options.platform).files, path, options));
  }

  /** What is in a directory, in the order of names. @throws SlipwayError `RESULT_FILE`, `RESULT_CLOSED` */
  async readDir(path: string, given: ReadResultOptions = {}): Promise<ResultEntry[]> {
    const options = readOptions("readDir()", given, readKinds);
    return this.#use(async () => readDirectory(this.#root(options.platform).files, path, options));
  }

  /** What is known of a path; links are not followed. @throws SlipwayError `RESULT_FILE`, `RESULT_CLOSED` */
  async stat(path: string, given: ReadResultOptions = {}): Promise<ResultEntry> {
    const options = readOptions("stat()", given, readKinds);
    return this.#use(async () => statFile(this.#root(options.platform).files, path, options));
  }

  /**
   * Copies a file, or what is below a directory, to this machine, with modes and times: a file to `dest`, or into it when that is a
   * directory; what is in a directory into the directory `dest`, which is made when it is not there. Links are copied as links; a
   * file is there whole or not at all; what is there already under another name stays. Devices, pipes and sockets are left out.
   *
   * @returns how many files and links were written
   * @throws SlipwayError `RESULT_FILE` that names the path, `SESSION_EXPORT_IO`, `RESULT_CLOSED`; AbortedError
   */
  async copyOut(path: string, dest: string, given: ReadResultOptions = {}): Promise<number> {
    const options = readOptions("copyOut()", given, readKinds);
    return this.#use(async () => {
      const { copyOut } = await import("./copy-out.js");
      return copyOut(this.#root(options.platform).files, { path, dest, signal: options.signal });
    });
  }

  /**
   * Runs a command, in a container of its own; what it writes is gone afterwards. A command that ends with another code than 0 is
   * no error.
   *
   * @throws SlipwayError `RESULT_EXEC` for a command that cannot be started, `RESULT_CLOSED`; AbortedError
   */
  async exec(argv: readonly string[], given: ExecOptions = {}): Promise<ExecResult> {
    holdStreams(given.stdin, given.stdout, given.stderr);
    const options = readOptions("exec()", given, execKinds);
    const fault = argvKind.fault(argv);
    if (fault) throw new InvalidArgumentError(`the command of exec()${fault.path} ${fault.problem}`);
    return this.#use(async () => {
      // Most programs that look into a result run nothing in it.
      const { runProcess } = await import("./process.js");
      return runProcess(this.#root(options.platform).place, argv, options, (name) => this.#root(name).place);
    });
  }

  #root(platform: string | undefined) {
    const only = this.#roots.size === 1 ? [...this.#roots.values()][0] : undefined;
    const root =
      platform === undefined
        ? only
        : (this.#roots.get(platform) ?? (this.platforms.length === 0 ? only : undefined));
    if (root) return root;
    const known = this.platforms.join(", ");
    throw new SlipwayError(
      "RESULT_FILE",
      platform === undefined
        ? `the result is for several platforms: say which by platform (${known})`
        : `the result has nothing for ${platform}, only for ${known}`,
    );
  }
}

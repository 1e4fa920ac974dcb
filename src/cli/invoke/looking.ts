import {
  type BuildCallOptions,
  BuildError,
  type BuildResult,
  build,
  buildAndLook,
} from "../../build/index.js";
import { InvalidArgumentError } from "../../core/index.js";
import type { BuildFlags } from "../build-flags.js";
import type { CliContext } from "../cli-context.js";
import { type FailedExport, exportFailed, prepareFailedExport } from "./export-failed.js";
import { type InvokeSpec, parseInvoke } from "./parse-invoke.js";
import { runInvoke } from "./run-invoke.js";

/** What shows a build, while a command has the terminal. */
export interface PausedDisplay {
  pause(): Promise<void>;
  resume(): void;
}

/** Builds, and looks into what came of it, as `--invoke`, `--on` and `--export-failed` say. */
export class Looking {
  /** Of the command that ran after a good build. */
  exitCode = 0;
  readonly #shell: { spec: InvokeSpec; always: boolean } | undefined;
  readonly #exports: readonly FailedExport[];
  readonly #context: CliContext;

  private constructor(
    shell: { spec: InvokeSpec; always: boolean } | undefined,
    exports: readonly FailedExport[],
    context: CliContext,
  ) {
    this.#shell = shell;
    this.#exports = exports;
    this.#context = context;
  }

  /** @throws InvalidArgumentError that names the flag */
  static async prepare(
    { invoke, on, exportFailed: exports = [], call, check }: BuildFlags,
    { isDebug, context }: { isDebug: boolean; context: CliContext },
  ): Promise<Looking> {
    const isAsked = isDebug || invoke !== undefined || on !== undefined;
    if (isAsked && (check || call !== "build"))
      throw new InvalidArgumentError("--invoke and --on are for builds, not for --call and --check");
    const shell = isAsked ? { spec: parseInvoke(invoke ?? ""), always: on === "always" } : undefined;
    return new Looking(shell, await Promise.all(exports.map(prepareFailedExport)), context);
  }

  /** @throws what the build fails with, when what was to be done about it is done; AbortedError */
  async build(options: BuildCallOptions, display: PausedDisplay): Promise<BuildResult> {
    const asked: BuildCallOptions = { ...options, onFailure: "keep" };
    try {
      if (!this.#shell?.always) return await build(asked);
      const { spec } = this.#shell;
      return await buildAndLook(asked, async (files) => {
        await display.pause();
        this.exitCode = await runInvoke(files, spec, this.#context);
        display.resume();
      });
    } catch (error) {
      if (!(error instanceof BuildError)) throw error;
      await using failed = error;
      await display.pause();
      await exportFailed(failed.files, this.#exports, this.#context);
      await this.#afterFailure(failed);
      throw error;
    }
  }

  async #afterFailure({ files }: BuildError): Promise<void> {
    if (!files || !this.#shell) return;
    const exitCode = await runInvoke(files, this.#shell.spec, this.#context);
    this.#context.stderr.text(`The command in the failed step ended with exit code ${exitCode}\n`);
  }
}

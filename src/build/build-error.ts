import { join } from "node:path";
import type { BuildkitError } from "../buildkit/index.js";
import {
  type BuildEvent,
  type NetworkReport,
  type Redactor,
  SlipwayError,
  type SourceInfo,
  type SourceLocation,
  type StatusUpdate,
  isError,
  isSlipwayError,
  messageOf,
} from "../core/index.js";
import { formatSource, sanitizeName, sanitizeText } from "../progress/index.js";
import type { FrontendAttrs } from "./frontend-attrs.js";
import type { Inputs } from "./inputs.js";
import type { JudgedSource } from "./policy/source-policy.js";
import type { LiveFiles } from "./live/live-files.js";

/** Lines of a failed step's output that its error keeps. */
const tailLines = 50;
/** Bytes kept per step while it runs. */
const tailBytes = 16 << 10;
/** Steps whose output is kept at the same time. */
const mostTails = 64;

/** gRPC's code for what a server does not know. */
export const unimplementedCode = 12;

/** The step that failed. */
export interface FailedStep {
  digest: string;
  name: string;
  /** Exit code of its process, when there was one. */
  exitCode?: number;
  /** The last lines of its output. */
  log: string[];
}

/** Where in the Dockerfile a build failed. */
export type FailedSource = SourceLocation;

/** What lets go of the steps that errors are kept with. */
const keepers = new WeakMap<BuildError, () => Promise<void>>();

/** Says what is to be done when an error with a kept step is closed. */
export function onErrorClosed(error: BuildError, letGo: () => Promise<void>): void {
  keepers.set(error, letGo);
}

/** A build that failed: in which step, where in the Dockerfile, and with which last lines of output. */
export class BuildError extends SlipwayError {
  /** gRPC status of the solve (10 and 13 decide the command's exit code). */
  readonly grpcCode: number;
  readonly step?: FailedStep;
  readonly sources: readonly FailedSource[];
  /** `builder/node/id` of the build's record, for `history inspect`; of builds that leave one. */
  ref?: string;
  /** What the steps asked of the network, of a build with `proxyNetwork`. */
  network?: NetworkReport;
  /** What the policies said of the sources until then, of a build with `policy`. */
  judged?: JudgedSource[];
  /** The file system of the step that failed, of a build with `onFailure: "keep"`, until the error is disposed of. */
  files?: LiveFiles;

  constructor(
    message: string,
    init: {
      grpcCode: number;
      step?: FailedStep | undefined;
      sources: readonly FailedSource[];
      cause?: unknown;
    },
  ) {
    super("BUILD_FAILED", message, init.cause === undefined ? {} : { cause: init.cause });
    this.grpcCode = init.grpcCode;
    if (init.step) this.step = init.step;
    this.sources = init.sources;
  }

  /** Lets go of what was kept of the step that failed. Idempotent; nothing was unless it was asked for. */
  async close(): Promise<void> {
    await keepers.get(this)?.();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The step that failed and its exit code, else the first line of the message. */
  override get shortMessage(): string {
    if (this.step?.exitCode === undefined) return super.shortMessage.replace(/^failed to solve: /, "");
    const name = sanitizeName(this.step.name);
    return `${name.length > 160 ? `${name.slice(0, 159)}…` : name}: exit code ${this.step.exitCode}`;
  }

  /**
   * Everything that helps to fix it, as text of several lines: the message, the failed step's last words, the place in
   * the Dockerfile.
   */
  explain(): string {
    const parts = [this.message];
    if (this.step && this.step.log.length > 0)
      parts.push(`${sanitizeName(this.step.name)}:\n${sanitizeText(this.step.log.join("\n"))}`);
    for (const { info, ranges } of this.sources) parts.push(formatSource(info, ranges).trimEnd());
    return parts.filter((part) => part !== "").join("\n\n");
  }
}

/** The last event of a build that failed; one that was cancelled ends without a failure. */
export function failedEnd(error: unknown): BuildEvent {
  if (isSlipwayError(error, "ABORTED")) return { type: "end" };
  const sources = isSlipwayError(error, "BUILD_FAILED") ? (error as BuildError).sources : [];
  return { type: "end", failure: { message: messageOf(error), sources } };
}

/** The same with the path of the file on this machine, if it is the plan's Dockerfile and that is a file here. */
export function sourceWithPath(
  info: SourceInfo,
  { attrs, inputs }: { attrs: Readonly<FrontendAttrs>; inputs: Partial<Pick<Inputs, "locals">> },
): SourceInfo {
  const mounted = inputs.locals?.get("dockerfile");
  if (mounted?.type !== "directory" || info.filename !== attrs["filename"]) return info;
  return { ...info, path: join(mounted.path, info.filename) };
}

/** Keeps what a build error will want to tell: names of vertices, and the tails of their logs, bounded. */
export class BuildErrorCollector {
  readonly #names = new Map<string, string>();
  readonly #tails = new Map<string, { chunks: Uint8Array[]; bytes: number; isCut: boolean }>();
  readonly #redactor: Redactor;
  readonly #locate: (info: SourceInfo) => SourceInfo;
  readonly #clean: (text: string) => string;

  constructor(
    redactor: Redactor,
    locate: (info: SourceInfo) => SourceInfo = (info) => info,
    clean: (text: string) => string = (text) => text,
  ) {
    this.#redactor = redactor;
    this.#locate = locate;
    this.#clean = clean;
  }

  add({ vertexes, logs }: StatusUpdate): void {
    for (const { digest, name, completed, error } of vertexes) {
      this.#names.set(digest, name);
      if (completed && error === undefined) this.#tails.delete(digest);
    }
    for (const { vertex, data } of logs) {
      let tail = this.#tails.get(vertex);
      if (!tail) {
        if (this.#tails.size >= mostTails) continue;
        this.#tails.set(vertex, (tail = { chunks: [], bytes: 0, isCut: false }));
      }
      tail.chunks.push(data);
      tail.bytes += data.length;
      while (tail.chunks.length > 1 && tail.bytes - (tail.chunks[0]?.length ?? 0) > tailBytes) {
        tail.bytes -= tail.chunks.shift()?.length ?? 0;
        tail.isCut = true;
      }
    }
  }

  /** The build's own error for what the daemon said; a lost connection and our own errors stay as they are. */
  explain(error: unknown): Error {
    if (!isSlipwayError(error, "BUILDKIT_STATUS")) return isError(error) ? error : new Error(String(error));
    let digest: string | undefined;
    let exitCode: number | undefined;
    const sources: FailedSource[] = [];
    const reasons: string[] = [];
    const { details, grpcCode } = error as BuildkitError;
    for (const detail of details) {
      if (detail.type === "vertex") digest = detail.digest;
      else if (detail.type === "source" && detail.source)
        sources.push({ info: this.#locate(detail.source), ranges: detail.ranges });
      else if (detail.type === "exit") exitCode = detail.code;
      else if (detail.type === "policy") reasons.push(...detail.messages);
    }
    const name = digest === undefined ? undefined : this.#names.get(digest);
    const step =
      digest === undefined
        ? undefined
        : {
            digest,
            name: this.#redactor.clean(name ?? digest),
            log: this.#log(digest),
            ...(exitCode !== undefined && { exitCode }),
          };
    const message =
      olderFrontend(grpcCode, error.message) ??
      ["failed to solve", this.#clean(error.message), ...new Set(reasons)].join(": ");
    return new BuildError(this.#redactor.clean(message), {
      grpcCode,
      step,
      sources,
      cause: this.#cleaned(error as BuildkitError),
    });
  }

  /** The daemon's own error, which is printed as the cause. */
  #cleaned(error: BuildkitError): BuildkitError {
    const message = this.#redactor.clean(this.#clean(error.message));
    // By the error's own class: importing it would load all of protobuf with the library.
    const Same = error.constructor as typeof BuildkitError;
    return message === error.message ? error : new Same(error.code, { ...error.status, message });
  }

  #log(digest: string): string[] {
    const { chunks = [], isCut = false } = this.#tails.get(digest) ?? {};
    const text = Buffer.concat(chunks).toString("utf8");
    // What is left of a line, or of a character, may be the half of a secret, which nothing would recognise.
    const whole = this.#redactor.clean(isCut ? text.slice(text.indexOf("\n") + 1) : text);
    return whole === "" ? [] : whole.replace(/\n$/, "").split("\n").slice(-tailLines);
  }
}

/** What to do about a frontend that does not know a feature yet (buildx v0.36 commands/build.go wrapBuildError). */
function olderFrontend(grpcCode: number, message: string): string | undefined {
  const [, capability] =
    /unsupported frontend capability moby\.buildkit\.frontend\.(\w+)/.exec(message) ?? [];
  if (grpcCode !== unimplementedCode) return undefined;
  if (capability === "contexts")
    return (
      "current frontend does not support --build-context. Named contexts are supported since Dockerfile v1.4. " +
      "Use #syntax directive in Dockerfile or update to latest BuildKit."
    );
  if (capability === "gitquerystring")
    return (
      "current frontend does not support Git URLs with query string components. Git URLs with query string are " +
      "supported since Dockerfile v1.18 and BuildKit v0.24. Use BUILDKIT_SYNTAX build-arg, #syntax directive in " +
      "Dockerfile or update to latest BuildKit."
    );
  return undefined;
}

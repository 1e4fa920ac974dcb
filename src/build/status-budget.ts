import type { StatusUpdate } from "../core/index.js";
import { SlipwayError } from "../core/index.js";

/** Steps of one build that are kept; the largest builds known have some thousand. */
export const mostVertices = 50_000;
/** Warnings of one build that are kept; what comes after is counted alone. */
export const mostWarnings = 1_000;
/** Lines of progress within steps, of one build: downloads, layers. */
export const mostStatuses = 200_000;
/** Bytes of names, errors and warnings of one build. A step's command stands in its name. */
export const mostTextBytes = 48 << 20;

/** A builder told more of a build than is kept: `BUILD_TOO_LARGE`. */
export class BuildTooLargeError extends SlipwayError {
  constructor(what: string) {
    super("BUILD_TOO_LARGE", `the builder told of more than ${what} in one build`);
  }
}

/**
 * Bounds what a build's status stream makes displays, reports and results keep. Output of steps is not counted: whoever keeps
 * some of it has a bound of its own.
 */
export class StatusBudget {
  readonly #vertices = new Map<string, number>();
  readonly #statuses = new Set<string>();
  #textBytes = 0;
  #warnings = 0;

  /** Warnings that were left out. */
  get droppedWarnings(): number {
    return Math.max(0, this.#warnings - mostWarnings);
  }

  /** Takes an update, and takes warnings beyond the bound out of it. @throws BuildTooLargeError */
  take(update: StatusUpdate): void {
    for (const { digest, name, error = "", inputs, progressGroup } of update.vertexes) {
      let length = digest.length + name.length + error.length + 71 * inputs.length;
      if (progressGroup) length += progressGroup.id.length + progressGroup.name.length;
      this.#note(digest, length);
      if (this.#vertices.size > mostVertices) throw new BuildTooLargeError(`${mostVertices} steps`);
    }
    for (const { vertex, id, name } of update.statuses) {
      const key = `${vertex}\0${id}`;
      if (this.#statuses.has(key)) continue;
      this.#addText(key.length + name.length);
      this.#statuses.add(key);
      if (this.#statuses.size > mostStatuses)
        throw new BuildTooLargeError(`${mostStatuses} lines of progress`);
    }
    if (update.warnings.length === 0) return;
    const room = Math.max(0, mostWarnings - this.#warnings);
    this.#warnings += update.warnings.length;
    update.warnings = update.warnings.slice(0, room);
    for (const { short, detail, url, source } of update.warnings)
      this.#addText(
        detail.reduce((sum, line) => sum + line.length, short.length + url.length) +
          (source?.data.length ?? 0),
      );
  }

  /** A vertex is told often; of its texts the longest counts. */
  #note(digest: string, length: number): void {
    const before = this.#vertices.get(digest) ?? 0;
    if (length <= before && this.#vertices.has(digest)) return;
    this.#addText(length - before);
    this.#vertices.set(digest, length);
  }

  #addText(length: number): void {
    this.#textBytes += length;
    if (this.#textBytes > mostTextBytes)
      throw new BuildTooLargeError(`${mostTextBytes} bytes of names and warnings`);
  }
}

import { SlipwayError } from "../core/index.js";
import { formatReference, parseReference, withDefaultTag } from "../registry/index.js";

/** The builder's answer is impossible, or not what was asked for. What a builder says is a claim, not a fact. */
export class BuilderClaimError extends SlipwayError {
  constructor(message: string, options?: ErrorOptions) {
    super("BUILDER_CLAIM", message, options);
  }
}

/**
 * The names that an image may be given: those that were asked for. A builder that gives it another one could put its image
 * in the place of any other of the engine's.
 */
export class AskedNames {
  /** Complete references, `docker.io/library/app:1`; undefined when any name may come (`name=*`: the frontend's choice). */
  readonly #names: ReadonlySet<string> | undefined;

  /** @param attr the exporter attribute `name`: names with commas between, or `*`. */
  constructor(attr: string | undefined) {
    const names = (attr ?? "").split(",").filter(Boolean);
    this.#names = names.includes("*") ? undefined : new Set(names.map(completeName));
  }

  /**
   * The names in their complete form.
   *
   * @throws BuilderClaimError for one that was not asked for.
   */
  check(names: readonly string[]): string[] {
    return names.map((name) => {
      const full = completeName(name);
      if (this.#names?.has(full) === false)
        throw new BuilderClaimError(
          `the builder calls the image ${JSON.stringify(name)}, which was not asked for`,
        );
      return full;
    });
  }

  /** The same for the annotation `org.opencontainers.image.ref.name`, which has the tag alone as a rule. */
  checkTag(tag: string): void {
    const known = [...(this.#names ?? [])].some((name) => parseReference(name).tag === tag);
    if (!known) this.check([tag]);
  }
}

/** A name that is no reference stays as it is, and so is none that was asked for. */
export function completeName(name: string): string {
  try {
    return formatReference(withDefaultTag(parseReference(name)));
  } catch {
    return name;
  }
}

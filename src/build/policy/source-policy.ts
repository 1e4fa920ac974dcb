import type { GitMetadata, HttpMetadata, ImageMetadata } from "./source-metadata.js";

/**
 * Judges one source of a build before it is fetched. May be async. A build with several asks one after the other: the first that does
 * not allow decides. What throws, rejects, gives something else than a verdict, or does not answer in time fails the build.
 */
export type SourcePolicy = (
  source: PolicySource,
  // TypeScript takes the "allow" of an async function for any text; it is checked when it is given.
) => PolicyVerdict | Promise<PolicyVerdict | (string & {})>;

/** What a {@link SourcePolicy} says of a source. */
export type PolicyVerdict =
  | "allow"
  | "deny"
  /** The reason is in the build's error. */
  | { deny: true; reason?: string }
  /**
   * Another source takes its place, and is judged in its turn; one that is the same already is allowed. A text is an identifier, such
   * as `docker-image://alpine@sha256:…`.
   */
  | { convert: string | SourceConversion; reason?: string };

/** What becomes of a source. */
export interface SourceConversion {
  /** Default: that which it has. */
  identifier?: string;
  /** Set besides those that it has, e.g. `http.checksum`. They go with the kind of source, and do not come along to another. */
  attrs?: Readonly<Record<string, string>>;
}

/** A source that a build is about to use, as the builder tells of it. Names are what it asks for, and prove nothing. */
export type PolicySource = ImageSource | LayoutSource | GitSource | HttpSource | LocalSource | OtherSource;

/** What is known of every source. */
export interface SourceFacts {
  /** What the builder calls it, e.g. `docker-image://docker.io/library/alpine:3.20`; without user and password. */
  readonly identifier: string;
  /** How it is to be used, e.g. `http.checksum`, as the builder names it. */
  readonly attrs: Readonly<Record<string, string>>;
  /** Platform that it is for, such as `linux/arm64`; images and layouts have one. */
  readonly platform?: string;
  /** Aborts when the answer is of no use any more: the build was cancelled or has ended, or the time is over. */
  readonly signal: AbortSignal;
}

/** An image of a registry: a base, what `COPY --from` names, a frontend. */
export interface ImageSource extends SourceFacts, NamedImage {
  readonly type: "image";
  /**
   * Lets the builder find out more, without the layers.
   *
   * @throws AbortedError when the builder cannot; the build then fails with what it says
   */
  resolve(options?: ResolveImageOptions): Promise<ImageMetadata>;
}

/** An image that this side serves as a layout: `oci-layout://` contexts, images of the engine. */
export interface LayoutSource extends SourceFacts, NamedImage {
  readonly type: "oci-layout";
  /** As for an image, but for attestations. */
  resolve(): Promise<ImageMetadata>;
}

/** The parts of an image's name. */
export interface NamedImage {
  /** The whole: `docker.io/library/alpine:3.20@sha256:…`. */
  readonly ref: string;
  /** `docker.io` */
  readonly domain: string;
  /** `docker.io/library/alpine` */
  readonly repository: string;
  readonly tag?: string;
  /** The digest that it is pinned to, by whoever wrote the name, or by the frontend after it was resolved. */
  readonly digest?: string;
}

/** A repository: a context, or `ADD` of one. */
export interface GitSource extends SourceFacts {
  readonly type: "git";
  /** That it is cloned from, without user and password. */
  readonly url: string;
  readonly ref?: string;
  readonly subdir?: string;
  /** The commit that it must be. */
  readonly checksum?: string;
  /** Lets the builder look what the ref is, without a clone unless `objects` are asked for. */
  resolve(options?: ResolveGitOptions): Promise<GitMetadata>;
}

/** What is downloaded: a context, `ADD` of a URL, and with `proxyNetwork` what a step asks for. */
export interface HttpSource extends SourceFacts {
  readonly type: "http";
  /** Without user and password. */
  readonly url: string;
  /** The digest that it must have. */
  readonly checksum?: string;
  /** Lets the builder download it, and say what came. Not of what a step asks for. */
  resolve(): Promise<HttpMetadata>;
}

/** Files of this machine that the build gets. */
export interface LocalSource extends SourceFacts {
  readonly type: "local";
  /** `context`, `dockerfile`, or that of a further context. */
  readonly name: string;
}

/** Of a kind that this version does not know; a strict policy denies it. */
export interface OtherSource extends SourceFacts {
  readonly type: "other";
  /** What stands before `://`. */
  readonly scheme: string;
}

/** What is to be found out of an image besides its digest and config. */
export interface ResolveImageOptions {
  /**
   * The manifests of its attestations and signatures as well, and the statements of these predicate types, e.g.
   * `https://slsa.dev/provenance/v1`. Statements come with BuildKit 0.28 or later, manifests with 0.27.
   */
  attestations?: boolean | readonly string[];
}

/** What is to be found out of a repository besides its commit. */
export interface ResolveGitOptions {
  /** The commit and the tag as they are stored, with their signatures. */
  objects?: boolean;
}

/** What was decided on a source. */
export interface JudgedSource {
  /** Without user and password. */
  source: string;
  platform?: string;
  verdict: "allow" | "deny" | "convert";
  reason?: string;
  /** What it was converted to. */
  to?: string;
}

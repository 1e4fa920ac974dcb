import type { ProxyNetwork } from "./network/network-watch.js";
import type { Environment } from "../config/index.js";
import type { Bytes, EventSink } from "../core/index.js";
import type { CredentialsCallback } from "../session/index.js";
import type { CacheMountsOption } from "./cache-mounts/plan-cache-mounts.js";
import type { ContextSource } from "./contexts.js";
import type { CacheOption } from "./parse/cache.js";
import type { Output } from "./parse/output.js";
import type { SecretInput } from "./parse/secret.js";
import type { SourcePolicy } from "./policy/source-policy.js";
import type { MetadataProvenance } from "./provenance.js";

/** What to build and where the result goes, in the command's words. Everything but `context` may be left out. */
export interface BuildOptions {
  /** A directory, a git or http(s) URL, or one of `dir()`, `files()`, `tar()`, `git()`. */
  context: string | ContextSource;
  /**
   * Path of the Dockerfile; relative to the working directory for directories, to the context for remote ones. Or an
   * http(s) URL, which the builder fetches.
   */
  file?: string;
  /** The Dockerfile's own text, instead of a file. */
  dockerfile?: string | Bytes;
  /** Names of the image, e.g. `app:1`. */
  tags?: readonly string[];
  /** Stage to build. */
  target?: string;
  /** Build arguments; undefined takes the value of the environment, and none when it is not set there. */
  buildArgs?: Readonly<Record<string, string | undefined>>;
  labels?: Readonly<Record<string, string | undefined>>;
  /** E.g. `linux/arm64`; `local` is this machine's. */
  platforms?: readonly string[];
  noCache?: boolean;
  /** Stages to build without cache. */
  noCacheFilter?: readonly string[];
  /** Look for newer versions of base images. */
  pull?: boolean;
  /** `host:ip` or `host=ip`. */
  addHosts?: readonly string[];
  /** Network of RUN steps. */
  network?: "default" | "host" | "none" | (string & {});
  /** Bytes. */
  shmSize?: number;
  /** `name=soft[:hard]`. */
  ulimits?: readonly string[];
  cgroupParent?: string;
  /** Limits per step: `memory=1g`, `cpu-quota=…`. */
  resources?: readonly string[];
  /** Secrets by id; a string or bytes is the value itself. */
  secrets?: Readonly<Record<string, SecretInput | undefined>>;
  /**
   * A PEM file of authorities that RUN steps trust besides the public ones: their programs get it by the variables that they know
   * (`SSL_CERT_FILE`, `NODE_EXTRA_CA_CERTS`, …). Nothing of it is in the image. Needs Dockerfile 1.10, as BuildKit 0.16 has it.
   */
  trustCa?: string;
  /** ssh agents: `default`, `id`, `id=socket` or `id=key[,key…]`. */
  ssh?: readonly string[];
  /** Entitlements: `network.host`, `security.insecure`, `device[=name]`, `buildx.local.delete`. */
  allow?: readonly string[];
  /** Only `disabled=true`: builds although a rego policy lies beside the Dockerfile, which is not evaluated here. */
  policies?: readonly string[];
  /**
   * Decides on each source (images, repositories, URLs, contexts) before the builder fetches it; several are asked in order. Besides
   * the rules of EXPERIMENTAL_BUILDKIT_SOURCE_POLICY, which come first, and `proxyNetwork`, which both must allow. BuildKit 0.27 or
   * later.
   */
  policy?: SourcePolicy | readonly SourcePolicy[];
  /** How long a policy may take to answer; the build fails then. Default 60 000; 0 is no limit. */
  policyTimeoutMilliseconds?: number;
  /** `parseCache()` reads the command's words. */
  cacheFrom?: readonly CacheOption[];
  cacheTo?: readonly CacheOption[];
  /**
   * Carries the content of cache mounts (`RUN --mount=type=cache`) from one builder to the next: a builder that has nothing in one
   * gets what is in this directory, where the content of all is saved afterwards, also when a step failed.
   */
  cacheMounts?: CacheMountsOption;
  /** `true`, `false`, or parameters such as `mode=max`. */
  provenance?: boolean | string;
  /** `true`, `false`, or parameters such as `generator=image`. */
  sbom?: boolean | string;
  /** `type=sbom|provenance[,param=value…]`. */
  attests?: readonly string[];
  /** `[type[platform],…:]key=value`. */
  annotations?: readonly string[];
  /**
   * Further contexts by name: a directory, `docker-image://ref`, `oci-layout://path`, `engine://ref` for an image that the
   * engine has, a URL, or a context source.
   */
  buildContexts?: Readonly<Record<string, string | ContextSource | undefined>>;
  /**
   * Base images that the engine has come from there, also where a registry has one of that name: with `true` those that the
   * Dockerfile is seen to name, else those in `allow`. Default false.
   */
  engineImages?: boolean | { allow: readonly string[] };
  /**
   * What to do about files of a context that are written to while they are sent: `error` (the default), or `warn`, which
   * sends as many bytes as the file had when it was listed.
   */
  contextRace?: "error" | "warn";
  /**
   * How often a part of the build may begin again on another node when its node is lost (its machine, its daemon, the way to it)
   * before a result has begun to come out; for builders of several nodes. Default 1.
   */
  retries?: number;
  /**
   * What becomes of the step that failed: `keep` lets the `BuildError` read its files and run commands in it (`error.files`), until
   * the error is closed or disposed of; for builds on one node. Default `drop`.
   */
  onFailure?: "keep" | "drop";
  /**
   * Leads the network of RUN steps, and of `ADD` of a URL, through BuildKit's proxy: only http and https get through, what is asked
   * for is listed in the result, and may be refused, by hosts or by a function; a step is answered 403 then. BuildKit 0.31 or later
   * in a container or elsewhere, not that of an engine.
   */
  proxyNetwork?: boolean | ProxyNetwork;
  /**
   * Finds out why steps run that an earlier build of the same had, by what this builder and this machine know of it: an event
   * `explained` at the end, and `explained` of the result. Notes the digests of the context's files for the next build.
   */
  explain?: boolean;
  /**
   * Makes the same image of the same: SOURCE_DATE_EPOCH from the last commit of the context's repository, or 0, where it is not given;
   * times of files in layers not later than that, gzip for all layers, and no provenance unless it is asked for. Warns of what in the
   * Dockerfile is another thing another day. BuildKit 0.13 or later.
   */
  reproducible?: boolean;
  /**
   * Records digests of the directories that are sent in the provenance of mode `max`, so that the build can be replayed from equal ones;
   * see `replay()`. No path and no name is recorded, but whoever has the provenance can check guesses of what a file holds. Default
   * false.
   */
  recordInputs?: boolean;
  /** `parseOutput()` reads the command's words. */
  outputs?: readonly Output[];
  /** Load the result into the engine, like an output of type docker without a destination. */
  load?: boolean;
  /** Push the result under its tags, like an output of type registry. */
  push?: boolean;
  /** Frontend request instead of a build: `check`, `outline`, `targets`, `lint`, `subrequests.describe`. */
  call?: string;
  /**
   * Adds how the build came about to the result's metadata, as `buildx.build.provenance`: `min`, or `max` with steps and
   * times. Off by default.
   */
  metadataProvenance?: MetadataProvenance;
  /** Asked each time a registry wants credentials, before the docker config; undefined passes on to that. */
  credentials?: CredentialsCallback;
  /** Environment to read; default `process.env`. */
  env?: Environment;
  /** Gets everything that happens, for a renderer of `slipway/progress` or your own. */
  onEvent?: EventSink;
  signal?: AbortSignal;
}

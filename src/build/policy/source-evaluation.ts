import { create } from "@bufbuild/protobuf";
import { gateway } from "../../buildkit/index.js";
import { AbortedError, DeadlineError, linkSignal, timerDelay } from "../../core/index.js";
import type { PolicyDecision, PolicyRequest } from "../../session/index.js";
import { describeSource, sourceOf } from "./describe-source.js";
import type { ResolveSource } from "./describe-source.js";
import { type ImageMetadata, type SourceMetadata, hasMetadata, readMetadata } from "./source-metadata.js";
import type { PolicySource } from "./source-policy.js";

/** What {@link SourceEvaluation} works with. */
export interface EvaluationOptions {
  /** Judges the source to the end. */
  judge: (source: PolicySource) => Promise<PolicyDecision>;
  /** Whether an image that was resolved is an index, of which alone there are attestations. */
  isIndex: (digest: string, signal: AbortSignal) => Promise<boolean>;
}

/**
 * One source being judged. A policy that wants to know more goes on where it was: the builder is answered that it is to find out, and
 * asks again with what it found, which the policy then gets.
 */
export class SourceEvaluation {
  readonly #options: EvaluationOptions;
  readonly #link = linkSignal(undefined);
  readonly #seen = new Map<string, SourceMetadata>();
  #outcome: Promise<PolicyDecision> | undefined;
  /** Answers the builder's question that is open. */
  #ask: ((request: gateway.ResolveSourceMetaRequest) => void) | undefined;
  /** Takes what the builder finds out. */
  #deliver: ((found: SourceMetadata | undefined) => void) | undefined;
  /** One question at a time. */
  #last: Promise<unknown> = Promise.resolve();
  #request: PolicyRequest | undefined;

  constructor(options: EvaluationOptions) {
    this.#options = options;
  }

  /**
   * Answers a question of the builder's: with a decision, or with what it is to find out first.
   *
   * @throws what the judge does; DeadlineError when it does not answer; AbortedError when nobody waits for it any more
   */
  next(request: PolicyRequest, { signal, milliseconds }: { signal: AbortSignal; milliseconds: number }) {
    this.#request = request;
    return new Promise<PolicyDecision>((resolve, reject) => {
      const fail = (error: Error) => {
        reject(error);
        this.close(error);
      };
      const onAbort = () => fail(new AbortedError(signal.reason));
      if (signal.aborted) return onAbort();
      signal.addEventListener("abort", onAbort, { once: true });
      const timer =
        milliseconds > 0
          ? setTimeout(() => fail(new DeadlineError("the policy", milliseconds)), timerDelay(milliseconds))
          : undefined;
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
      };
      this.#ask = (asked) => {
        this.#ask = undefined;
        done();
        resolve({ action: "resolve", request: asked });
      };
      if (request.Source && hasMetadata(request.Source)) this.#deliver?.(readMetadata(request.Source));
      this.#outcome ??= this.#begin(request);
      this.#outcome.then(resolve, reject).finally(done);
    });
  }

  /** What waits for the builder fails; what is still being judged learns that it is of no use. */
  close(reason: unknown): void {
    this.#link.abort(reason);
  }

  async #begin(request: PolicyRequest): Promise<PolicyDecision> {
    const resolve: ResolveSource = (wanted) => {
      const asked = this.#last.then(() => this.#resolveFor(wanted));
      // Whoever asks and does not wait is told nothing.
      asked.catch(() => {});
      this.#last = asked.catch(() => {});
      return asked;
    };
    return this.#options.judge(describeSource(request, { signal: this.#link.signal, resolve }));
  }

  async #resolveFor(wanted: Parameters<ResolveSource>[0]): Promise<SourceMetadata> {
    if ((wanted.attestations ?? false) === false) return this.#resolve(wanted);
    const image = (await this.#resolve({ ...wanted, attestations: false })) as ImageMetadata;
    const hasThem = await this.#options.isIndex(image.digest, this.#link.signal);
    return hasThem ? this.#resolve(wanted) : image;
  }

  async #resolve(wanted: Parameters<ResolveSource>[0]): Promise<SourceMetadata> {
    const request = this.#request as PolicyRequest;
    const key = JSON.stringify(wanted);
    const known = this.#seen.get(key);
    if (known) return known;
    const found = await new Promise<SourceMetadata | undefined>((resolve, reject) => {
      const { signal } = this.#link;
      const onAbort = () => reject(new AbortedError(signal.reason));
      if (signal.aborted) return onAbort();
      signal.addEventListener("abort", onAbort, { once: true });
      this.#deliver = (metadata) => {
        this.#deliver = undefined;
        signal.removeEventListener("abort", onAbort);
        resolve(metadata);
      };
      this.#ask?.(resolveRequest(request, wanted));
    });
    if (!found) throw new Error("the builder has found out nothing about the source");
    this.#seen.set(key, found);
    return found;
  }
}

function resolveRequest(
  request: PolicyRequest,
  { attestations = false, objects = false }: Parameters<ResolveSource>[0],
): gateway.ResolveSourceMetaRequest {
  const { identifier, attrs } = sourceOf(request);
  return create(gateway.ResolveSourceMetaRequestSchema, {
    // As it was asked about, or the builder refuses it.
    Source: { identifier, attrs },
    ...(request.Platform && { Platform: request.Platform }),
    ...(attestations !== false && {
      Image: {
        AttestationChain: true,
        ResolveAttestations: attestations === true ? [] : [...attestations],
      },
    }),
    ...(objects && { Git: { ReturnObject: true } }),
  });
}

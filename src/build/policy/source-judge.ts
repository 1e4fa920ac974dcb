import { create } from "@bufbuild/protobuf";
import { pb } from "../../buildkit/index.js";
import { AbortedError, type Redactor, isSlipwayError, messageOf } from "../../core/index.js";
import type { PolicyDecision, PolicyRequest } from "../../session/index.js";
import { withoutCredentials } from "../git-info.js";
import { platformOf, sourceOf } from "./describe-source.js";
import { PolicyError } from "./policy-error.js";
import { type SourceName, type Verdict, readVerdict } from "./read-verdict.js";
import { type EvaluationOptions, SourceEvaluation } from "./source-evaluation.js";
import { hasMetadata } from "./source-metadata.js";
import type { JudgedSource, PolicySource, SourcePolicy } from "./source-policy.js";

/** The policies of a build. */
export interface PlannedPolicies {
  policies: readonly SourcePolicy[];
  /** How long one may take for an answer, but for what the builder finds out meanwhile. */
  milliseconds: number;
}

/** What {@link SourceJudge} works with. */
export interface SourceJudgeOptions extends PlannedPolicies {
  redactor: Redactor;
  isIndex: EvaluationOptions["isIndex"];
  /** Is told, once, of each source that is denied or converted. */
  tell: (judged: JudgedSource) => void;
}

/** Conversions one after the other, at most: BuildKit itself gives up after ten questions, and does not say which source it was. */
const mostConversions = 3;
/** Sources that are listed; a step could ask for millions of URLs. */
const mostJudged = 10_000;

/** Lets a build's policies decide on its sources, and lists what they said. */
export class SourceJudge {
  readonly #options: SourceJudgeOptions;
  /** Those that wait for what the builder finds out, by source. */
  readonly #waiting = new Map<string, SourceEvaluation[]>();
  readonly #open = new Set<SourceEvaluation>();
  readonly #judged = new Map<string, JudgedSource>();
  /** How many conversions lead to a source. */
  readonly #depths = new Map<string, number>();

  constructor(options: SourceJudgeOptions) {
    this.#options = options;
  }

  /** All that was decided, each once, in the order of the decisions. */
  report(): JudgedSource[] {
    return [...this.#judged.values()];
  }

  /**
   * Decides on a source; undefined when it is allowed.
   *
   * @throws PolicyError for a policy that fails; AbortedError when the answer is not waited for any more
   */
  async decide(request: PolicyRequest, signal: AbortSignal): Promise<PolicyDecision | undefined> {
    const key = keyOf(request);
    const waiting = hasMetadata(request.Source) ? this.#waiting.get(key)?.shift() : undefined;
    const { isIndex, milliseconds } = this.#options;
    const judge = (source: PolicySource) => this.#judge(source, request);
    const evaluation = waiting ?? new SourceEvaluation({ judge, isIndex });
    this.#open.add(evaluation);
    try {
      const decision = await evaluation.next(request, { signal, milliseconds });
      if (decision.action === "resolve") {
        const others = this.#waiting.get(key);
        if (others) others.push(evaluation);
        else this.#waiting.set(key, [evaluation]);
        return decision;
      }
      this.#open.delete(evaluation);
      return decision.action === "allow" ? undefined : decision;
    } catch (error) {
      this.#open.delete(evaluation);
      if (!isSlipwayError(error, "DEADLINE")) throw error;
      const shown = this.#shown(sourceOf(request).identifier);
      throw new PolicyError(
        shown,
        `the policy did not answer within ${milliseconds / 1000} s whether ${shown} may be used`,
        error,
      );
    }
  }

  /** What still judges learns that the build is over. */
  close(): void {
    for (const evaluation of this.#open) evaluation.close(new AbortedError("the build has ended"));
    this.#open.clear();
    this.#waiting.clear();
  }

  async #judge(source: PolicySource, request: PolicyRequest): Promise<PolicyDecision> {
    const name = sourceOf(request);
    for (const [index, policy] of this.#options.policies.entries()) {
      const verdict = await this.#ask(policy, index, source, name);
      if (verdict.verdict === "allow") continue;
      if (verdict.verdict === "deny") {
        const reason = verdict.reason === undefined ? {} : { reason: this.#clean(verdict.reason) };
        this.#note(request, { verdict: "deny", ...reason });
        return { action: "deny", messages: Object.values(reason) };
      }
      return this.#convert(request, verdict);
    }
    this.#note(request, { verdict: "allow" });
    return { action: "allow" };
  }

  async #ask(policy: SourcePolicy, index: number, source: PolicySource, name: SourceName): Promise<Verdict> {
    const { policies } = this.#options;
    const shown = this.#shown(name.identifier);
    const which = policies.length > 1 ? `policy ${index + 1} of ${policies.length}` : "the policy";
    let given: unknown;
    try {
      given = await policy(source);
    } catch (error) {
      throw new PolicyError(shown, `${which} failed on ${shown}: ${this.#clean(messageOf(error))}`, error);
    }
    try {
      return readVerdict(given, name);
    } catch (error) {
      throw new PolicyError(shown, `${which} failed on ${shown}: it ${this.#clean(messageOf(error))}`);
    }
  }

  #convert(request: PolicyRequest, { to, reason }: Extract<Verdict, { verdict: "convert" }>): PolicyDecision {
    const depth = (this.#depths.get(keyOf(request)) ?? 0) + 1;
    const shown = this.#shown(sourceOf(request).identifier);
    if (depth > mostConversions)
      throw new PolicyError(
        shown,
        `the policies convert ${shown} again and again, at last to ${this.#shown(to.identifier)}`,
      );
    this.#depths.set(keyOf(request, to), depth);
    const why = reason === undefined ? {} : { reason: this.#clean(reason) };
    this.#note(request, { verdict: "convert", to: this.#shown(to.identifier), ...why });
    const { identifier, attrs } = to;
    return { action: "convert", update: create(pb.SourceOpSchema, { identifier, attrs: { ...attrs } }) };
  }

  #note(request: PolicyRequest, decided: Omit<JudgedSource, "source" | "platform">): void {
    const platform = platformOf(request);
    const judged: JudgedSource = {
      source: this.#shown(sourceOf(request).identifier),
      ...(platform !== "" && { platform }),
      ...decided,
    };
    const key = JSON.stringify(judged);
    if (this.#judged.has(key) || this.#judged.size >= mostJudged) return;
    this.#judged.set(key, judged);
    if (judged.verdict !== "allow") this.#options.tell(judged);
  }

  #shown(identifier: string): string {
    return this.#clean(withoutCredentials(identifier));
  }

  #clean(text: string): string {
    return this.#options.redactor.clean(text);
  }
}

/** Sources of the same key are the same to a policy. */
function keyOf(request: PolicyRequest, source: SourceName = sourceOf(request)): string {
  const attrs = Object.entries(source.attrs).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([source.identifier, attrs, platformOf(request)]);
}

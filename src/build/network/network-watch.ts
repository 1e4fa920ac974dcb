import type { BuildEvent, NetworkReport, NetworkRequest, Redactor } from "../../core/index.js";
import type { PolicyDecision, PolicyRequest } from "../../session/index.js";
import { withoutCredentials } from "../git-info.js";
import { hasMetadata } from "../policy/source-metadata.js";
import { hostRules } from "./host-rules.js";

/** What may be fetched by a build whose network goes through BuildKit's proxy. */
export interface ProxyNetwork {
  /** Hosts that may be asked: `example.com`, `*.example.com`, `example.com:8443`; no others. Default: all. */
  allowHosts?: readonly string[];
  /** Asked for each URL, of those that `allowHosts` allows; what it throws refuses it as well, and is the build's error if that fails. */
  allow?: (request: { url: string }) => boolean | Promise<boolean>;
}

/** Requests that are listed; a step could make millions. */
const mostRequests = 10_000;
/** What a step's log ends with when it has asked for something (BK solver/llbsolver/ops/exec.go). */
const marker = "proxy network requests:\n";
/** Bytes of the end of a step's log in which its requests are looked for. */
const tailBytes = 1 << 20;

/** Decides on what a build fetches, and lists it. */
export class NetworkWatch {
  readonly #policy: ProxyNetwork;
  readonly #redactor: Redactor;
  readonly #hosts: ((url: URL) => boolean) | undefined;
  readonly #requests = new Map<string, NetworkRequest[]>();
  /** Those about which the builder finds out more. */
  readonly #resolving = new Map<string, NetworkRequest[]>();
  #count = 0;
  #left = 0;
  readonly #names = new Map<string, string>();
  readonly #cached = new Set<string>();
  readonly #tails = new Map<string, string>();

  /** @throws InvalidArgumentError for a host that is none */
  constructor(policy: ProxyNetwork, redactor: Redactor) {
    this.#policy = policy;
    this.#redactor = redactor;
    this.#hosts = policy.allowHosts && hostRules(policy.allowHosts);
  }

  /**
   * Decides on a URL; undefined for a source that is none. `ADD` of one is asked for in the same way as what a step fetches. What is
   * let through here is left to `further`, where others decide.
   */
  async decide(
    request: PolicyRequest,
    further: () => Promise<PolicyDecision | undefined> = () => Promise.resolve(undefined),
  ): Promise<PolicyDecision | undefined> {
    const text = request.Source?.Source?.identifier ?? "";
    if (!/^https?:\/\//.test(text) || !URL.canParse(text)) return further();
    const shown = this.#redactor.clean(withoutCredentials(text));
    // What the builder was to find out more about is asked about once more.
    const listed = hasMetadata(request.Source) ? this.#resolving.get(shown)?.shift() : undefined;
    const entry = listed ?? this.#add({ url: shown, allowed: false });
    if (!listed) {
      const isAllowed =
        (this.#hosts?.(new URL(text)) ?? true) && ((await this.#policy.allow?.({ url: text })) ?? true);
      if (!isAllowed)
        return { action: "deny", messages: [`${shown} is not among what this build may fetch`] };
    }
    const decision = (await further()) ?? { action: "allow" };
    if (entry) this.#settle(entry, decision.action);
    return decision;
  }

  /** Learns from what the build tells: what came of the requests, and which steps asked nothing as they were cached. */
  take(event: BuildEvent): void {
    if (event.type !== "status") return;
    for (const { vertex, data } of event.logs) {
      const text = (this.#tails.get(vertex) ?? "") + Buffer.from(data).toString("utf8");
      const at = text.lastIndexOf(marker);
      // What a step prints is not kept, but for a marker that may not be whole yet.
      this.#tails.set(vertex, at >= 0 ? text.slice(at, at + tailBytes) : text.slice(-marker.length));
    }
    for (const { digest, name, cached, completed } of event.vertexes) {
      this.#names.set(digest, name);
      if (!completed) continue;
      if (cached && isRun(name)) this.#cached.add(name);
    }
  }

  /** All that was asked, in the order of asking. */
  report(): NetworkReport {
    for (const [vertex, text] of this.#tails) this.#complete(this.#names.get(vertex) ?? vertex, text);
    return {
      requests: [...this.#requests.values()].flat(),
      left: this.#left,
      cachedSteps: [...this.#cached].map((name) => this.#redactor.clean(name)),
    };
  }

  #settle(entry: NetworkRequest, action: PolicyDecision["action"]): void {
    entry.allowed = action === "allow";
    const of = this.#requests.get(entry.url);
    // Another is asked for in its place.
    if (action === "convert") of?.splice(of.indexOf(entry), 1);
    if (action === "resolve")
      this.#resolving.set(entry.url, [...(this.#resolving.get(entry.url) ?? []), entry]);
  }

  #add(request: NetworkRequest): NetworkRequest | undefined {
    if (this.#count >= mostRequests) {
      this.#left++;
      return undefined;
    }
    this.#count++;
    const same = this.#requests.get(request.url);
    if (same) same.push(request);
    else this.#requests.set(request.url, [request]);
    return request;
  }

  /** A step could print such lines itself, so only of URLs that were asked for is anything taken from them. */
  #complete(step: string, text: string): void {
    const at = text.lastIndexOf(marker);
    if (at < 0) return;
    for (const line of text.slice(at + marker.length).split("\n")) {
      const [, method = "", url = "", status] = /^- ([A-Z]+) (\S+)(?: -> (\d{3}))?$/.exec(line) ?? [];
      const shown = this.#redactor.clean(withoutCredentials(url));
      const request = this.#requests.get(shown)?.find((one) => one.allowed && one.method === undefined);
      if (!request) continue;
      request.method = method;
      request.step = this.#redactor.clean(step);
      if (status !== undefined) request.status = Number(status);
    }
  }
}

/** Whether a vertex is a RUN instruction, by its name. */
function isRun(name: string): boolean {
  return /^\[[^\]]+\] RUN /.test(name);
}

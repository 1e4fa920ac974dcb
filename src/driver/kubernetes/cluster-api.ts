import {
  type ClientRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request as requestPlain,
} from "node:http";
import { type RequestOptions, request as requestTls } from "node:https";
import { once } from "node:events";
import { abortError, isSlipwayError, messageOf, withDeadline } from "../../core/index.js";
import { DriverError } from "../driver-error.js";
import type { Cluster } from "./cluster.js";

/** One call, in ms. */
const callMilliseconds = 30_000;

/** Most of an answer that is read, in bytes: lists of pods and events are small. */
const mostAnswer = 32 << 20;

/** A refusal of the Kubernetes API, with its status (404: there is no such thing) and its reason in one word. */
export class ClusterApiError extends DriverError {
  readonly status: number;
  readonly reason: string;

  constructor(message: string, { status, reason }: { status: number; reason: string }) {
    super("DRIVER_API", message);
    this.status = status;
    this.reason = reason;
  }
}

/** Options of {@link ClusterApi.call}. */
export interface CallOptions {
  body?: object | undefined;
  signal?: AbortSignal | undefined;
}

/** Calls of the Kubernetes API. The connection, its TLS and its credentials are as the kubeconfig says. */
export class ClusterApi {
  readonly cluster: Cluster;

  constructor(cluster: Cluster) {
    this.cluster = cluster;
  }

  /**
   * Makes a call; `path` is from `/api` or `/apis` on, with the query.
   *
   * @throws ClusterApiError for a refusal; DriverError `DRIVER_CONNECT` when the API cannot be reached.
   */
  async call<T>(method: string, path: string, { body, signal }: CallOptions = {}): Promise<T> {
    const { server } = this.cluster;
    try {
      return await withDeadline(signal, callMilliseconds, `an answer of ${server}`, async (within) => {
        const { status, text } = await this.#send(method, path, body, within);
        if (status >= 200 && status < 300) return parsed(text, server) as T;
        throw refusal(status, text, server);
      });
    } catch (error) {
      if (signal?.aborted) throw abortError(signal);
      if (error instanceof DriverError) throw error;
      const why = causeOf(error);
      throw new DriverError("DRIVER_CONNECT", `cannot reach the Kubernetes API at ${server}: ${why}`, {
        cause: error,
      });
    }
  }

  /** The objects of a list. */
  async list<T extends object>(path: string, options: CallOptions = {}): Promise<T[]> {
    const { items } = await this.call<{ items?: unknown }>("GET", path, options);
    const list: unknown = items ?? []; // Go's for none
    if (!Array.isArray(list) || !list.every(isObject)) throw nonsense(this.cluster.server);
    return list as T[];
  }

  /** Like {@link call}; undefined for what is not there. */
  async find<T>(path: string, options: CallOptions = {}): Promise<T | undefined> {
    try {
      return await this.call<T>("GET", path, options);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** Options of Node's for a request, with certificates and credentials. */
  async requestOptions(): Promise<RequestOptions> {
    const options: RequestOptions = { headers: {} };
    try {
      await this.cluster.config.applyToHTTPSOptions(options);
    } catch (error) {
      throw this.#unusable("get", error);
    }
    return options;
  }

  async #send(
    method: string,
    path: string,
    body: object | undefined,
    signal: AbortSignal,
  ): Promise<{ status: number; text: string }> {
    const options = await this.requestOptions();
    const url = `${this.cluster.server}${path}`;
    const data = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const headers = {
      ...(options.headers as OutgoingHttpHeaders | undefined),
      accept: "application/json",
      ...(data && { "content-type": "application/json", "content-length": data.length }),
    };
    const call = this.#begin(url, { ...options, method, headers, signal });
    call.end(data);
    const [response] = (await once(call, "response")) as [IncomingMessage];
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > mostAnswer) throw new Error("the answer is too long");
      chunks.push(chunk);
    }
    return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") };
  }

  /** Certificates and tokens that cannot be are refused before anything is dialled. */
  #begin(url: string, options: RequestOptions): ClientRequest {
    try {
      return url.startsWith("https:") ? requestTls(url, options) : requestPlain(url, options);
    } catch (error) {
      throw this.#unusable("use", error);
    }
  }

  #unusable(verb: "get" | "use", cause: unknown): DriverError {
    const text = `cannot ${verb} the credentials for ${this.cluster.server} that the kubeconfig names: ${messageOf(cause)}`;
    return new DriverError("DRIVER_KUBECONFIG", text, { cause });
  }
}

/** True of a refusal because there is no such object. */
export function isNotFound(error: unknown): boolean {
  return error instanceof ClusterApiError && error.status === 404;
}

/** A name as a part of a path. */
export function pathPart(name: string): string {
  return encodeURIComponent(name);
}

/** All that is answered is an object, and what has a name has it among its metadata. */
function parsed(text: string, server: string): object {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch (error) {
    throw nonsense(server, error);
  }
  if (!isObject(answer)) throw nonsense(server);
  return answer;
}

function isObject(value: unknown): value is object {
  const metadata = (value as { metadata?: unknown } | null)?.metadata;
  const isRecord = (one: unknown) => typeof one === "object" && one !== null && !Array.isArray(one);
  return isRecord(value) && (metadata === undefined || isRecord(metadata));
}

function nonsense(server: string, cause?: unknown): DriverError {
  return new DriverError("DRIVER_CONNECT", `${server} does not answer as a Kubernetes API does`, { cause });
}

/** A refusal is a Status object; proxies on the way answer in other words. */
function refusal(status: number, text: string, server: string): ClusterApiError {
  let said: { message?: unknown; reason?: unknown } = {};
  try {
    said = Object(JSON.parse(text)) as typeof said;
  } catch {
    // Not JSON.
  }
  const message = typeof said.message === "string" ? said.message : `HTTP status ${status}`;
  const reason = typeof said.reason === "string" ? said.reason : "";
  return new ClusterApiError(`the Kubernetes API at ${server} refused: ${message.slice(0, 2_000)}`, {
    status,
    reason,
  });
}

/** Of several addresses that were tried, Node tells only in the errors below. */
function causeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0]);
  return isSlipwayError(error) ? error.message : messageOf(error);
}

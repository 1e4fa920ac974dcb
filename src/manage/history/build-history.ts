import { Builder, formatPlatformFully, isBuilder, normalizePlatform } from "../../builder/index.js";
import type { DaemonClient } from "../../driver/index.js";
import { type ImagePlatform, describeImage } from "../../build/index.js";
import { type control, readContent, streamContent, toStatusUpdate } from "../../buildkit/index.js";
import {
  InvalidArgumentError,
  type StatusUpdate,
  messageOf,
  readOptions,
  sideBySide,
  throwIfAborted,
  withGuardedEvents,
} from "../../core/index.js";
import { readBlobKinds, recordCallKinds, recordKinds, recordsKinds } from "../option-kinds.js";
import { type BuildAttachment, listAttachments } from "./attachments.js";
import { type BuildFailure, readFailure } from "./build-failure.js";
import { type BuildRecord, buildRecord, requireRecord } from "./build-record.js";
import { HistoryError } from "./history-error.js";
import type { HistoryOptions } from "./history.js";
import { type HistoryNode, openHistoryNodes } from "./history-node.js";
import { parseHistoryFilters } from "./history-filters.js";

/** Options of {@link BuildHistory.records}. */
export interface RecordsOptions {
  /** `status=error`, `startedAt<1h`, …: all must hold; see `history ls --filter`. */
  filters?: readonly string[];
  /** Leave out builds that run. Default false. */
  completedOnly?: boolean;
  /** Most records of each node, the newest; 0 for all. Default 50, as buildx asks for. */
  limit?: number;
  signal?: AbortSignal | undefined;
}

/** Options of calls about one record. */
export interface RecordCallOptions {
  signal?: AbortSignal | undefined;
}

/** Connects to the nodes of a builder; see `history()`. */
export async function openHistory(options: HistoryOptions): Promise<BuildHistory> {
  return withGuardedEvents(
    options.onEvent,
    (onEvent) => openGuarded({ ...options, onEvent }),
    (builds) => builds.close(),
  );
}

async function openGuarded(options: HistoryOptions): Promise<BuildHistory> {
  const { env, signal, onEvent } = options;
  const builder = isBuilder(options.builder)
    ? options.builder
    : await Builder.open({ name: options.builder, env, signal });
  const opened: HistoryNode[] = [];
  try {
    const nodes = await sideBySide(signal, builder.nodes, async (node, ending) => {
      const found = await openHistoryNodes(node, { sink: onEvent, signal: ending });
      opened.push(...found);
      return found;
    });
    return new BuildHistory(builder, nodes.flat());
  } catch (error) {
    await Promise.all(opened.map((node) => node.close()));
    throw error;
  }
}

/** What a builder remembers of its builds. Errors of the daemon are BuildkitErrors. */
export class BuildHistory implements AsyncDisposable {
  readonly builder: Builder;
  readonly #nodes: readonly HistoryNode[];

  /** Use `history()`. */
  /** @internal */
  constructor(builder: Builder, nodes: readonly HistoryNode[]) {
    this.builder = builder;
    this.#nodes = nodes;
  }

  /** The builds, newest first. @throws InvalidArgumentError for an invalid filter. */
  async records(options: RecordsOptions = {}): Promise<BuildRecord[]> {
    const given = readOptions("records()", options, recordsKinds);
    return this.#query("", this.#nodes, given);
  }

  /**
   * One build: by its id, by `builder/node/id`, or counted from the newest: `^0` (or an empty text) is the newest, `^1`
   * the one before. A build may be on several nodes; this is the newest of them.
   *
   * @throws HistoryError `HISTORY_NOT_FOUND`, InvalidArgumentError for an invalid offset, or a build of another builder.
   */
  async record(ref = "", options: Omit<RecordsOptions, "limit" | "filters"> = {}): Promise<BuildRecord> {
    const [found] = await this.recordsOf(ref, readOptions("record()", options, recordKinds));
    return found as BuildRecord;
  }

  /** All records of one build, newest first, at least one: on each node that took part in it. See {@link record}. */
  async recordsOf(
    ref: string,
    given: Omit<RecordsOptions, "limit" | "filters"> = {},
  ): Promise<BuildRecord[]> {
    const options = readOptions("recordsOf()", given, recordKinds);
    if (typeof ref !== "string")
      throw new InvalidArgumentError(
        "a build is named by a text: its id, builder/node/id, or ^ and a number",
      );
    if (ref === "" || ref.startsWith("^")) {
      const offset = offsetOf(ref);
      const all = await this.#query("", this.#nodes, options);
      const [found] = all.slice(offset);
      if (found) return all.filter(({ id }) => id === found.id);
      if (offset > all.length)
        throw new HistoryError(
          "HISTORY_NOT_FOUND",
          `no completed build found with offset ${offset - all.length}`,
        );
      throw notFound(ref);
    }
    const { id, nodes } = this.#locate(ref);
    const found = await this.#query(id, nodes, options);
    if (found.length === 0) throw notFound(ref);
    return found;
  }

  /** The build's progress: all of it for one that has ended, and on to the end for one that runs. */
  async *status(record: BuildRecord, options: RecordCallOptions = {}): AsyncGenerator<StatusUpdate> {
    const { signal } = readOptions("status()", options, recordCallKinds);
    const { control } = this.#clientOf(record);
    for await (const response of control.status({ Ref: record.id }, { ...(signal && { signal }) }))
      yield toStatusUpdate(response);
  }

  /** Why a build failed, with the place in the Dockerfile and the end of the step's output; undefined when it did not. */
  async failure(record: BuildRecord, options: RecordCallOptions = {}): Promise<BuildFailure | undefined> {
    const { signal } = readOptions("failure()", options, recordCallKinds);
    return readFailure(this.#clientOf(record), record, signal);
  }

  /** What the build left in the builder's content store: attestations, indexes and manifests. */
  async attachments(record: BuildRecord, options: RecordCallOptions = {}): Promise<BuildAttachment[]> {
    const { signal } = readOptions("attachments()", options, recordCallKinds);
    return listAttachments(this.#clientOf(record), record, signal);
  }

  /** Platforms and layers of the image that the build gave; empty when it gave none, or the builder no longer has it. */
  async images(record: BuildRecord, options: RecordCallOptions = {}): Promise<ImagePlatform[]> {
    const { signal } = readOptions("images()", options, recordCallKinds);
    const results = [record.result, ...Object.values(record.results)];
    const [result] = results.flatMap((blobs) => blobs?.results ?? []);
    const digest = result?.digest ?? record.exporterResponse["containerimage.digest"];
    return digest === undefined ? [] : describeImage(this.#clientOf(record), digest, signal);
  }

  /** A blob of the record whole, its digest checked; `limit` in bytes, default 16 MiB. */
  async readBlob(
    record: BuildRecord,
    digest: string,
    options: RecordCallOptions & { limit?: number } = {},
  ): Promise<Buffer> {
    const given = readOptions("readBlob()", options, readBlobKinds);
    return readContent(this.#clientOf(record), digest, given);
  }

  /** A blob of the record piece by piece; its digest is checked at the end. */
  async *streamBlob(
    record: BuildRecord,
    digest: string,
    options: RecordCallOptions = {},
  ): AsyncGenerator<Uint8Array> {
    const given = readOptions("streamBlob()", options, recordCallKinds);
    yield* streamContent(this.#clientOf(record), digest, given);
  }

  /**
   * Forgets builds, by id or `builder/node/id`, and with them what only they kept in the content store.
   *
   * @throws HistoryError `HISTORY_REMOVE` naming those that no node could remove; the others are removed.
   */
  async remove(refs: readonly string[], options: RecordCallOptions = {}): Promise<void> {
    const { signal } = readOptions("remove()", options, recordCallKinds);
    if (!Array.isArray(refs) || !refs.every((ref) => typeof ref === "string"))
      throw new InvalidArgumentError("remove() takes a list of builds, by id or builder/node/id");
    const failures: string[] = [];
    for (const ref of refs) {
      const { id, nodes } = this.#locate(ref);
      const outcomes = await Promise.allSettled(
        nodes.map((node) => update(node, { Ref: id, Delete: true }, signal)),
      );
      throwIfAborted(signal);
      if (outcomes.some(({ status }) => status === "fulfilled")) continue;
      const reasons = outcomes.map((outcome) =>
        outcome.status === "rejected" ? messageOf(outcome.reason) : "",
      );
      failures.push(`${ref}: ${reasons.join("; ") || "no such node"}`);
    }
    if (failures.length > 0)
      throw new HistoryError("HISTORY_REMOVE", `failed to remove ${failures.join("\n")}`);
  }

  /** Forgets all builds that have ended. */
  async removeAll(options: RecordCallOptions = {}): Promise<void> {
    const { signal } = readOptions("removeAll()", options, recordCallKinds);
    await sideBySide(signal, this.#nodes, async (node, ending) => {
      const request = { Ref: "", EarlyExit: true, Limit: 0, Filter: [] };
      const records = await this.#listen(node, request, ending);
      for (const { id, status } of records)
        if (status !== "running") await update(node, { Ref: id, Delete: true }, ending);
    });
  }

  /** Makes the daemon write down what it still holds of an ended build, its trace above all, and reads the record anew. */
  async finalize(record: BuildRecord, options: RecordCallOptions = {}): Promise<BuildRecord> {
    const { signal } = readOptions("finalize()", options, recordCallKinds);
    const node = this.#nodeOf(record);
    await update(node, { Ref: record.id, Finalize: true }, signal);
    const [found] = await this.#query(record.id, [node], { completedOnly: true, signal });
    if (!found)
      throw new HistoryError("HISTORY_NOT_FOUND", `build record ${JSON.stringify(record.id)} was deleted`);
    return found;
  }

  /** What a node builds for when nothing is asked, the first platform of its workers; empty when they name none. */
  async defaultPlatform(node: string, options: RecordCallOptions = {}): Promise<string> {
    const { signal } = readOptions("defaultPlatform()", options, recordCallKinds);
    const found = this.#nodes.find(({ name }) => name === node);
    const workers = (await found?.client.workers({ signal })) ?? [];
    const [platform] = workers.flatMap(({ platforms }) => platforms);
    if (!platform) return "";
    const { OS: os, Architecture: architecture, Variant: variant } = platform;
    return formatPlatformFully(normalizePlatform({ os, architecture, ...(variant && { variant }) }));
  }

  /** Ends all connections. Idempotent. */
  async close(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** What `builder/node/id` or an id alone names. */
  #locate(ref: string): { id: string; nodes: readonly HistoryNode[] } {
    const [builder, nodeName, id, ...rest] = ref.split("/");
    if (id === undefined || rest.length > 0) return { id: ref, nodes: this.#nodes };
    if (builder !== this.builder.name)
      throw new InvalidArgumentError(
        `build ${ref} is of builder ${builder}, not of ${this.builder.name}; choose it with --builder`,
      );
    return { id, nodes: this.#nodes.filter(({ name }) => name === nodeName) };
  }

  async #query(id: string, nodes: readonly HistoryNode[], options: RecordsOptions): Promise<BuildRecord[]> {
    const { filters = [], limit = 50, completedOnly = false, signal } = options;
    const filter = parseHistoryFilters(filters);
    const request = { Ref: id, EarlyExit: true, Limit: limit, Filter: filter.request };
    const found = await sideBySide(signal, nodes, (node, ending) => this.#listen(node, request, ending));
    return found
      .flat()
      .filter((record) => filter.matches(record) && !(completedOnly && record.status === "running"))
      .sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime());
  }

  async #listen(
    { name: node, instance, client }: HistoryNode,
    request: { Ref: string; EarlyExit: boolean; Limit: number; Filter: string[] },
    signal: AbortSignal | undefined,
  ): Promise<BuildRecord[]> {
    let now = new Date();
    const onHeader = (headers: Headers) => {
      const time = Date.parse(headers.get(timeHeader) ?? "");
      if (!Number.isNaN(time)) now = new Date(time);
    };
    const events: control.BuildHistoryRecord[] = [];
    let bytes = 0;
    const options = { onHeader, ...(signal && { signal }) };
    for await (const { type, record } of client.control.listenBuildHistory(request, options))
      if (record && type !== deletedEvent) {
        events.push(record);
        bytes += recordBytes(record);
        if (events.length > mostRecords || bytes > mostRecordBytes)
          throw new HistoryError(
            "HISTORY_TOO_LARGE",
            `builder ${this.builder.name} has more than ${mostRecords} records, or ${mostRecordBytes} bytes of them`,
          );
      }
    const { name: builder, store } = this.builder;
    return Promise.all(
      events.map(async (wire) => {
        // A note beside the history; when it cannot be read the record still can.
        const localState = await store.localState.readRef(builder, node, wire.Ref).catch(() => undefined);
        return buildRecord({ builder, node, instance, wire, localState, now });
      }),
    );
  }

  #clientOf(record: BuildRecord): DaemonClient {
    return this.#nodeOf(record).client;
  }

  #nodeOf(record: BuildRecord): HistoryNode {
    const { node, instance, ref } = requireRecord(record);
    const found = this.#nodes.find((one) => one.name === node && one.instance === instance);
    if (!found) throw new InvalidArgumentError(`build ${ref} is not of builder ${this.builder.name}`);
    return found;
  }
}

async function update(
  { client }: HistoryNode,
  request: { Ref: string; Delete?: boolean; Finalize?: boolean },
  signal: AbortSignal | undefined,
): Promise<void> {
  await client.control.updateBuildHistory(request, { ...(signal && { signal }) });
}

/** Records of one node that are read, and bytes of their texts: a daemon keeps 50 of them if not told else. */
const mostRecords = 20_000;
const mostRecordBytes = 32 << 20;

/** About what a record keeps: its texts, and its parts. */
function recordBytes(record: control.BuildHistoryRecord): number {
  const { Ref, FrontendAttrs, ExporterResponse, error, Exporters, Result, Results } = record;
  let bytes = 500 + Ref.length + (error?.message.length ?? 0);
  const maps = [FrontendAttrs, ExporterResponse, ...Exporters.map(({ Attrs }) => Attrs)];
  for (const map of maps)
    for (const [key, value] of Object.entries(map)) bytes += 50 + key.length + value.length;
  for (const result of [...(Result ? [Result] : []), ...Object.values(Results)])
    for (const blob of [...result.Attestations, ...Object.values(result.Results)]) {
      bytes += 300 + blob.digest.length + blob.mediaType.length;
      for (const [key, value] of Object.entries(blob.annotations)) bytes += 50 + key.length + value.length;
    }
  return bytes;
}

const timeHeader = "buildkit-current-timestamp";
/** BuildHistoryEventType DELETED. */
const deletedEvent = 2;

function offsetOf(ref: string): number {
  if (ref === "") return 0;
  const offset = Number(ref.slice(1));
  if (!/^\^\d+$/.test(ref) || !Number.isSafeInteger(offset))
    throw new InvalidArgumentError(`invalid offset ${JSON.stringify(ref)}`);
  return offset;
}

function notFound(ref: string): HistoryError {
  const text = ref === "" ? "no records found" : `no record found for ref ${JSON.stringify(ref)}`;
  return new HistoryError("HISTORY_NOT_FOUND", text);
}

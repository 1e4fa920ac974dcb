import { readOptions } from "../core/index.js";
import { type Filters, encodeFilters } from "./filters.js";
import { volumeSegment } from "./names.js";
import { callKinds, listKinds, removeVolumeKinds } from "./option-kinds.js";
import type { CallOptions, Transport } from "./transport.js";
import type { Volume, VolumeCreateBody } from "./wire-system.js";

/** Calls on volumes. */
export class Volumes {
  readonly #transport: Transport;

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Makes a volume, or gives the one that is there by that name. */
  async create(body: VolumeCreateBody, options: CallOptions = {}): Promise<Volume> {
    if (body.Name !== undefined) volumeSegment(body.Name);
    const call = readOptions("volumes.create()", options, callKinds);
    return this.#transport.json({ ...call, method: "POST", path: "/volumes/create", json: body });
  }

  /** @throws EngineError `ENGINE_NOT_FOUND`. */
  async inspect(name: string, options: CallOptions = {}): Promise<Volume> {
    const call = readOptions("volumes.inspect()", options, callKinds);
    return this.#transport.json({ ...call, method: "GET", path: `/volumes/${volumeSegment(name)}` });
  }

  /** The engine's volumes. */
  async list(options: CallOptions & { filters?: Filters } = {}): Promise<Volume[]> {
    const { filters, ...rest } = readOptions("volumes.list()", options, listKinds);
    const answer = await this.#transport.json<{ Volumes: Volume[] | null }>({
      ...rest,
      method: "GET",
      path: "/volumes",
      query: { filters: encodeFilters(filters) },
    });
    return answer.Volumes ?? [];
  }

  /**
   * Removes a volume. No deadline unless given: a large one takes minutes (buildx #4067).
   *
   * @throws EngineError `ENGINE_CONFLICT` when a container uses it.
   */
  async remove(name: string, options: CallOptions & { force?: boolean } = {}): Promise<void> {
    const { force, ...rest } = readOptions("volumes.remove()", options, removeVolumeKinds);
    await this.#transport.send({
      milliseconds: 0,
      ...rest,
      method: "DELETE",
      path: `/volumes/${volumeSegment(name)}`,
      query: { force: force || undefined },
    });
  }
}

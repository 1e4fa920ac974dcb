import { bake } from "./workloads/bake.mjs";
import { drivers } from "./workloads/drivers.mjs";
import { exports } from "./workloads/exports.mjs";
import { loads } from "./workloads/loads.mjs";
import { replays } from "./workloads/replays.mjs";
import { small } from "./workloads/small.mjs";
import { uploads } from "./workloads/uploads.mjs";

/**
 * One thing that is measured.
 *
 * @typedef {object} Workload
 * @property {string} id
 * @property {string} title what stands in the table
 * @property {string[]} ways what is run, one after the other; the first is what the others are compared with. Default `buildx`, `exec`, `socket`
 * @property {string[]} engines engines that the table wants it for. Default the one with the classic store
 * @property {Record<string, { wall?: number, cpu?: number, rss?: number }>} targets by way: ratios, and bytes
 * @property {[number, number]} seconds what preparing and a round take, roughly, until it is known better
 * @property {number} [repeat] rounds for each pair that is asked for; more for what takes little
 * @property {number} [mostPairs] pairs that are made at most
 * @property {boolean} [beside] all ways run at the same time
 * @property {(bench: object) => unknown} [prepare] once, before anything is measured
 * @property {(bench: object, way: string) => unknown} [reset] before each run
 * @property {(bench: object, way: string) => Promise<import("./measure.mjs").Usage>} run
 */

/** Everything that is measured, in the table's order. @type {Workload[]} */
export const workloads = [...small, ...uploads, ...exports, ...loads, ...drivers, ...bake, ...replays].map(
  (workload) => ({
    ways: ["buildx", "exec", "socket"],
    engines: ["docker"],
    targets: {},
    repeat: 1,
    ...workload,
  }),
);

import { goFixed, secondsOf } from "../core/index.js";
import { type Palette, paint } from "./colors.js";
import type { Job } from "./jobs.js";
import { cutToWidth, isPlainAscii, padToWidth, textWidth } from "./text-width.js";

/** What one picture of the terminal display is made from. */
export interface FrameInput {
  jobs: readonly Job[];
  phase: string;
  /** Right end of the header: `docker-container:default`. */
  description: string;
  /** Seconds since the build began. */
  elapsed: number;
  completed: number;
  total: number;
  width: number;
  height: number;
  /** The last picture: all jobs, whatever the height. */
  final: boolean;
  now: number;
  palette: Palette;
  /** BUILDKIT_TTY_LOG_LINES, or 6. */
  logLines: number;
}

/** Fewest rows of a log window (progressui termHeightMin). */
const leastLogLines = 6;
/** Columns that a log window leaves free (progressui termPad). */
export const windowMargin = 10;

/** The lines of one picture, header first, none wider than the terminal. */
export function renderFrame(input: FrameInput): string[] {
  const { width, height, jobs, final } = input;
  const { windows, hidden, logLines } = chooseWindows(input);
  const shown = final ? jobs : fitHeight(jobs, height - 2 - hidden);
  const lines = [header(input)];
  for (const job of shown) {
    const line = jobLine(job, input);
    if (line === undefined) continue;
    lines.push(line);
    if (!job.vertex?.window || !windows.has(job)) continue;
    job.vertex.window.resize(logLines, width - windowMargin);
    for (const text of job.vertex.window.lines())
      lines.push(paint(padToWidth(` => => # ${text}`, width - 1), "2"));
    job.vertex.windowCount++;
  }
  return lines;
}

function header({ phase, description, elapsed, completed, total, width, final }: FrameInput): string {
  const finished = completed > 0 && completed === total && final ? "FINISHED" : "";
  const left = `[+] ${phase} ${goFixed(elapsed, 1)}s (${completed}/${total}) ${finished}`;
  const line = description ? align(left, description, width - 1) : align(left, "", width);
  return cutToWidth(line, width);
}

function jobLine(job: Job, { width, now, palette }: FrameInput): string | undefined {
  if (job.intervals.length === 0) return undefined;
  const prefix = " => ";
  let seconds = secondsOf(job.intervals, now);
  if (seconds < 0.05) seconds = 0;
  const timer = ` ${goFixed(seconds, 1).padStart(3)}s`;
  // One column stays free at the right edge, so that no terminal wraps.
  let room = width - prefix.length - timer.length - 2;
  const showStatus = job.status !== "" && room + job.status.length > 20;
  if (showStatus) room -= job.status.length + 1;
  if (room < 12) return undefined;
  const text = prefix + cutToWidth(job.name, room) + (showStatus ? ` ${job.status}` : "");
  const line = align(text, timer, width - 1);
  if (!job.completed) return line;
  return paint(line, job.canceled ? palette.cancel : job.failed ? palette.error : palette.run);
}

/** `left`, filled up so that `right` ends at column `width`. */
function align(left: string, right: string, width: number): string {
  const start = width - textWidth(right);
  // Terminals differ in how wide some characters are, so behind these the column is named (after erasing what was there).
  const column = isPlainAscii(left) || start < 1 ? "" : `\x1b[K\x1b[${start + 1}G`;
  return `${padToWidth(left, start - 1)} ${column}${right}`;
}

/** Which running steps get a log window: those that printed most, as far as rows are free. */
function chooseWindows({ jobs, height, logLines: wanted }: FrameInput) {
  const logLines = Math.max(leastLogLines, Math.min(wanted, height - leastLogLines - 1));
  const weight = ({ vertex }: Job) => (vertex?.windowBytes ?? 0) + (vertex?.windowCount ?? 0) * 50;
  const candidates = jobs
    .filter((job) => !job.completed && job.vertex?.window && job.vertex.windowBytes > 0)
    .sort((a, b) => weight(b) - weight(a));
  const limit = logLines + 3;
  let free = height - 2 - jobs.filter((job) => !job.completed).length;
  let hidden = 0;
  const windows = new Set<Job>();
  for (const job of candidates) {
    if (free <= limit) break;
    windows.add(job);
    hidden += job.vertex?.window?.lines().length ?? 0;
    free -= limit;
  }
  return { windows, hidden, logLines };
}

/** The last `limit` jobs; unfinished ones that this would cut take the place of the first finished ones. */
function fitHeight(jobs: readonly Job[], limit: number): readonly Job[] {
  if (limit <= 0) return [];
  if (jobs.length <= limit) return jobs;
  const cut = jobs.length - limit;
  const unfinished = jobs.slice(0, cut).filter((job) => !job.completed);
  if (unfinished.length === 0) return jobs.slice(cut);
  // progressui wrapHeight: only among as many of the first rows as there are unfinished jobs above.
  const kept = jobs.slice(cut).filter((job, index) => !job.completed || index >= unfinished.length);
  return [...unfinished.slice(unfinished.length - (limit - kept.length)), ...kept];
}

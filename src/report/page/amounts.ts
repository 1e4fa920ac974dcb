import { formatAmount } from "../../progress/index.js";

/** `4 ms`, `1.2 s`, `48 s`, `3 min 05 s`: as exact as one wants to read it. */
export function duration(milliseconds: number): string {
  if (milliseconds < 100) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${String(whole % 60).padStart(2, "0")} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

/** `512 B`, `1.05 MB`. */
export function amount(bytes: number): string {
  return formatAmount(bytes).replace(/(?<=\d)(?=[a-zA-Z])/, " ");
}

/** `35 MB/s`; empty where time was too short to tell. */
export function rate(bytes: number, milliseconds: number): string {
  return milliseconds < 5 ? "" : `${amount(Math.round((bytes * 1000) / milliseconds))}/s`;
}

/** A part of a whole for people: `37 %`, `<1 %`. */
export function share(part: number, whole: number): string {
  const percents = (100 * part) / whole;
  return percents > 0 && percents < 1 ? "<1 %" : `${Math.round(percents)} %`;
}

/** A part of a whole in percent, as an SVG length: `12.345%`. */
export function percent(part: number, whole: number): string {
  return `${whole > 0 ? Number(((100 * part) / whole).toFixed(3)) : 0}%`;
}

/** `1 step`, `2 steps`. */
export function count(number: number, singular: string): string {
  return `${number.toLocaleString("en")} ${singular}${number === 1 ? "" : "s"}`;
}

/** A mark on an axis of time: where, in milliseconds, and what is written there. */
export interface Tick {
  at: number;
  label: string;
}

/** Round times to put marks at, at most `most` of them beside the zero; no two read the same. */
export function ticks(milliseconds: number, most: number): Tick[] {
  const steps = [
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000,
  ].concat([300_000, 600_000, 1_200_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000, 43_200_000]);
  const step =
    steps.find((each) => milliseconds / each <= most) ??
    43_200_000 * Math.ceil(milliseconds / most / 43_200_000);
  const label = (at: number) => {
    if (milliseconds < 1000) return `${at} ms`;
    if (step < 1000) return `${(at / 1000).toFixed(1)} s`;
    if (at < 60_000) return duration(at);
    // Short, for there is little room: `90 min`, `1:30`.
    const [minutes, seconds] = [Math.floor(at / 60_000), (at / 1000) % 60];
    if (step % 3_600_000 === 0) return `${minutes / 60} h`;
    return step % 60_000 === 0 ? `${minutes} min` : `${minutes}:${String(seconds).padStart(2, "0")}`;
  };
  const marks: Tick[] = [{ at: 0, label: "0" }];
  for (let at = step; at <= milliseconds; at += step) marks.push({ at, label: label(at) });
  return marks;
}

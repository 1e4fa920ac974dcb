import type { HttpResponse } from "./registry-http.js";

/** Tries after the first. */
export const maxRetries = 3;
/** Longest wait that a server may ask for, ms. */
const longestDelay = 30_000;
/** Passing states of registries, token servers and what stands before them (buildkit util/resolver/retryhandler). */
const passing = new Set([408, 429, 500, 502, 503, 504]);

/** True for a status that the same request may not meet a moment later. */
export function isPassing(status: number): boolean {
  return passing.has(status);
}

/** How long to wait before the next try, ms: what `Retry-After` says, in seconds or as a date, else twice as long each time. */
export function retryDelay(headers: HttpResponse["headers"] | undefined, attempt: number): number {
  const given = headers?.["retry-after"];
  const text = Array.isArray(given) ? given[0] : given;
  const asked =
    text === undefined ? NaN : /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isFinite(asked) ? Math.min(Math.max(asked, 0), longestDelay) : 500 * 2 ** attempt;
}

/** Node's and undici's errors that mean that the connection broke under a request. */
const resetCodes = new Set(["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"]);

/** Whether one of the error's causes is a connection that broke. */
export function isReset(error: unknown): boolean {
  for (let at: unknown = error; at instanceof Error; at = at.cause)
    if (resetCodes.has((at as NodeJS.ErrnoException).code ?? "")) return true;
  return false;
}

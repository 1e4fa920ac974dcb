import type { Readable } from "node:stream";
import { isSlipwayError, parseJson } from "../core/index.js";
import { collect } from "./collect.js";

const maxErrorBytes = 64 * 1024;

/**
 * What a refusal says, from its body: engines answer `{"message": …}`; a proxy in front of them may answer anything. Of
 * that the beginning is given, on one line. Empty when there is no text, or far too much.
 */
export async function refusalText(body: Readable): Promise<string> {
  let text: string;
  try {
    text = (await collect(body, maxErrorBytes)).toString("utf8").trim();
  } catch (error) {
    if (isSlipwayError(error, "ENGINE_TOO_LARGE") || isSlipwayError(error, "ENGINE_CONNECTION_LOST"))
      return "";
    throw error;
  }
  try {
    const value: unknown = parseJson(text);
    const message = (value as { message?: unknown } | null)?.message;
    if (typeof message === "string") return message.trim();
  } catch {
    // Not JSON: its beginning, on one line, is the best there is.
  }
  return text.replace(/\s+/g, " ").slice(0, 300);
}

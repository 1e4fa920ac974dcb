import { isSlipwayError, messageOf, parseJson } from "../core/index.js";
import { isJsonObject, type JsonObject } from "../config/index.js";
import type { HttpResponse } from "./registry-http.js";
import { RegistryError } from "./registry-error.js";

/**
 * Reads a body whole, at most `limit` bytes, checked before it is kept.
 *
 * @throws RegistryError `REGISTRY_PROTOCOL` when it is longer, the rest is not read then, or breaks off.
 */
export async function readBody(response: HttpResponse, limit: number, what: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    // Leaving the loop destroys the stream, and with it the connection.
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > limit)
        throw new RegistryError("REGISTRY_PROTOCOL", `${what} is longer than ${limit} bytes`);
      chunks.push(chunk);
    }
  } catch (cause) {
    if (isSlipwayError(cause)) throw cause;
    throw new RegistryError("REGISTRY_PROTOCOL", `${what} broke off: ${messageOf(cause)}`, {
      cause,
      retryable: true,
    });
  }
  return Buffer.concat(chunks, length);
}

/** Reads the JSON object of a body. The error names `what` and never quotes the body. */
export async function readJson(response: HttpResponse, limit: number, what: string): Promise<JsonObject> {
  const body = await readBody(response, limit, what);
  let value: unknown;
  try {
    value = parseJson(body.toString("utf8"));
  } catch {
    value = undefined;
  }
  if (!isJsonObject(value)) throw new RegistryError("REGISTRY_PROTOCOL", `${what} is not a JSON object`);
  return value;
}

/**
 * What a refusal says of itself, in one line of at most 300 characters, empty when nothing: `errors[].message` of the
 * distribution specification, or `details`, `message`, `error_description` as token servers write it.
 */
export async function readRefusal(response: HttpResponse): Promise<string> {
  let answer: JsonObject;
  try {
    answer = await readJson(response, 64 * 1024, "answer");
  } catch {
    // The status stands by itself.
    return "";
  }
  const { errors } = answer;
  const listed = Array.isArray(errors)
    ? errors.filter(isJsonObject).map(({ code, message }) => [code, message].filter(isText).join(": "))
    : [];
  const single = ["details", "error_description", "message", "error"]
    .map((name) => answer[name])
    .find(isText);
  const text = listed.length > 0 ? listed.join("; ") : (single ?? "");
  return text
    .replace(/[^\P{C}]+|\s+/gu, " ")
    .trim()
    .slice(0, 300);
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

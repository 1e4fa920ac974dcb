import { parseGoBool } from "../../config/index.js";
import type { ByteString } from "../../fs/index.js";
import type { ServerCall } from "../../http2/index.js";

/** What a builder asks for with DiffCopy (buildkit session/filesync/filesync.go, handle). */
export interface SyncRequest {
  /** Name of the directory, `""` when none was given. */
  dirName: ByteString;
  include: ByteString[] | undefined;
  exclude: ByteString[] | undefined;
  followPaths: ByteString[] | undefined;
}

/** Reads the request out of the call's headers, in which every pattern is a value of its own. */
export function readSyncRequest(call: ServerCall): SyncRequest {
  return {
    dirName: headerList(call, "dir-name")?.[0] ?? "",
    include: headerList(call, "include-patterns"),
    exclude: headerList(call, "exclude-patterns"),
    followPaths: headerList(call, "followpaths"),
  };
}

/** With `<key>-encoded` set, all values are query-escaped since one is not ASCII (filesync.go, decodeOpts). */
function headerList(call: ServerCall, key: string): ByteString[] | undefined {
  const values = call.headerValues(key);
  if (values.length === 0) return undefined;
  const encoded = parseGoBool(call.header(`${key}-encoded`) ?? "") === true;
  return encoded ? values.map((value) => queryUnescape(value) ?? "") : values;
}

/** Go's `url.QueryUnescape`, into bytes: `+` is a space. `undefined` for a `%` without two hex digits. */
export function queryUnescape(text: string): ByteString | undefined {
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return undefined;
  return text
    .replaceAll("+", " ")
    .replace(/%(..)/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 16)));
}

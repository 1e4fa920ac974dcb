import { createHash, randomUUID } from "node:crypto";
import { CtyError } from "../cty-error.js";
import { decodeJson } from "../decode-json.js";
import { encodeJson } from "../encode-json.js";
import { goQuote } from "../go-quote.js";
import { type Type, dynamicType, listOf, objectOf, stringType } from "../types.js";
import { type Value, listValue, objectValue, textOf, textValue, unknownValue } from "../value.js";
import { any, at, define, open, text } from "./define.js";
import { readCsv } from "./read-csv.js";
import { mapped } from "./strings.js";

const str = [text("str")];

export const base64Encode = mapped(str, ([given]) => Buffer.from(given, "utf8").toString("base64"));

export const base64Decode = mapped(str, ([given]) => {
  const compact = given.replace(/[\r\n]/g, "");
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(compact)) {
    throw new CtyError(`failed to decode base64 data '${given}'`);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.from(compact, "base64"));
  } catch {
    throw new CtyError("the result of decoding the the provided string is not valid UTF-8");
  }
});

/** Go's `url.QueryEscape`. */
export const urlEncode = mapped(str, ([given]) =>
  encodeURIComponent(given)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+"),
);

export const hash = (algorithm: string) =>
  mapped(str, ([given]) => createHash(algorithm).update(given).digest("hex"));

export const jsonEncode = define([any("val", open)], stringType, (args) =>
  at(args, 0).isWhollyKnown ? textValue(encodeJson(at(args, 0))) : unknownValue(stringType),
);

export const jsonDecode = define(
  str,
  (args) => (at(args, 0).isKnown ? decodeJson(textOf(at(args, 0))).type : dynamicType),
  (args) => decodeJson(textOf(at(args, 0))),
);

export const csvDecode = define(str, csvType, (args, type) => {
  const [header, ...rows] = readCsv(textOf(at(args, 0)));
  const columns = header as string[];
  const objects = rows.map((row) =>
    objectValue(columns.map((name, position): [string, Value] => [name, textValue(row[position] as string)])),
  );
  return listValue(objects, (type as { element: Type }).element);
});

function csvType(args: readonly Value[]): Type {
  const given = at(args, 0);
  if (!given.isKnown) return dynamicType;
  const [columns] = readCsv(textOf(given), 1);
  if (!columns) throw new CtyError("missing header line");
  const repeated = columns.find((name, position) => columns.indexOf(name) < position);
  if (repeated !== undefined) throw new CtyError(`duplicate column name ${goQuote(repeated)}`);
  return listOf(objectOf(columns.map((name) => [name, stringType])));
}

export const uuidV4 = define([], stringType, () => textValue(randomUUID()));

const namespaces: Record<string, string> = {
  dns: "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
  url: "6ba7b811-9dad-11d1-80b4-00c04fd430c8",
  oid: "6ba7b812-9dad-11d1-80b4-00c04fd430c8",
  x500: "6ba7b814-9dad-11d1-80b4-00c04fd430c8",
};

export const uuidV5 = mapped([text("namespace"), text("name")], ([namespace, name]) => {
  const known = Object.hasOwn(namespaces, namespace) ? (namespaces[namespace] as string) : namespace;
  const bare =
    /^(?:urn:uuid:|\{)?([0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12})\}?$/i.exec(known);
  if (!bare) {
    throw new CtyError(
      `uuidv5() doesn't support namespace ${namespace} (invalid UUID length: ${namespace.length})`,
    );
  }
  const space = Buffer.from((bare[1] as string).replaceAll("-", ""), "hex");
  const digest = createHash("sha1").update(space).update(name).digest().subarray(0, 16);
  digest[6] = ((digest[6] as number) & 0x0f) | 0x50;
  digest[8] = ((digest[8] as number) & 0x3f) | 0x80;
  return digest.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
});

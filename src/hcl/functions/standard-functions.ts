import { homedir } from "node:os";
import type { HclFunction } from "../call-function.js";
import { CtyError } from "../cty-error.js";
import { numberType, stringType, type Type } from "../types.js";
import { textValue } from "../value.js";
import * as arithmetic from "./arithmetic.js";
import { define, number, text, variadic } from "./define.js";
import * as encoding from "./encoding.js";
import { can, convertTo, tryFirst } from "./evaluation.js";
import { format, formatList } from "./format.js";
import * as lists from "./lists.js";
import * as logic from "./logic.js";
import * as maps from "./maps.js";
import * as networks from "./networks.js";
import * as patterns from "./patterns.js";
import * as sets from "./sets.js";
import * as strings from "./strings.js";
import * as times from "./times.js";
import { semverCompare } from "./versions.js";

const bytes: Type = { kind: "capsule", name: "bytes" };

const table: Record<string, HclFunction> = {
  absolute: arithmetic.absolute,
  add: arithmetic.add,
  and: logic.and,
  base64decode: encoding.base64Decode,
  base64encode: encoding.base64Encode,
  basename: strings.basename,
  bcrypt: variadic([text("str")], number("cost"), stringType, refused("bcrypt")),
  // No value of this type can be made in a definition: every call fails.
  byteslen: define([{ name: "buf", type: bytes, allowDynamic: true }], numberType, refused("byteslen")),
  bytesslice: define(
    [{ name: "buf", type: bytes, allowDynamic: true }, number("offset"), number("length")],
    bytes,
    refused("bytesslice"),
  ),
  can,
  ceil: arithmetic.ceil,
  chomp: strings.chomp,
  chunklist: lists.chunkList,
  cidrhost: networks.cidrHost,
  cidrnetmask: networks.cidrNetmask,
  cidrsubnet: networks.cidrSubnet,
  cidrsubnets: networks.cidrSubnets,
  coalesce: lists.coalesce,
  coalescelist: lists.coalesceList,
  compact: lists.compact,
  concat: lists.concat,
  contains: lists.contains,
  convert: convertTo,
  csvdecode: encoding.csvDecode,
  dirname: strings.dirname,
  distinct: lists.distinct,
  divide: arithmetic.divide,
  element: lists.element,
  equal: logic.equal,
  flatten: lists.flatten,
  floor: arithmetic.floor,
  format,
  formatdate: times.formatDate,
  formatlist: formatList,
  formattimestamp: times.formatTimestamp,
  greaterthan: logic.greaterThan,
  greaterthanorequalto: logic.greaterThanOrEqual,
  hasindex: lists.hasIndex,
  homedir: define([], stringType, () => textValue(homedir())),
  indent: strings.indent,
  index: lists.index,
  indexof: lists.indexOf,
  int: arithmetic.int,
  join: strings.join,
  jsondecode: encoding.jsonDecode,
  jsonencode: encoding.jsonEncode,
  keys: maps.keys,
  length: lists.length,
  lessthan: logic.lessThan,
  lessthanorequalto: logic.lessThanOrEqual,
  log: arithmetic.log,
  lookup: maps.lookup,
  lower: strings.lower,
  max: arithmetic.max,
  md5: encoding.hash("md5"),
  merge: maps.merge,
  min: arithmetic.min,
  modulo: arithmetic.modulo,
  multiply: arithmetic.multiply,
  negate: arithmetic.negate,
  not: logic.not,
  notequal: logic.notEqual,
  or: logic.or,
  parseint: arithmetic.parseInteger,
  pow: arithmetic.pow,
  range: lists.range,
  regex: patterns.regex,
  regex_replace: patterns.regexReplace,
  regexall: patterns.regexAll,
  replace: strings.replace,
  reverse: strings.reverse,
  reverselist: lists.reverseList,
  rsadecrypt: define([text("ciphertext"), text("privatekey")], stringType, refused("rsadecrypt")),
  sanitize: strings.sanitize,
  semvercmp: semverCompare,
  sethaselement: sets.setHasElement,
  setintersection: sets.setIntersection,
  setproduct: sets.setProduct,
  setsubtract: sets.setSubtract,
  setsymmetricdifference: sets.setSymmetricDifference,
  setunion: sets.setUnion,
  sha1: encoding.hash("sha1"),
  sha256: encoding.hash("sha256"),
  sha512: encoding.hash("sha512"),
  signum: arithmetic.signum,
  slice: lists.slice,
  sort: strings.sort,
  split: strings.split,
  strlen: strings.strlen,
  substr: strings.substr,
  subtract: arithmetic.subtract,
  timeadd: times.timeAdd,
  timestamp: times.timestamp,
  title: strings.title,
  trim: strings.trim,
  trimprefix: strings.trimPrefix,
  trimspace: strings.trimSpace,
  trimsuffix: strings.trimSuffix,
  try: tryFirst,
  unixtimestampparse: times.unixTimestampParse,
  upper: strings.upper,
  urlencode: encoding.urlEncode,
  uuidv4: encoding.uuidV4,
  uuidv5: encoding.uuidV5,
  values: maps.values,
  zipmap: maps.zipmap,
};

/** The functions that definitions may call, 106 of them; `bcrypt` and `rsadecrypt` say that slipway has them not. */
export function standardFunctions(): Map<string, HclFunction> {
  return new Map(Object.entries(table));
}

function refused(name: string): () => never {
  return () => {
    throw new CtyError(`slipway does not offer ${name}`);
  };
}

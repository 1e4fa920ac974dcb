import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import {
  type DescEnum,
  type DescField,
  type DescFile,
  type DescMessage,
  type DescService,
  type FileRegistry,
  ScalarType,
} from "@bufbuild/protobuf";
import { beforeAll, describe, expect, test } from "vitest";
import { type DaemonInfo } from "../../src/buildkit/index.js";
import { realBuildkitd } from "../support/real-buildkitd.js";
import { reflect } from "../support/reflection.js";

/** What we declare otherwise, on purpose, in a way that is the same on the wire: string≡bytes, map≡repeated entry. */
const declaredOtherwise: Partial<Record<string, string>> = {
  "fsutil.types.Stat.path": "1 path: BYTES",
  "fsutil.types.Stat.linkname": "7 linkname: BYTES",
  "fsutil.types.Stat.xattrs": "10 xattrs: repeated fsutil.types.Xattr",
};
const theirsInstead: Partial<Record<string, string>> = {
  "fsutil.types.Stat.path": "1 path: STRING",
  "fsutil.types.Stat.linkname": "7 linkname: STRING",
  "fsutil.types.Stat.xattrs": "10 xattrs: map<STRING, BYTES>",
};
const oursAlone = new Set(["fsutil.types.Xattr"]);
/** Of these only what is sent is declared. */
const isSubset = (name: string) => name.startsWith("opentelemetry.");

const gen = fileURLToPath(new URL("../../src/buildkit/gen/", import.meta.url));
const ours = await generatedFiles();

async function generatedFiles(): Promise<DescFile[]> {
  const names = await readdir(gen, { recursive: true });
  const files: DescFile[] = [];
  for (const name of names.filter((name) => name.endsWith("_pb.ts"))) {
    const module = (await import(pathToFileURL(join(gen, name)).href)) as Record<string, unknown>;
    for (const [key, value] of Object.entries(module)) {
      if (key.startsWith("file_")) files.push(value as DescFile);
    }
  }
  return files;
}

function* messagesOf(parent: {
  messages?: DescMessage[];
  nestedMessages?: DescMessage[];
}): Generator<DescMessage> {
  for (const message of parent.messages ?? parent.nestedMessages ?? []) {
    yield message;
    yield* messagesOf(message);
  }
}

function* enumsOf(file: DescFile): Generator<DescEnum> {
  yield* file.enums;
  for (const message of messagesOf(file)) yield* message.nestedEnums;
}

/** Everything that matters on the wire, and the names. */
function fieldText(field: DescField): string {
  const one = (kind: string): string =>
    kind === "scalar"
      ? ScalarType[field.scalar as ScalarType]
      : (field.message ?? field.enum ?? { typeName: "?" }).typeName;
  const type =
    field.fieldKind === "map"
      ? `map<${ScalarType[field.mapKey]}, ${one(field.mapKind)}>`
      : field.fieldKind === "list"
        ? `repeated ${one(field.listKind)}`
        : one(field.fieldKind);
  return `${field.number} ${field.name}: ${type}${field.oneof ? ` in ${field.oneof.name}` : ""}`;
}

function fieldTexts(message: DescMessage, instead: Partial<Record<string, string>>): string[] {
  return [...message.fields]
    .sort((a, b) => a.number - b.number)
    .map((field) => instead[`${message.typeName}.${field.name}`] ?? fieldText(field));
}

function enumTexts(desc: DescEnum): string[] {
  return desc.values.map((value) => `${value.number} ${value.name}`);
}

function serviceTexts(service: DescService): string[] {
  return service.methods
    .map(
      ({ name, methodKind, input, output }) => `${name} ${methodKind} ${input.typeName} ${output.typeName}`,
    )
    .sort();
}

/** Named types and services of some files, by their full names. */
function namesOf(files: Iterable<DescFile>): string[] {
  const names: string[] = [];
  for (const file of files) {
    for (const message of messagesOf(file)) names.push(message.typeName);
    for (const desc of enumsOf(file)) names.push(desc.typeName);
    for (const service of file.services) names.push(service.typeName);
  }
  return names.filter((name) => !oursAlone.has(name)).sort();
}

describe("the protos against those in buildkitd", () => {
  let theirs: FileRegistry;
  let info: DaemonInfo;
  const exact = () => info.version?.startsWith("v0.32.") === true;

  beforeAll(async () => {
    await using daemon = await realBuildkitd();
    await using client = await daemon.connect();
    info = await client.info();
    theirs = await reflect(daemon.dial, namesOf(ours));
  });

  test("every file is there", () => {
    expect(ours).toHaveLength(24);
  });

  for (const file of ours) {
    test(`${file.name}.proto`, () => {
      for (const message of messagesOf(file)) {
        if (oursAlone.has(message.typeName)) continue;
        const their = theirs.getMessage(message.typeName);
        expect(their, message.typeName).toBeDefined();
        const found = fieldTexts(their as DescMessage, {});
        const expected = fieldTexts(message, theirsInstead);
        // A newer daemon may have more.
        if (exact() && !isSubset(message.typeName)) expect(found, message.typeName).toEqual(expected);
        else expect(found, message.typeName).toEqual(expect.arrayContaining(expected));
      }
      for (const desc of enumsOf(file)) {
        expect(enumTexts(theirs.getEnum(desc.typeName) as DescEnum), desc.typeName).toEqual(enumTexts(desc));
      }
      for (const service of file.services) {
        const their = theirs.getService(service.typeName) as DescService;
        expect(serviceTexts(their), service.typeName).toEqual(serviceTexts(service));
      }
    });
  }

  test("nothing is missing from our files", () => {
    const known = new Set(namesOf(ours));
    const files = new Set<DescFile>();
    for (const name of known) {
      const desc = theirs.get(name);
      if (desc && desc.kind !== "extension") files.add(desc.file);
    }
    const missing = namesOf(files).filter((name) => !known.has(name) && !isSubset(name));
    if (exact()) expect(missing).toEqual([]);
  });
});

test("what is declared otherwise is what these tests say it is", () => {
  const stat = ours
    .flatMap((file) => [...messagesOf(file)])
    .find(({ typeName }) => typeName === "fsutil.types.Stat");
  const xattr = ours
    .flatMap((file) => [...messagesOf(file)])
    .find(({ typeName }) => typeName === "fsutil.types.Xattr");
  const texts = fieldTexts(stat as DescMessage, {});
  for (const text of Object.values(declaredOtherwise)) expect(texts).toContain(text);
  // A map's entry is a message with the key in field 1 and the value in field 2 (protobuf encoding, "Maps").
  expect(fieldTexts(xattr as DescMessage, {})).toEqual(["1 key: BYTES", "2 value: BYTES"]);
});

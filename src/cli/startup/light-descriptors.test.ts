import { readFile, readdir } from "node:fs/promises";
import path from "node:path";
import { type DescFile, type DescMessage, type FileRegistry, createFileRegistry } from "@bufbuild/protobuf";
import { fileDesc } from "@bufbuild/protobuf/codegenv2";
import { expect, test } from "vitest";
import { fileProto } from "./light-descriptors.js";
import { checkout } from "../../../test/support/docs-page.js";

interface LightDescriptors {
  lighten: (text: string) => string;
}

const script = new URL("light-descriptors-plugin.mjs", import.meta.url).href;
const { lighten } = (await import(script)) as LightDescriptors;

/** Base64 of a file's descriptor in the text of a module, or the JSON that stands for it. */
const literal = /\bfileDesc\(\s*("(?:[^"\\]|\\.)*")/;
const wellKnown = ["any", "duration", "empty", "field_mask", "struct", "timestamp", "wrappers"].map((name) =>
  path.join(checkout, `node_modules/@bufbuild/protobuf/dist/esm/wkt/google/protobuf/${name}_pb.js`),
);

test("every descriptor in the bundle is as protobuf-es reads it", async () => {
  const generated = path.join(checkout, "src/buildkit/gen");
  const modules = (await readdir(generated, { recursive: true })).filter((name) => name.endsWith("_pb.ts"));
  const unread = [...wellKnown, ...modules.map((name) => path.join(generated, name))];
  expect(modules.length).toBeGreaterThan(15);
  const whole = new Map<string, DescFile>();
  const light = new Map<string, DescFile>();
  // Files are read after those that they import.
  for (let tries = 0; unread.length > 0 && tries < 500; tries++) {
    const file = unread.shift() as string;
    const text = await readFile(file, "utf8");
    const imports = /fileDesc\([^,)]*, \[([^\]]*)\]/.exec(text)?.[1]?.match(/\w+/g) ?? [];
    if (!imports.every((name) => whole.has(name))) {
      unread.push(file);
      continue;
    }
    const name = /export const (file_\w+)/.exec(text)?.[1] as string;
    const from = (files: Map<string, DescFile>) => imports.map((name) => files.get(name) as DescFile);
    whole.set(name, fileDesc(textIn(text), from(whole)));
    light.set(name, lightFile(textIn(lighten(text)), from(light)));
    expect(outline(light.get(name)), name).toEqual(outline(whole.get(name)));
  }
  expect(unread).toEqual([]);
});

function textIn(module: string): string {
  return JSON.parse(literal.exec(module)?.[1] ?? '""') as string;
}

function lightFile(json: string, imports: DescFile[]): DescFile {
  const proto = fileProto(json, imports);
  const registry: FileRegistry = createFileRegistry(proto, (name) =>
    imports.find((file) => file.proto.name === name),
  );
  return registry.getFile(proto.name) as DescFile;
}

/** All that reading, writing and printing messages goes by. */
function outline(file: DescFile | undefined) {
  return {
    name: file?.name,
    edition: file?.edition,
    dependencies: file?.dependencies.map(({ name }) => name),
    enums: file?.enums.map(outlineOfEnum),
    messages: file?.messages.map(outlineOfMessage),
    services: file?.services.map(({ typeName, methods }) => ({
      typeName,
      methods: methods.map((method) => ({
        name: method.name,
        localName: method.localName,
        kind: method.methodKind,
        input: method.input.typeName,
        output: method.output.typeName,
        idempotency: method.idempotency,
      })),
    })),
  };
}

function outlineOfMessage(message: DescMessage): unknown {
  return {
    typeName: message.typeName,
    fields: message.fields.map((field) => ({
      name: field.name,
      localName: field.localName,
      jsonName: field.jsonName,
      number: field.number,
      kind: field.fieldKind,
      scalar: field.scalar,
      message: field.message?.typeName,
      enum: field.enum?.typeName,
      list: field.fieldKind === "list" ? [field.listKind, field.packed] : undefined,
      map: field.fieldKind === "map" ? [field.mapKind, field.mapKey] : undefined,
      oneof: field.oneof?.localName,
      presence: field.presence,
      utf8: field.utf8Validation,
      deprecated: field.deprecated,
      default: (field as { getDefaultValue?: () => unknown }).getDefaultValue?.(),
    })),
    members: message.members.map(({ kind, localName }) => [kind, localName]),
    enums: message.nestedEnums.map(outlineOfEnum),
    messages: message.nestedMessages.map(outlineOfMessage),
  };
}

function outlineOfEnum({ typeName, open, values, sharedPrefix }: DescFile["enums"][number]) {
  return { typeName, open, sharedPrefix, values: values.map(({ localName, number }) => [localName, number]) };
}

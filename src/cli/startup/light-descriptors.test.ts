import { readdir } from "node:fs/promises";
import path from "node:path";
import type { DescFile, DescMessage } from "@bufbuild/protobuf";
import { type Plugin, build } from "esbuild";
import { expect, test } from "vitest";
import { checkout } from "../../../test/support/docs-page.js";

const script = new URL("light-descriptors-plugin.mjs", import.meta.url).href;
const { lightDescriptors } = (await import(script)) as { lightDescriptors: (used: () => void) => Plugin };

const wellKnown = ["any", "duration", "empty", "field_mask", "struct", "timestamp", "wrappers"].map((name) =>
  path.join(checkout, `node_modules/@bufbuild/protobuf/dist/esm/wkt/google/protobuf/${name}_pb.js`),
);

test("every descriptor in the bundle is as protobuf-es reads it", async () => {
  const generated = path.join(checkout, "src/buildkit/gen");
  const modules = (await readdir(generated, { recursive: true })).filter((name) => name.endsWith("_pb.ts"));
  expect(modules.length).toBeGreaterThan(15);
  const files = [...wellKnown, ...modules.map((name) => path.join(generated, name))];
  const [whole, light] = await Promise.all([
    descriptorsOf(files, []),
    descriptorsOf(files, [lightDescriptors(() => {})]),
  ]);
  expect([...light.keys()]).toEqual([...whole.keys()]);
  expect(whole.size).toBe(files.length);
  for (const [name, file] of whole) expect(outline(light.get(name)), name).toEqual(outline(file));
});

/** The descriptors of generated modules, bundled with or without the plug-in. */
async function descriptorsOf(files: readonly string[], plugins: Plugin[]): Promise<Map<string, DescFile>> {
  const { outputFiles } = await build({
    stdin: {
      contents: files.map((file) => `export * from ${JSON.stringify(file)};`).join("\n"),
      resolveDir: checkout,
    },
    bundle: true,
    write: false,
    platform: "node",
    format: "esm",
    plugins,
  });
  const [output] = outputFiles;
  const bundled = (await import(`data:text/javascript,${encodeURIComponent(output?.text ?? "")}`)) as Record<
    string,
    DescFile
  >;
  return new Map(Object.entries(bundled).filter(([name]) => name.startsWith("file_")));
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

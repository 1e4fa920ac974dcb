// Protobuf descriptors come as base64 of their binary form. To read that, protobuf-es first has to build the descriptors of
// descriptors, and then decodes what no build will look at: 10 ms of each start. The bundle has them as JSON of the parts that
// count, which light-descriptors.ts makes into the same objects. And a message gets its fields when one of them is first asked for:
// most messages are not of what a build says.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { fromBinary } from "@bufbuild/protobuf";
import { protoCamelCase } from "@bufbuild/protobuf/reflect";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";

const runtime = fileURLToPath(new URL("light-descriptors.ts", import.meta.url));

/** An esbuild plugin; `used()` is called when protobuf-es's reader of descriptors is replaced. */
export const lightDescriptors = (used) => ({
  name: "light-descriptors",
  setup(bundler) {
    bundler.onLoad({ filter: /_pb\.[jt]s$/ }, async ({ path: file }) => ({
      loader: file.endsWith(".ts") ? "ts" : "js",
      contents: lighten(await readFile(file, "utf8")),
    }));
    bundler.onLoad(
      { filter: /@bufbuild[/\\]protobuf[/\\]dist[/\\]esm[/\\]registry\.js$/ },
      async ({ path: file }) => ({
        contents: withLazyFields(await readFile(file, "utf8")),
      }),
    );
    bundler.onLoad({ filter: /@bufbuild[/\\]protobuf[/\\].*codegenv2[/\\]file\.js$/ }, () => {
      used();
      return {
        contents: `
        import { createEmbeddedFileRegistry } from "../registry.js";
        import { fileProto } from ${JSON.stringify(runtime)};
        export function fileDesc(json, imports = []) {
          const proto = fileProto(json, imports);
          const byName = (name) => imports.find((file) => file.proto.name === name);
          return createEmbeddedFileRegistry(proto, byName).getFile(proto.name);
        }`,
      };
    });
  },
});

const partsOfMessage = "        fields: [],\n        field: {},\n        oneofs: [],\n        members: [],\n";
/** What is changed in protobuf-es's registry: each stands there once. */
const lazyFields = [
  [
    partsOfMessage,
    `        get fields() { return parts().fields; },
        get field() { return parts().field; },
        get oneofs() { return parts().oneofs; },
        get members() { return parts().members; },
`,
  ],
  [
    "function addMessage(proto, file, parent, reg, mapEntries) {\n",
    `function addMessage(proto, file, parent, reg, mapEntries) {
    let made;
    const parts = () => {
        if (!made) {
            made = {\n${partsOfMessage}};
            addFields(desc, reg, mapEntries);
        }
        return made;
    };
`,
  ],
  // Where all of them would be added at once. Extensions there are none (isSupported below).
  ["        addFields(mapEntry, reg, mapEntries);\n", ""],
  ["        addFields(message, reg, mapEntries);\n        addExtensions(message, reg);\n", ""],
  ["        addFields(child, reg, mapEntries);\n", ""],
];

/** The text of protobuf-es's registry, with fields that are added late. @throws Error when it is another than is known here. */
function withLazyFields(text) {
  let changed = text;
  for (const [from, to] of lazyFields) {
    if (changed.split(from).length !== 2)
      throw new Error("light-descriptors: protobuf-es's registry has changed");
    changed = changed.replace(from, () => to);
  }
  return changed;
}

/** The text of a generated module with JSON in the place of base64. */
function lighten(text) {
  return text.replace(/\bfileDesc\(\s*"([\w+/=]*)"/g, (_, base64) => {
    const file = fromBinary(FileDescriptorProtoSchema, base64Decode(base64));
    // Of protobuf-es's own files some have more than slipway's: they are bundled only if something uses them, and refused then.
    const text = isSupported(file)
      ? JSON.stringify(lightFile(file))
      : `${file.name} has editions or extensions`;
    return `fileDesc(${JSON.stringify(text)}`;
  });
}

function isSupported({ edition, extension, messageType }) {
  const extended = (message) => message.extension.length > 0 || message.nestedType.some(extended);
  return edition === 0 && extension.length === 0 && !messageType.some(extended);
}

/** A FileDescriptorProto without what protobuf-es does not read of it, options that only other languages have among it. */
function lightFile(file) {
  return {
    name: file.name,
    package: file.package,
    syntax: file.syntax,
    enums: file.enumType.map(lightEnum),
    messages: file.messageType.map(lightMessage),
    services: file.service.map(lightService),
  };
}

function lightMessage(message) {
  return {
    name: message.name,
    fields: message.field.map(lightField),
    messages: message.nestedType.map(lightMessage),
    enums: message.enumType.map(lightEnum),
    oneofs: message.oneofDecl.map(({ name }) => name),
    ...(message.options?.mapEntry && { isMapEntry: true }),
  };
}

/** Of what is unset, nothing: whether a field has it matters. */
function lightField(field) {
  const isSet = (key) => Object.hasOwn(field, key);
  const jsonName = isSet("jsonName") ? field.jsonName : protoCamelCase(field.name);
  return {
    name: field.name,
    number: field.number,
    label: field.label,
    type: field.type,
    ...(isSet("typeName") && { typeName: field.typeName }),
    ...(isSet("defaultValue") && { defaultValue: field.defaultValue }),
    ...(isSet("oneofIndex") && { oneofIndex: field.oneofIndex }),
    ...(jsonName !== field.name && { jsonName }),
    ...(isSet("proto3Optional") && { proto3Optional: field.proto3Optional }),
    ...(field.options && { options: lightOptions(field.options) }),
  };
}

function lightOptions(options) {
  const kept = {};
  for (const key of ["packed", "jstype", "deprecated"])
    if (Object.hasOwn(options, key)) kept[key] = options[key];
  return kept;
}

function lightEnum({ name, value }) {
  return { name, values: value.map(({ name, number }) => [name, number]) };
}

function lightService({ name, method }) {
  return {
    name,
    methods: method.map((one) => ({
      name: one.name,
      inputType: one.inputType,
      outputType: one.outputType,
      ...(one.clientStreaming && { clientStreaming: true }),
      ...(one.serverStreaming && { serverStreaming: true }),
    })),
  };
}

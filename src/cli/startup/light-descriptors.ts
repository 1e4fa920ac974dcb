import type { DescFile } from "@bufbuild/protobuf";
import type { FileDescriptorProto } from "@bufbuild/protobuf/wkt";

// Shapes that light-descriptors-plugin.mjs writes.
interface LightFile {
  name: string;
  package: string;
  syntax: string;
  enums: LightEnum[];
  messages: LightMessage[];
  services: { name: string; methods: { name: string; inputType: string; outputType: string }[] }[];
}
interface LightMessage {
  name: string;
  fields: LightField[];
  messages: LightMessage[];
  enums: LightEnum[];
  oneofs: string[];
  isMapEntry?: boolean;
}
interface LightField {
  name: string;
  number: number;
  label: number;
  type: number;
  jsonName?: string;
  options?: object;
}
interface LightEnum {
  name: string;
  values: [name: string, number: number][];
}

/**
 * The descriptor of a file from JSON, for protobuf-es's registry: as much of a FileDescriptorProto as that reads. `imports` are
 * the files that it refers to. Imports nothing itself, since protobuf-es needs it while it is loaded.
 */
export function fileProto(json: string, imports: readonly DescFile[]): FileDescriptorProto {
  const file = JSON.parse(json) as LightFile;
  return {
    $typeName: "google.protobuf.FileDescriptorProto",
    name: file.name,
    package: file.package,
    syntax: file.syntax,
    edition: 0,
    dependency: imports.map(({ proto }) => proto.name),
    messageType: file.messages.map(messageOf),
    enumType: file.enums.map(enumOf),
    service: file.services.map(({ name, methods }) => ({ name, method: methods })),
    extension: [],
  } as unknown as FileDescriptorProto;
}

function messageOf({ name, fields, messages, enums, oneofs, isMapEntry }: LightMessage): object {
  let made: object[] | undefined;
  return {
    name,
    get field() {
      return (made ??= fields.map(fieldOf));
    },
    nestedType: messages.map(messageOf),
    enumType: enums.map(enumOf),
    oneofDecl: oneofs.map((oneof) => ({ name: oneof })),
    extension: [],
    options: isMapEntry ? { mapEntry: true } : undefined,
  };
}

/** What a field has that is not its own is as descriptor.proto has it; that it is not its own tells that it is unset. */
const unset = { typeName: "", defaultValue: "", oneofIndex: 0, proto3Optional: false };
const unsetOptions = { packed: false, jstype: 0, deprecated: false };

function fieldOf(light: LightField): object {
  const field: LightField = Object.assign(Object.create(unset) as LightField, light);
  field.jsonName ??= light.name;
  if (light.options) field.options = Object.assign(Object.create(unsetOptions) as object, light.options);
  return field;
}

function enumOf({ name, values }: LightEnum): object {
  return { name, value: values.map(([name, number]) => ({ name, number })) };
}

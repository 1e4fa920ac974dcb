import { parseJson } from "../../../core/index.js";
import { isJsonObject } from "../../../config/index.js";
import type { InspectedImage, InspectedPlatform } from "../../../manage/index.js";

/** One field of a Go struct: its name, that in JSON, and whether JSON has it when it is empty. */
type Field = readonly [name: string, json: string, read: (value: unknown) => unknown, keeps?: "kept"];

const plain = (value: unknown) => value;
const listOf = (read: (value: unknown) => unknown) => (value: unknown) =>
  Array.isArray(value) ? value.map(read) : value;

/** A value of Go: templates see the fields by Go's names, JSON by those of JSON. */
function struct(value: unknown, fields: readonly Field[]): object {
  const source = isJsonObject(value) ? value : {};
  const known = fields.map(([name, json, read, keeps]) => ({
    name,
    json,
    value: read(source[json]),
    isKept: keeps === "kept" || !isEmpty(source[json]),
  }));
  const holder = Object.fromEntries(known.map((field) => [field.name, field.value ?? ""]));
  const toJSON = () =>
    Object.fromEntries(
      known.filter(({ isKept }) => isKept).map((field) => [field.json, field.value ?? null]),
    );
  return Object.defineProperty(holder, "toJSON", { value: toJSON, enumerable: false });
}

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (value instanceof Map) return value.size === 0;
  return isJsonObject(value) ? Object.keys(value).length === 0 : !value;
}

/** Objects as maps, with sorted keys as Go prints them. */
function toMaps(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toMaps);
  if (!isJsonObject(value)) return value;
  return new Map(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, toMaps(item)]),
  );
}

const platformFields: readonly Field[] = [
  ["Architecture", "architecture", plain, "kept"],
  ["OS", "os", plain, "kept"],
  ["OSVersion", "os.version", plain],
  ["OSFeatures", "os.features", plain],
  ["Variant", "variant", plain],
];

/** OCI image-spec specs-go/v1 Descriptor. */
const descriptorFields: readonly Field[] = [
  ["MediaType", "mediaType", plain, "kept"],
  ["Digest", "digest", plain, "kept"],
  ["Size", "size", plain, "kept"],
  ["URLs", "urls", plain],
  ["Annotations", "annotations", toMaps],
  ["Data", "data", plain],
  ["Platform", "platform", (value) => value && struct(value, platformFields)],
  ["ArtifactType", "artifactType", plain],
];

const historyFields: readonly Field[] = [
  ["Created", "created", plain],
  ["CreatedBy", "created_by", plain],
  ["Author", "author", plain],
  ["Comment", "comment", plain],
  ["EmptyLayer", "empty_layer", plain],
];

const configFields: readonly Field[] = [
  ["User", "User", plain],
  ["ExposedPorts", "ExposedPorts", toMaps],
  ["Env", "Env", plain],
  ["Entrypoint", "Entrypoint", plain],
  ["Cmd", "Cmd", plain],
  ["Volumes", "Volumes", toMaps],
  ["WorkingDir", "WorkingDir", plain],
  ["Labels", "Labels", toMaps],
  ["StopSignal", "StopSignal", plain],
  ["ArgsEscaped", "ArgsEscaped", plain],
];

const rootFields: readonly Field[] = [
  ["Type", "type", plain, "kept"],
  ["DiffIDs", "diff_ids", plain, "kept"],
];

/** OCI image-spec specs-go/v1 Image: what it does not have is not shown. */
const imageStruct: readonly Field[] = [
  ["Created", "created", plain],
  ["Author", "author", plain],
  ...platformFields,
  ["Config", "config", (value) => struct(value, configFields), "kept"],
  ["RootFS", "rootfs", (value) => struct(value, rootFields), "kept"],
  ["History", "history", listOf((value) => struct(value, historyFields))],
];

const indexFields: readonly Field[] = [
  ["SchemaVersion", "schemaVersion", plain, "kept"],
  ["MediaType", "mediaType", plain],
  ["Digest", "digest", plain, "kept"],
  ["Size", "size", plain, "kept"],
  ["Manifests", "manifests", listOf((value) => struct(value, descriptorFields)), "kept"],
  ["Annotations", "annotations", toMaps],
];

/** What templates of `imagetools inspect` see (buildx v0.36 util/imagetools/printers.go). */
export function imageFields(name: string, image: InspectedImage): object {
  const { descriptor, content, platforms } = image;
  const isIndex = image.manifests.length > 0;
  const document: unknown = parseJson(content.toString());
  const manifest = isIndex
    ? struct({ ...(document as object), digest: descriptor.digest, size: descriptor.size }, indexFields)
    : struct(descriptor, descriptorFields);
  const each = (read: (found: InspectedPlatform) => object | undefined) =>
    new Map<string, object>(
      [...platforms].flatMap(([platform, found]) => {
        const value = read(found);
        return value === undefined ? [] : [[platform, value] as const];
      }),
    );
  const images = each(({ config }) => struct(config, imageStruct));
  const sboms = each(({ sbom: [first, ...rest] }) =>
    first === undefined ? undefined : stub({ SPDX: first, AdditionalSPDXs: rest }),
  );
  const provenances = each(({ provenance }) =>
    provenance === undefined ? undefined : stub({ SLSA: provenance }),
  );
  const isSingle = platforms.size <= 1;
  const one = (map: Map<string, object>) => [...map.values()][0] ?? stub({});
  const fields = {
    Name: name,
    Manifest: manifest,
    Image: isSingle ? one(images) : images,
    SBOM: isSingle ? one(sboms) : sboms,
    Provenance: isSingle ? one(provenances) : provenances,
  };
  const toJSON = () => ({ name, manifest, image: fields.Image });
  return Object.defineProperty(fields, "toJSON", { value: toJSON, enumerable: false });
}

function stub(fields: Readonly<Record<string, unknown>>): object {
  const holder = { SPDX: "", AdditionalSPDXs: "", SLSA: "" };
  const values = Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, toMaps(value)]));
  const toJSON = () => Object.fromEntries(Object.entries(values).filter(([, value]) => !isEmpty(value)));
  return Object.defineProperty({ ...holder, ...values }, "toJSON", { value: toJSON, enumerable: false });
}

import { type FileRegistry, create, createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import type { Dial } from "../../src/core/index.js";
import { Http2Client, MessageDecoder, frameMessage } from "../../src/http2/index.js";

/**
 * Asks a gRPC server for the files that declare the symbols, by gRPC's reflection service. It answers from the
 * descriptors that are linked into it, dependencies included.
 */
export async function reflect(dial: Dial, symbols: readonly string[]): Promise<FileRegistry> {
  await using http2 = await Http2Client.connect(await dial());
  const stream = http2.request({
    ":path": "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "content-type": "application/grpc",
  });
  const files = new Map<string, FileDescriptorProto>();
  const decoder = new MessageDecoder();
  const failed: string[] = [];
  const done = new Promise<void>((resolve, reject) => {
    stream.on("error", reject);
    stream.on("end", resolve);
  });
  stream.on("data", (chunk: Buffer) => {
    decoder.push(chunk, (message) => {
      const { descriptors, error } = readResponse(message);
      if (error !== undefined) failed.push(error);
      for (const bytes of descriptors) {
        const file = fromBinary(FileDescriptorProtoSchema, bytes);
        files.set(file.name, file);
      }
    });
  });
  for (const symbol of symbols) {
    // ServerReflectionRequest.file_containing_symbol = 4
    stream.write(frameMessage(new BinaryWriter().tag(4, WireType.LengthDelimited).string(symbol).finish()));
  }
  stream.end();
  await done;
  if (failed.length > 0) throw new Error(`reflection failed: ${failed.join(", ")}`);
  // A registry wants what a file imports before the file.
  const sorted = new Set<FileDescriptorProto>();
  const add = (name: string) => {
    const file = files.get(name);
    if (!file || sorted.has(file)) return;
    for (const dependency of file.dependency) add(dependency);
    sorted.add(file);
  };
  for (const name of files.keys()) add(name);
  return createFileRegistry(create(FileDescriptorSetSchema, { file: [...sorted] }));
}

/** ServerReflectionResponse: original_request = 2, file_descriptor_response = 4, error_response = 7. */
function readResponse(message: Uint8Array): { descriptors: Uint8Array[]; error?: string } {
  const reader = new BinaryReader(message);
  const descriptors: Uint8Array[] = [];
  let error: string | undefined;
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    if (field !== 4 && field !== 7) {
      reader.skip(wire);
      continue;
    }
    const inner = new BinaryReader(reader.bytes());
    while (inner.pos < inner.len) {
      const [innerField, innerWire] = inner.tag();
      if (field === 4 && innerField === 1) descriptors.push(inner.bytes());
      else if (field === 7 && innerField === 2) error = inner.string();
      else inner.skip(innerWire);
    }
  }
  return { descriptors, ...(error !== undefined && { error }) };
}

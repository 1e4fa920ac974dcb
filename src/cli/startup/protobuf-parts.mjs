// What slipway and connect-es use of protobuf-es's index, which loads reflection and JSON with the rest: they are needed where an
// error has details, and by a few commands.
import path from "node:path";
import { fileURLToPath } from "node:url";

const folder = path.dirname(fileURLToPath(import.meta.resolve("@bufbuild/protobuf")));
const lazily = (file, ...names) =>
  names
    .map((name) => `export const ${name} = (...given) => require("${file}").${name}(...given);`)
    .join("\n");

/** An esbuild plugin; `used()` is called when the index is replaced. A name that is not here makes the bundle fail, which tells it. */
export const protobufParts = (used) => ({
  name: "protobuf-parts",
  setup(bundler) {
    const namespace = "protobuf-parts";
    bundler.onResolve({ filter: /^@bufbuild\/protobuf$/ }, () => ({ path: "index", namespace }));
    bundler.onLoad({ filter: /^index$/, namespace }, () => {
      used();
      return {
        resolveDir: folder,
        contents: `
          export { create } from "./create.js";
          export { clone } from "./clone.js";
          export { ScalarType } from "./descriptors.js";
          export { toBinary } from "./to-binary.js";
          export { fromBinary } from "./from-binary.js";
          ${lazily("./to-json.js", "toJson", "toJsonString")}
          ${lazily("./from-json.js", "fromJson", "fromJsonString")}`,
      };
    });
  },
});

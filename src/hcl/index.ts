export { BigFloat } from "./big-float.js";
export { type Attribute, type Block, type Body, type Schema } from "./body.js";
export type { HclFunction } from "./call-function.js";
export { convert } from "./convert-value.js";
export { CtyError } from "./cty-error.js";
export { decodeJson } from "./decode-json.js";
export { type Diagnostic, HclError, diagnosticsText, report } from "./diagnostic.js";
export { encodeJson, jsonText } from "./encode-json.js";
export { type Expression, type Step, keywordOf } from "./expression.js";
export { standardFunctions } from "./functions/standard-functions.js";
export { goQuote } from "./go-quote.js";
export { parseJsonBody } from "./json-body.js";
export { parseNative } from "./parse-body.js";
export type { Position, Range } from "./range.js";
export { type References, referencesOf } from "./references.js";
export { decodeSource } from "./scan.js";
export { type Scope, childScope } from "./scope.js";
export { setValue } from "./set-value.js";
export { typeConstraint } from "./type-expression.js";
export {
  type Type,
  boolType,
  dynamicType,
  listOf,
  mapOf,
  numberType,
  objectOf,
  stringType,
  typeName,
} from "./types.js";
export {
  Value,
  boolValue,
  canIterate,
  entriesOf,
  fieldsOf,
  isTrue,
  itemsOf,
  lengthOf,
  listValue,
  mapValue,
  nullValue,
  numberOf,
  numberValue,
  objectValue,
  textOf,
  textValue,
  tupleValue,
} from "./value.js";

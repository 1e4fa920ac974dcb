import {
  type Block,
  CtyError,
  type Diagnostic,
  type Expression,
  HclError,
  type Scope,
  canIterate,
  childScope,
  convert,
  fieldsOf,
  itemsOf,
  stringType,
  textOf,
} from "../hcl/index.js";

const schema = { attributes: [{ name: "matrix" }, { name: "name" }] };

/**
 * The scopes that a block is evaluated in: one, or one for each combination of its matrix, axes by name, the first
 * varying fastest.
 */
export function instancesOf(block: Block, scope: Scope, load: (expression: Expression) => void): Scope[] {
  const diagnostics: Diagnostic[] = [];
  const matrix = block.body.find(schema, diagnostics).attributes.get("matrix")?.expression;
  refuse(diagnostics);
  if (!matrix) return [scope];
  if (block.type === "group") throw new CtyError("matrix is not supported for groups");
  load(matrix);
  const value = matrix.value(scope, diagnostics);
  refuse(diagnostics);
  if (value.isNull || (value.type.kind !== "map" && value.type.kind !== "object"))
    throw new CtyError("matrix must be a map");
  let scopes = [scope];
  for (const [axis, values] of fieldsOf(value)) {
    if (values.isNull || !canIterate(values)) throw new CtyError("matrix values must be a list");
    scopes = itemsOf(values).flatMap((item) =>
      scopes.map((outer) => childScope(scope, [...(outer === scope ? [] : outer.variables), [axis, item]])),
    );
  }
  return scopes;
}

/** What an instance of a block is called. */
export function instanceName(block: Block, scope: Scope, load: (expression: Expression) => void): string {
  const diagnostics: Diagnostic[] = [];
  const { attributes } = block.body.find(schema, diagnostics);
  refuse(diagnostics);
  const name = attributes.get("name")?.expression;
  if (!name) return block.labels[0] as string;
  if (block.type === "group") throw new CtyError("name is not supported for groups");
  if (!attributes.has("matrix")) throw new CtyError("name requires matrix");
  load(name);
  const value = name.value(scope, diagnostics);
  refuse(diagnostics);
  const text = convert(value, stringType);
  if (text.isNull || !text.isKnown) throw new CtyError("name must not be null");
  return textOf(text);
}

function refuse(diagnostics: readonly Diagnostic[]): void {
  if (diagnostics.length > 0) throw new HclError(diagnostics);
}

import {
  type Block,
  CtyError,
  type Diagnostic,
  type Expression,
  HclError,
  type HclFunction,
  type Range,
  type Scope,
  childScope,
  dynamicType,
  keywordOf,
  report,
  tupleValue,
} from "../hcl/index.js";

const schema = { attributes: [{ name: "params" }, { name: "variadic_params" }, { name: "result" }] };

/** A function of a definition: `params`, `variadic_params` and `result`, over the global scope. */
export function defineFunction(
  name: string,
  block: Block,
  scope: Scope,
  load: (expression: Expression, locals: ReadonlySet<string>) => void,
): HclFunction {
  const diagnostics: Diagnostic[] = [];
  const { attributes } = block.body.find(schema, diagnostics);
  const result = attributes.get("result")?.expression;
  const params = attributes.get("params")?.expression;
  if (!result) throw new CtyError(`empty result not allowed for ${name}`);
  if (!params) throw new CtyError(`empty params not allowed for ${name}`);
  const word = (expression: Expression, range: Range): string => {
    const given = keywordOf(expression);
    if (given === undefined)
      report(diagnostics, range, "Invalid param element", "Each parameter name must be an identifier.");
    return given ?? "";
  };
  const list = params.list?.();
  if (!list) {
    report(diagnostics, params.range, "Invalid expression", "A static list expression is required.");
  }
  const names = (list ?? []).map((param) => word(param, param.range));
  const rest = attributes.get("variadic_params");
  const restName = rest && word(rest.expression, rest.range);
  if (diagnostics.length > 0) throw new HclError(diagnostics);
  load(result, new Set(restName === undefined ? names : [...names, restName]));
  const parameters = names.map((param) => ({ name: param, type: dynamicType }));
  const run: HclFunction["run"] = (args) => {
    const own = childScope(scope, names.map((param, at) => [param, args[at] as (typeof args)[number]])); // prettier-ignore
    if (restName !== undefined) own.variables.set(restName, tupleValue(args.slice(names.length)));
    const problems: Diagnostic[] = [];
    const value = result.value(own, problems);
    if (problems.length > 0) throw new HclError(problems);
    return value;
  };
  const defined = { parameters, returns: undefined, run };
  return restName === undefined ? defined : { ...defined, variadic: { name: restName, type: dynamicType } };
}

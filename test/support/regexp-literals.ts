import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

/** A regular expression that the source holds. */
export interface SourceRegExp {
  /** `src/…/file.ts`. */
  file: string;
  line: number;
  regexp: RegExp;
}

/** All that {@link regExpsOf} finds. */
export interface SourceRegExps {
  found: SourceRegExp[];
  /** Files and texts of `RegExp(…)` calls whose source is known only at run time. */
  dynamic: string[];
}

/** Every regular expression below a folder, generated code and tests left out: literals, and `RegExp(…)` of constants. */
export function regExpsOf(root: string, folder: string): SourceRegExps {
  const found: SourceRegExp[] = [];
  const dynamic: string[] = [];
  for (const file of sourceFiles(root, folder)) {
    const source = ts.createSourceFile(
      file,
      readFileSync(join(root, file), "utf8"),
      ts.ScriptTarget.Latest,
      true,
    );
    const constants = constantsOf(source);
    const add = (node: ts.Node, regexp: RegExp) => {
      found.push({ file, line: source.getLineAndCharacterOfPosition(node.getStart()).line + 1, regexp });
    };
    const visit = (node: ts.Node): void => {
      if (ts.isRegularExpressionLiteral(node)) {
        const end = node.text.lastIndexOf("/");
        add(node, new RegExp(node.text.slice(1, end), node.text.slice(end + 1)));
      } else if (
        (ts.isNewExpression(node) || ts.isCallExpression(node)) &&
        node.expression.getText() === "RegExp"
      ) {
        const [pattern, flags] = (node.arguments ?? []).map((argument) => textOf(argument, constants));
        if (pattern === undefined) dynamic.push(`${file}: ${node.getText()}`);
        else add(node, new RegExp(pattern, flags ?? ""));
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return { found, dynamic };
}

function sourceFiles(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return path.endsWith("/gen") ? [] : sourceFiles(root, path);
      return path.endsWith(".ts") && !path.endsWith(".test.ts") ? [path] : [];
    })
    .sort();
}

/** The texts of a file's constants, as far as they are known without running it. */
function constantsOf(source: ts.SourceFile): Map<string, string> {
  const constants = new Map<string, string>();
  for (const statement of source.statements) {
    if (!ts.isVariableStatement(statement)) continue;
    for (const { name, initializer } of statement.declarationList.declarations) {
      const text = initializer && textOf(initializer, constants);
      if (text !== undefined) constants.set(name.getText(), text);
    }
  }
  return constants;
}

function textOf(node: ts.Expression, constants: ReadonlyMap<string, string>): string | undefined {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isIdentifier(node)) return constants.get(node.text);
  if (ts.isTaggedTemplateExpression(node) && node.tag.getText() === "String.raw") {
    return ts.isNoSubstitutionTemplateLiteral(node.template) ? node.template.rawText : undefined;
  }
  if (!ts.isTemplateExpression(node)) return undefined;
  const parts = node.templateSpans.map(({ expression, literal }) => {
    const text = textOf(expression, constants);
    return text === undefined ? undefined : text + literal.text;
  });
  return parts.includes(undefined) ? undefined : node.head.text + parts.join("");
}

import { CtyError } from "../cty-error.js";

/** Records of comma-separated values, all as long as the first. Go's encoding/csv, whose refusals these are. */
export function readCsv(source: string, most = Number.POSITIVE_INFINITY): string[][] {
  const text = source.replaceAll("\r\n", "\n");
  const records: string[][] = [];
  let at = 0;
  let line = 1;
  const refuse = (where: number, reason: string) =>
    new CtyError(`CSV parse error on line ${where}: ${reason}`);
  while (at < text.length && records.length < most) {
    if (text[at] === "\n") {
      at++;
      line++;
      continue;
    }
    const startLine = line;
    const record: string[] = [];
    for (;;) {
      if (text[at] === '"') {
        let field = "";
        for (at++; ; at++) {
          if (at >= text.length) throw refuse(line, 'extraneous or missing " in quoted-field');
          if (text[at] === '"') {
            if (text[at + 1] !== '"') break;
            at++;
          }
          if (text[at] === "\n") line++;
          field += text[at] as string;
        }
        at++;
        if (at < text.length && text[at] !== "," && text[at] !== "\n") {
          throw refuse(line, 'extraneous or missing " in quoted-field');
        }
        record.push(field);
      } else {
        const field = (/[^,\n]*/y.exec(text.slice(at)) as RegExpExecArray)[0];
        if (field.includes('"')) throw refuse(line, 'bare " in non-quoted-field');
        record.push(field);
        at += field.length;
      }
      if (text[at] !== ",") break;
      at++;
    }
    at++;
    line++;
    const [first] = records;
    if (first && record.length !== first.length) throw refuse(startLine, "wrong number of fields");
    records.push(record);
  }
  return records;
}

/** Of fields, those that can be missing are so or have a value: what `exactOptionalPropertyTypes` asks for. */
export type WithoutUndefined<Fields> = string extends keyof Fields
  ? { [Name in keyof Fields]-?: Exclude<Fields[Name], undefined> }
  : {
      [Name in keyof Fields as undefined extends Fields[Name] ? never : Name]: Fields[Name];
    } & {
      [Name in keyof Fields as undefined extends Fields[Name] ? Name : never]?: Exclude<
        Fields[Name],
        undefined
      >;
    };

/** The object's own fields that have a value, in their order; `null`, `false` and empty ones are values. */
export function withoutUndefined<Fields extends object>(fields: Fields): WithoutUndefined<Fields> {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as WithoutUndefined<Fields>;
}

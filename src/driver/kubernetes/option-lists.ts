import { trimBoth } from "../../core/index.js";

/** A taint of a machine that pods put up with (Kubernetes core/v1 Toleration). */
export interface Toleration {
  key?: string;
  operator?: string;
  value?: string;
  effect?: string;
  tolerationSeconds?: number;
}

/** Parses `key=value,…`, with or without quotes around it (buildx driver/kubernetes splitMultiValues). @throws Error with the reason. */
export function parsePairs(text: string, { reserved }: { reserved?: string } = {}): Record<string, string> {
  const pairs = new Map<string, string>();
  for (const pair of trimBoth(text, '"').split(",")) {
    const [key = "", value, ...more] = pair.split("=");
    if (key === "" || value === undefined || more.length > 0)
      throw new Error(`invalid key-value pair: ${pair}`);
    if (key === reserved) throw new Error(`${JSON.stringify(key)} is reserved and cannot be customized`);
    pairs.set(key, value);
  }
  return Object.fromEntries(pairs);
}

const fields: ReadonlySet<string> = new Set(["key", "operator", "value", "effect", "tolerationSeconds"]);

/** Parses `key=…,operator=…,value=…,effect=…,tolerationSeconds=…;…`. @throws Error with the reason. */
export function parseTolerations(text: string): Toleration[] {
  return trimBoth(text, '"')
    .split(";")
    .map((one) => {
      const toleration: Record<string, string | number> = {};
      for (const pair of one.split(",")) {
        const [field = "", value, ...more] = pair.split("=");
        if (!fields.has(field) || value === undefined || more.length > 0)
          throw new Error(
            `invalid toleration ${JSON.stringify(pair)}, expecting ${[...fields].join("=…, ")}=…`,
          );
        if (field !== "tolerationSeconds") toleration[field] = value;
        else if (/^-?\d{1,15}$/.test(value)) toleration[field] = Number(value);
        else throw new Error(`tolerationSeconds ${JSON.stringify(value)} is not a whole number`);
      }
      return toleration;
    });
}

import { Builder } from "../../src/builder/index.js";
import type { BuildkitClient, control } from "../../src/buildkit/index.js";

/** The builds that a builder remembers. */
export interface BuildRecords extends AsyncDisposable {
  /** What came since the last call, oldest first. */
  fresh(): Promise<control.BuildHistoryRecord[]>;
}

/** Opens the history of a builder that runs. */
export async function openBuildRecords(builder: string): Promise<BuildRecords> {
  const { nodes } = await Builder.open({ name: builder });
  const driver = await nodes[0]?.openDriver();
  if (!driver) throw new Error(`${builder} has no nodes`);
  const client: BuildkitClient = await driver.connect({ boot: false });
  const seen = new Set<string>();
  return {
    async fresh() {
      const records = new Map<string, control.BuildHistoryRecord>();
      for await (const { record } of client.control.listenBuildHistory({ EarlyExit: true }))
        if (record && !seen.has(record.Ref)) records.set(record.Ref, record);
      for (const ref of records.keys()) seen.add(ref);
      const time = ({ CreatedAt }: control.BuildHistoryRecord) =>
        Number(CreatedAt?.seconds ?? 0n) * 1e9 + (CreatedAt?.nanos ?? 0);
      return [...records.values()].sort((a, b) => time(a) - time(b));
    },
    async [Symbol.asyncDispose]() {
      await client.close();
      await driver.close();
    },
  };
}

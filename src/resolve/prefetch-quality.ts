import { readPrefetchQuality } from "../policy/prefetch/quality-document.ts";
import type { QualityMatrix } from "../policy/prefetch/quality-matrix.ts";
import { readJson } from "./file-reader.ts";
import { locatedAsync } from "./located.ts";
import type { PolicySetting } from "./policy-setting.ts";

/** How often a predictor was right, from the file that a scenario names; null where it names none. */
export function prefetchQualityOf({ scenario, reader }: PolicySetting): Promise<QualityMatrix | null> {
  const { file } = scenario.policy.offload!.prefetch as { readonly file?: string };
  if (file === undefined) return Promise.resolve(null);
  return locatedAsync(scenario, ["policy", "offload", "prefetch", "file"], async () => {
    const read = await readJson(reader, scenario.file, file);
    return readPrefetchQuality(read.json, read.file);
  });
}

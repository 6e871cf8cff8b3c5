import { z } from "zod";
import { type Problem, refuse } from "../core/errors.ts";
import type { QualityMatrix } from "../policy/prefetch/quality-matrix.ts";
import { readJson } from "./file-reader.ts";
import { locatedAsync } from "./located.ts";
import type { PolicySetting } from "./policy-setting.ts";

const matrix = z
  .array(z.array(z.number().min(0).max(1).nullable()).max(1000))
  .min(1)
  .max(10_000);
const qualityFile = z.object({ recall: matrix, precision: matrix });

/** How often a predictor was right, from the file that a scenario names; null where it names none. */
export function prefetchQualityOf({ scenario, reader }: PolicySetting): Promise<QualityMatrix | null> {
  const { file } = scenario.policy.offload!.prefetch as { readonly file?: string };
  if (file === undefined) return Promise.resolve(null);
  return locatedAsync(scenario, ["policy", "offload", "prefetch", "file"], async () => {
    const { json, file: path } = await readJson(reader, scenario.file, file);
    const read = qualityFile.safeParse(json);
    if (read.success) return read.data;
    const { path: at, message } = read.error.issues[0]!;
    const problem: Problem = {
      file: path,
      at: at.join("."),
      expected: `recall and precision, each a list of shares by distance for every recorded layer: ${message}`,
    };
    return refuse(problem);
  });
}

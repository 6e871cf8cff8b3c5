import { sha256 } from "../../core/digest.ts";
import { canonicalJson } from "../../core/json.ts";
import { version } from "../../core/version.ts";
import { statedValues } from "../../scenario/parse-scenario.ts";
import { InputDigests } from "./input-digests.ts";
import type { JobBase } from "./job.ts";
import { type KeyParts, namingFiles, outcomeVersion } from "./job-key.ts";

/**
 * Reads what the keys of jobs with these settings need; `digests` has those of the files that were read before. Throws
 * InvalidInputError for a base that is no YAML.
 */
export async function keyParts(
  base: JobBase,
  jobs: Iterable<readonly string[]>,
  digests: InputDigests = new InputDigests(),
): Promise<KeyParts> {
  const digestWith = async (more: readonly string[]): Promise<string> => {
    const settings = [...base.settings, ...more];
    const values = statedValues(base.text, base.file, { settings, params: base.params });
    // Which configurations there are is said by their settings, and what is looked for changes none.
    const { sweep: _sweep, plan: _plan, ...stated } = { ...(values as object) } as Record<string, unknown>;
    return sha256(canonicalJson([version, outcomeVersion, await digests.contentOf(base.file, stated), ...plugins]));
  };
  const plugins = (base.plugins ?? []).map(({ sha256: digest }) => digest);
  const files: Record<string, string> = {};
  for (const settings of jobs) {
    const naming = namingFiles(settings);
    if (naming !== "") files[naming] ??= await digestWith(naming.split("\0"));
  }
  return { base: await digestWith([]), files };
}

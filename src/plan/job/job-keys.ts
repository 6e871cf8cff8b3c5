import { sha256 } from "../../core/digest.ts";
import { canonicalJson } from "../../core/json.ts";
import { version } from "../../core/version.ts";
import { parseScenario, type Scenario } from "../../scenario/parse-scenario.ts";
import { InputDigests } from "./input-digests.ts";
import type { JobBase } from "./job.ts";

/** Raised when the meaning of an outcome changes: results of another one are not taken. */
export const outcomeVersion = 1;

/** What the keys of jobs over one base are made of, beside their settings. */
export interface KeyParts {
  /** Of the version of moecast, what the base scenario means (not its layout and comments), and every file that it names. */
  readonly base: string;
  /** By setting, of the files that it names; settings that name none are not there. */
  readonly files: Readonly<Record<string, string>>;
}

/** Digest of everything that the outcome of a job depends on: equal wherever the files lie. */
export const jobKey = ({ base, files }: KeyParts, settings: readonly string[]): string =>
  sha256([base, ...settings.flatMap((setting) => [setting, files[setting] ?? ""])].join("\0"));

/**
 * Reads what keys need; `digests` has those of the files that were read before. Throws InvalidInputError for a base that is no
 * scenario.
 */
export async function keyParts(
  base: JobBase,
  settings: Iterable<string>,
  digests: InputDigests = new InputDigests(),
): Promise<KeyParts> {
  const digestWith = async (more: readonly string[]): Promise<string> => {
    const scenario = parseScenario(base.text, base.file, {
      settings: [...base.settings, ...more],
      params: base.params,
    });
    return digestOf(scenario, digests);
  };
  const files: Record<string, string> = {};
  // A setting that cannot stand alone may be part of one that can: its run tells.
  for (const setting of new Set(settings))
    if (setting.includes("file")) files[setting] = await digestWith([setting]).catch(() => "refused");
  return { base: await digestWith([]), files };
}

async function digestOf(scenario: Scenario, digests: InputDigests): Promise<string> {
  const {
    file,
    sha256: _text,
    overrides: _overrides,
    params: _params,
    sweep: _sweep,
    plan: _plan,
    ...values
  } = scenario;
  return sha256(canonicalJson([version, outcomeVersion, await digests.contentOf(file, values)]));
}

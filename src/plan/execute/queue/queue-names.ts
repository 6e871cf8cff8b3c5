import { UsageError } from "../../../core/errors.ts";
import { version } from "../../../core/version.ts";
import { outcomeVersion } from "../../job/job-key.ts";

/** What has to be equal on both sides of a queue for outcomes to mean the same. */
export interface Versions {
  readonly moecast: string;
  readonly outcomes: number;
}

export const ownVersions: Versions = { moecast: version, outcomes: outcomeVersion };

/** As messages have them. */
export const versionText = ({ moecast, outcomes }: Versions): string =>
  `moecast ${moecast}, outcomes of version ${outcomes}`;

export const queueDefault = "moecast";

/** Of every key in Redis. */
export const keyPrefix = "moecast";

/**
 * Name of the BullMQ queue of sweeps and workers of some versions. Others never see its jobs, so none is computed by another version.
 */
export const versionedQueue = (queue: string, { moecast, outcomes }: Versions): string =>
  `${queue}-${moecast.replaceAll(/[^\w.-]/g, "_")}-${outcomes}`;

/** Key of what all versions share under a queue's name. */
export const sharedKey = (queue: string, name: string): string => `${keyPrefix}:${queue}:${name}`;

/** Checks the name of a queue. */
export function queueName(text: string): string {
  if (!/^[\w.-]{1,64}$/.test(text))
    throw new UsageError(
      `--queue: expected letters, digits, dots, dashes and underscores, at most 64, found "${text}"`,
    );
  return text;
}

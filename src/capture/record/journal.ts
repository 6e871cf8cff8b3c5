import { refuse } from "../../core/errors.ts";
import { canonicalJson, type Json, parseJson } from "../../core/json.ts";
import type { RowFileMark } from "./row-files.ts";

/** How far a recording is, with what its files must hold; see {@link parseJournal}. */
export interface Journal {
  /** What the recording was started with, by the name a person knows it by; any difference is another recording. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Date of the recording: when it was started, ISO 8601. */
  readonly startedAt: string;
  /** Sequences that tokens were decoded after, in order: how many tokens, and the file. */
  readonly decoded: readonly DecodedMark[];
  /** Hidden states after the embedding and the layers finished so far; null before the embedding. */
  readonly states: RowFileMark | null;
  /** Finished layers, in order from the model's first. */
  readonly layers: readonly FinishedLayer[];
}

export interface FinishedLayer {
  /** Files of the recorded routing by what they hold; null for a dense layer. */
  readonly routing: RoutingMarks | null;
  /** Tokens whose choice of experts hangs on scores closer than float32 can tell. */
  readonly nearTies: number;
  /** Decoded tokens for which one pass over the whole sequence chooses other experts than decoding did. */
  readonly decodedOtherwise: number;
}

export interface DecodedMark {
  readonly steps: number;
  readonly file: RowFileMark;
}

export interface RoutingMarks {
  readonly experts: RowFileMark;
  readonly weights: RowFileMark | null;
  readonly scores: RowFileMark | null;
}

const journalVersion = 1;

export const journalText = (journal: Journal): string =>
  `${canonicalJson({ version: journalVersion, ...journal }, 2)}\n`;

/** Reads a journal; refuses one that no recording of this version wrote. */
export function parseJournal(text: string, file: string): Journal {
  const broken = (at: string, expected: string, found: unknown): never =>
    refuse({ file, at, expected, found, hint: "--restart begins anew" });
  const object = (value: Json | undefined, at: string): Readonly<Record<string, Json | undefined>> =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, Json | undefined>>)
      : broken(at, "an object", value);
  const whole = (value: Json | undefined, at: string): number =>
    Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : broken(at, "a whole number", value);
  const words = (value: Json | undefined, at: string): string =>
    typeof value === "string" ? value : broken(at, "text", value);
  const mark = (value: Json | undefined, at: string): RowFileMark => {
    const fields = object(value, at);
    return { bytes: whole(fields["bytes"], `${at}.bytes`), sha256: words(fields["sha256"], `${at}.sha256`) };
  };
  const optional = <T>(value: Json | undefined, read: (value: Json) => T): T | null =>
    value === null || value === undefined ? null : read(value);

  const root = object(parseJson(text, file), "journal");
  if (root["version"] !== journalVersion) broken("version", String(journalVersion), root["version"]);
  const inputs = Object.entries(object(root["inputs"], "inputs")).map(([name, value]) => [
    name,
    words(value, `inputs.${name}`),
  ]);
  const list = (name: string): readonly Json[] =>
    Array.isArray(root[name]) ? (root[name] as readonly Json[]) : broken(name, "a list", root[name]);
  return {
    inputs: Object.fromEntries(inputs),
    startedAt: words(root["startedAt"], "startedAt"),
    states: optional(root["states"], (value) => mark(value, "states")),
    decoded: list("decoded").map((value, i) => {
      const sequence = object(value, `decoded[${i}]`);
      return {
        steps: whole(sequence["steps"], `decoded[${i}].steps`),
        file: mark(sequence["file"], `decoded[${i}].file`),
      };
    }),
    layers: list("layers").map((value, i) => {
      const at = `layers[${i}]`;
      const layer = object(value, at);
      return {
        routing: optional(layer["routing"], (routing) => {
          const fields = object(routing, `${at}.routing`);
          return {
            experts: mark(fields["experts"], `${at}.routing.experts`),
            weights: optional(fields["weights"], (weights) => mark(weights, `${at}.routing.weights`)),
            scores: optional(fields["scores"], (scores) => mark(scores, `${at}.routing.scores`)),
          };
        }),
        nearTies: whole(layer["nearTies"], `${at}.nearTies`),
        decodedOtherwise: whole(layer["decodedOtherwise"], `${at}.decodedOtherwise`),
      };
    }),
  };
}

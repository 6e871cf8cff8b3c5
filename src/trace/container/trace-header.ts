import { InvalidInputError, type Problem } from "../../core/errors.ts";
import { canonicalJson, type Json, parseJson } from "../../core/json.ts";

export const traceFormat = "moecast-routing";
const traceVersion = 1;

/** What a routing-trace file says about itself; the `__metadata__` of the container. */
export interface RoutingTraceHeader {
  /** *tokens*: expert ids per token and layer. *counts*: tokens per step, layer and expert. */
  readonly kind: "tokens" | "counts";
  /** Model name, `unknown` where the source does not say. */
  readonly model: string;
  /** Routed experts per layer. */
  readonly experts: number;
  /** Experts per token; null only in counts whose source does not say. */
  readonly topK: number | null;
  /** Whether rows may have fewer experts than `topK`: they end in the id `experts`, which is no expert. */
  readonly fewer?: true;
  /** Model layer number of each recorded layer, ascending. */
  readonly layers: readonly number[];
  readonly domains: readonly string[];
  readonly provenance: TraceProvenance;
}

/** Where a trace came from and what was done to it. */
export interface TraceProvenance {
  readonly origin: "recorded" | "synthesised";
  /** Software or data set that produced the routing, such as `vLLM 0.11.2`. */
  readonly source: string;
  readonly device?: string;
  /** Number format the model ran in. */
  readonly dtype?: string;
  readonly versions?: Readonly<Record<string, string>>;
  /** Date of the recording, as its source states it. */
  readonly date?: string;
  /** Imported files with the sha256 of their bytes. */
  readonly files?: readonly { readonly name: string; readonly sha256: string }[];
  /** How rows were grouped into sequences. */
  readonly grouping: string;
  /** Warm-up and padding rows left out. */
  readonly droppedRows: number;
  /** What a recording holds that ended early, such as `layers 0-11 of 24 recorded`; absent from a whole one. */
  readonly partial?: string;
  readonly notes: readonly string[];
}

export const traceLimits = { experts: 65_536, layers: 4_096, domains: 65_536, topK: 1_024 } as const;

/** The strings of `__metadata__`; lists and objects are JSON inside the string, as safetensors allows only strings. */
export function encodeHeader(header: RoutingTraceHeader): Record<string, string> {
  return {
    format: traceFormat,
    version: String(traceVersion),
    kind: header.kind,
    model: header.model,
    experts: String(header.experts),
    ...(header.topK === null ? {} : { top_k: String(header.topK) }),
    ...(header.fewer ? { fewer: "true" } : {}),
    layers: canonicalJson(header.layers),
    domains: canonicalJson(header.domains),
    provenance: canonicalJson(header.provenance),
  };
}

/** Reads and checks `__metadata__`; throws all its problems together. */
export function decodeHeader(metadata: ReadonlyMap<string, string>, file: string): RoutingTraceHeader {
  const problems: Problem[] = [];
  const wrong = (key: string, expected: string, found: unknown) =>
    problems.push({ file, at: `__metadata__.${key}`, expected, found });
  const oneOf = <T extends string>(key: string, values: readonly T[]): T => {
    const value = metadata.get(key);
    if (!(values as readonly (string | undefined)[]).includes(value)) wrong(key, values.join(" or "), value);
    return value as T;
  };
  const whole = (key: string, max: number): number => {
    const value = metadata.get(key) ?? "";
    if (!/^[1-9][0-9]{0,8}$/.test(value) || Number(value) > max) wrong(key, `a whole number from 1 to ${max}`, value);
    return Number(value);
  };
  const json = (key: string): Json => {
    const value = metadata.get(key);
    if (value === undefined) {
      wrong(key, "JSON text", value);
      return null;
    }
    return parseJson(value, `${file}: __metadata__.${key}`);
  };

  oneOf("format", [traceFormat]);
  oneOf("version", [String(traceVersion)]);
  if (problems.length > 0) throw new InvalidInputError(problems);
  const kind = oneOf("kind", ["tokens", "counts"]);
  const model = metadata.get("model");
  if (model === undefined || model.length > 500) wrong("model", "a name of at most 500 characters", model);
  const experts = whole("experts", traceLimits.experts);
  const topK = metadata.has("top_k") || kind === "tokens" ? whole("top_k", Math.min(experts, traceLimits.topK)) : null;
  if (metadata.has("fewer")) oneOf("fewer", ["true"]);
  if (metadata.has("fewer") && experts > traceLimits.experts - 2)
    wrong("experts", `at most ${traceLimits.experts - 2}, where rows may have fewer than top_k`, experts);
  const layers = json("layers");
  if (!isLayerList(layers)) wrong("layers", `1 to ${traceLimits.layers} ascending layer numbers`, layers);
  const domains = json("domains");
  if (!isNameList(domains)) wrong("domains", "a list of 1 to 65536 different names", domains);
  const provenance = decodeProvenance(json("provenance"), wrong);
  if (problems.length > 0) throw new InvalidInputError(problems);
  return {
    kind,
    model: model as string,
    experts,
    topK,
    ...(metadata.has("fewer") ? { fewer: true } : {}),
    layers: layers as number[],
    domains: domains as string[],
    provenance,
  };
}

function isLayerList(value: Json): boolean {
  if (!Array.isArray(value) || value.length === 0 || value.length > traceLimits.layers) return false;
  return value.every(
    (layer, i) => Number.isInteger(layer) && layer >= 0 && layer < 1e6 && (i === 0 || layer > (value[i - 1] as number)),
  );
}

function isNameList(value: Json): boolean {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= traceLimits.domains &&
    value.every((name) => typeof name === "string" && name.length <= 500) &&
    new Set(value).size === value.length
  );
}

function decodeProvenance(
  value: Json,
  wrong: (key: string, expected: string, found: unknown) => void,
): TraceProvenance {
  const fields = (typeof value === "object" && value !== null && !Array.isArray(value) ? value : {}) as Record<
    string,
    Json | undefined
  >;
  const text = (key: string, fallback?: string): string => {
    const found = fields[key] ?? fallback;
    if (typeof found !== "string") wrong(`provenance.${key}`, "text", found);
    return found as string;
  };
  const origin = text("origin", "recorded");
  if (origin !== "recorded" && origin !== "synthesised") wrong("provenance.origin", "recorded or synthesised", origin);
  const droppedRows = fields["droppedRows"] ?? 0;
  if (!Number.isSafeInteger(droppedRows) || (droppedRows as number) < 0)
    wrong("provenance.droppedRows", "a whole number", droppedRows);
  const notes = fields["notes"] ?? [];
  if (!Array.isArray(notes) || !notes.every((note) => typeof note === "string"))
    wrong("provenance.notes", "a list of texts", notes);
  const versions = fields["versions"];
  if (versions !== undefined && !isTextRecord(versions)) wrong("provenance.versions", "an object of texts", versions);
  const files = fields["files"];
  if (files !== undefined && !(Array.isArray(files) && files.every(isTextRecord)))
    wrong("provenance.files", "a list of { name, sha256 }", files);
  return {
    origin: origin as TraceProvenance["origin"],
    source: text("source", "unknown"),
    ...(fields["device"] === undefined ? {} : { device: text("device") }),
    ...(fields["dtype"] === undefined ? {} : { dtype: text("dtype") }),
    ...(versions === undefined ? {} : { versions: versions as unknown as Record<string, string> }),
    ...(fields["date"] === undefined ? {} : { date: text("date") }),
    ...(files === undefined ? {} : { files: files as unknown as { name: string; sha256: string }[] }),
    grouping: text("grouping", "not stated"),
    droppedRows: droppedRows as number,
    ...(fields["partial"] === undefined ? {} : { partial: text("partial") }),
    notes: notes as string[],
  };
}

function isTextRecord(value: Json): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((item) => typeof item === "string")
  );
}
